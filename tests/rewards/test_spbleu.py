"""spBLEU is sacrebleu's own figure with the same subword model, and says so when the model cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest
import sentencepiece
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers import tokenizer_spm

from rewards import RewardError
from rewards.translation.spbleu import load_tokenizer, prepare_tokenizer, spbleu

PAIRS = [
    ("Das kleine Haus steht am Waldrand. ", ["Das kleine Haus steht am Rand des Waldes."]),
    ("小さな家が森のはずれにある。", ["小さな家は森の端に立っている。", "森の端に小さな家がある。"]),
    ("Der Zug fährt um acht Uhr.", ["Der Zug nach München fährt heute um acht Uhr ab."]),
]


@pytest.fixture(scope="module")
def subwords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "models"
    folder.mkdir()
    lines = [text for hypothesis, references in PAIRS for text in (hypothesis, *references)] * 5
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(folder / "tiny"), vocab_size=60, minloglevel=2
    )
    file = folder / "flores200sacrebleuspm"  # where sacrebleu looks for it
    (folder / "tiny.model").rename(file)
    return file


def test_the_figure_is_sacrebleu_s(subwords: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_spm, "SACREBLEU_DIR", str(subwords.parents[1]))
    theirs = BLEU(tokenize="flores200", effective_order=True)
    for hypothesis, references in PAIRS:
        wanted = theirs.sentence_score(hypothesis, references).score / 100
        assert 0 < wanted < 1
        assert spbleu(hypothesis, references, str(subwords)) == pytest.approx(wanted, abs=1e-12)


def test_sacrebleu_s_own_copy_is_found(subwords: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer_spm, "SACREBLEU_DIR", str(subwords.parents[1]))
    load_tokenizer.cache_clear()
    assert spbleu(*PAIRS[0]) == spbleu(*PAIRS[0], str(subwords))
    load_tokenizer.cache_clear()


def test_a_model_that_cannot_be_had_is_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(tokenizer_spm, "SACREBLEU_DIR", str(tmp_path))
    monkeypatch.setattr(tokenizer_spm, "download_file", unreachable)
    load_tokenizer.cache_clear()
    with pytest.raises(RewardError, match=r"FLORES-200.*no network.*tokenizer_model"):
        prepare_tokenizer()
    with pytest.raises(RewardError, match=r"absent\.model"):
        prepare_tokenizer(str(tmp_path / "absent.model"))

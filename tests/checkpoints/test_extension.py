"""A larger vocabulary: merges as by hand and as the tokenizers library learns them, embeddings from their pieces."""

from collections import Counter

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from typer.testing import CliRunner

from dragoman.checkpoints.errors import CheckpointError
from dragoman.checkpoints.extension import extend, learn_merges, merged, saved
from dragoman.learner.model import load_model, load_tokenizer
from dragoman.pipeline.cli import app
from pretrain_sft.tokenizer import train_tokenizer
from tests.checkpoints.test_vocabulary import KINDS, TEXTS

CZECH = ["Přílišžluťoučký kůň úpěl ďábelské ódy.", "Kůň úpěl a úpěl.", "Světlo v kuchyni svítí, světlo svítí."] * 4
OLD = ["The light in the kitchen is on."]


@pytest.fixture(params=KINDS)
def folder(request, tmp_path):
    tokenizer = train_tokenizer(TEXTS * 9, 330)
    torch.manual_seed(0)
    KINDS[request.param](len(tokenizer)).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_three_merges_by_hand():
    """ab stands 5 + 2 times, c 3 times behind it: (a, b) 7, then (ab, c) 5, then (d, ab) 2."""
    words = {("a", "b", "c"): 5, ("d", "a", "b"): 2}
    assert learn_merges(words, 9) == [("a", "b"), ("ab", "c"), ("d", "ab")]
    assert learn_merges(words, 2) == [("a", "b"), ("ab", "c")]
    assert learn_merges(words, 9, frozenset(["ab"])) == [("b", "c"), ("a", "bc"), ("d", "a"), ("da", "b")]
    assert merged(["a", "a", "a", "b"], ("a", "a")) == ["aa", "a", "b"]
    assert saved(words, [("a", "b"), ("ab", "c")]) == 5 * 2 + 2


def test_the_merges_are_those_that_the_tokenizers_library_learns():
    """From single letters both are byte-pair encoding; the library breaks ties by another order, so lengths compare."""
    text = " ".join(TEXTS + CZECH)
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    library.train_from_iterator([text], trainers.BpeTrainer(vocab_size=10_000, min_frequency=2, show_progress=False))
    words = {tuple(word): count for word, count in Counter(text.split()).items()}
    letters = sum(count * len(word) for word, count in words.items())
    ours = learn_merges(words, 10_000)
    assert letters - saved(words, ours) == len(library.encode(text).tokens)


def test_an_extended_model_reads_old_text_as_before_and_new_text_in_fewer_pieces(folder, tmp_path):
    old = load_tokenizer(folder)
    done = extend(folder, tmp_path / "larger", CZECH, 40)
    new = load_tokenizer(tmp_path / "larger")
    assert 20 < len(done.pieces) <= 40 and len(new) == len(old) + len(done.pieces)
    lengths = [sum(len(t(text, add_special_tokens=False)["input_ids"]) for text in CZECH) for t in (old, new)]
    assert lengths == [done.tokens_before, done.tokens_after] and lengths[1] < 0.6 * lengths[0]
    assert all(new.decode(new(text, add_special_tokens=False)["input_ids"]) == text for text in CZECH)
    ids = old(OLD[0], add_special_tokens=False)["input_ids"]
    assert new(OLD[0], add_special_tokens=False)["input_ids"] == ids
    with torch.no_grad():
        before = load_model(folder, "float32")(torch.tensor([ids])).logits[0]
        after = load_model(tmp_path / "larger", "float32")(torch.tensor([ids])).logits[0]
    assert torch.equal(before, after[:, : before.shape[1]])


def test_a_new_piece_begins_as_the_mean_of_its_old_pieces(folder, tmp_path):
    extend(folder, tmp_path / "larger", CZECH, 40)
    old, new = load_tokenizer(folder), load_tokenizer(tmp_path / "larger")
    models_ = [load_model(path, "float32") for path in (folder, tmp_path / "larger")]
    checked = 0
    for number in range(len(old), len(new)):
        text = new.decode([number])
        ids = old(text, add_special_tokens=False)["input_ids"]
        if "\ufffd" in text:
            continue  # half a letter
        checked += 1
        for rows in ("get_input_embeddings", "get_output_embeddings"):
            before, after = (getattr(model, rows)().weight for model in models_)
            assert torch.allclose(after[number], before[ids].mean(0), atol=1e-6)
    assert checked > 10


def test_what_cannot_be_extended_is_said(folder, tmp_path):
    with pytest.raises(CheckpointError, match="no pair of pieces comes twice"):
        extend(folder, tmp_path / "larger", ["ř"], 10)
    assert not (tmp_path / "larger").exists()
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is missing"):
        extend(tmp_path, tmp_path / "larger", CZECH, 10)


def test_the_command_says_what_was_gained_and_names_a_row_without_text(folder, tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(CZECH))
    (tmp_path / "b.jsonl").write_text('{"text": "Kůň úpěl."}\n{"id": "x"}\n')
    call = ["extend", str(folder), str(tmp_path / "a.txt"), "--pieces", "30", "--out", str(tmp_path / "larger")]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0 and "30 pieces more" in done.output, done.output
    assert "exists; name another folder" in str(CliRunner().invoke(app, call).exception)
    found = CliRunner().invoke(app, ["extend", str(folder), str(tmp_path / "b.jsonl"), "--out", str(tmp_path / "c")])
    assert "b.jsonl:2 has no column text" in str(found.exception)

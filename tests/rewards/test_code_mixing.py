"""The gate on code mixing; the shares it stands on have tests of their own in tests/text."""

from __future__ import annotations

import pytest

from rewards import RewardError, validate_rows
from rewards.translation.guards import code_mixing

GERMAN = "Der Zug zum alten Hafen fährt um acht ab"


def test_the_gate() -> None:
    mixed = f"{GERMAN}. And we should buy the tickets before that."
    assert code_mixing(mixed, "de", "en").value == 0.0
    assert "in the source language" in code_mixing(mixed, "de", "en").detail
    assert code_mixing(mixed, "de", "en", max_share=0.7).value == 1.0
    assert code_mixing(f"{GERMAN}.", "de", "en").value == 1.0
    assert code_mixing("12.3.", "de", "en").status == "not_applicable"
    assert code_mixing(" ", "de", "en").value == 0.0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"target": "de", "source": "en", "max_share": 1.5}, "max_share"),
        ({"target": "de", "source": "de"}, "one language"),
        ({"target": "tlh", "source": "de"}, "does not know"),
    ],
)
def test_bad_arguments_are_refused_when_data_is_loaded(args: dict[str, object], words: str) -> None:
    with pytest.raises(RewardError, match=words):
        validate_rows([{"id": "a", "prompt": "p", "rewards": [{"kind": "code_mixing", "args": args}]}])

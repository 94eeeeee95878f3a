"""Which translation is better: one verdict, alone on the last line, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import RewardError, validate_rows
from rewards.translation.preference_label import preference_label


@pytest.mark.parametrize(
    "response",
    [
        "B",
        "b",
        "**B**",
        "B.",
        "(B)",
        "Verdict: B",
        "**Verdict:** B",
        "Final answer: **B**",
        "The answer is short.\nAnswer: B",
        "A keeps the number, B the tone.\n\nTranslation B reads better than A.\n\nVerdict: B",
        "Because of the tone: [[B]]",
        "The better one is \\boxed{B}.",
        "\\boxed{\\text{B}}",
    ],
)
def test_one_verdict_in_its_forms(response: str) -> None:
    assert preference_label(response, "B").value == 1.0
    assert preference_label(response, "A").value == 0.0


@pytest.mark.parametrize(
    "response",
    [
        "",
        "B is better.",
        "A\nB",
        "Verdict: A\nVerdict: B",
        "Verdict: B\nVerdict: B",
        "Verdict: A or B",
        "Verdict: A and B",
        "[[A]] or [[B]]",
        "[[A]]\nVerdict: B",
        "The verdict is A, I first thought.\nVerdict: B",
        "Verdict: B\nBut look at A again.",
        "AB",
        "Verdict: C",
        "Verdict: BB",
    ],
)
def test_two_verdicts_or_none_earn_nothing(response: str) -> None:
    assert preference_label(response, "B").value == 0.0


def test_labels_of_the_row_s_own() -> None:
    labels = ["Translation 1", "Translation 2", "both"]
    assert preference_label("Verdict: translation 2", "Translation 2", labels).value == 1.0
    assert preference_label("Verdict: both", "Translation 2", labels).value == 0.0
    assert preference_label("tie", "tie").value == 1.0


def test_a_long_line_does_not_take_long() -> None:
    hostile = "answer: " + "*" * 200_000 + "\n" + "[[ " * 50_000 + "\n" + "verdict" * 30_000
    assert preference_label(hostile, "A").value == 0.0


@pytest.mark.parametrize("args", [{}, {"gold": "C"}, {"gold": "A", "labels": ["A", "a"]}, {"gold": "A", "labels": "A"}])
def test_malformed_rows_are_refused(args: dict[str, Any]) -> None:
    with pytest.raises(RewardError, match=r"gold|labels"):
        validate_rows([{"id": "a", "response": "x", "rewards": [{"kind": "preference_label", "args": args}]}])

"""Malformed rows are refused at load time, by row number, id, kind and mend."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import RewardError, RewardResult, Score, validate_rows


def row(*rewards: Any, **columns: Any) -> dict[str, Any]:
    return {"id": "a1", "prompt": "p", "rewards": list(rewards), **columns}


GOOD = [
    row({"kind": "math", "weight": 1.0, "args": {"gold": "7"}}),
    row(
        {"kind": "chrf", "args": {"reference": "x"}},
        {"kind": "direction", "args": {"source": "en", "target": "de"}},
    ),
    row({"kind": "chrf"}, reference="a column"),
    row({"kind": "code", "args": {"mode": "call", "entry": "f", "cases": [{"args": [10], "expected": 4}]}}),
    row({"kind": "code", "args": {"mode": "stdio", "cases": [{"stdin": "1\n", "expected": "2"}]}}),
    row({"kind": "code", "args": {"mode": "assert", "tests": ["assert f(10) == 4"]}}),
    row({"kind": "constraints", "args": {"instructions": [{"id": "punctuation:no_comma", "kwargs": {}}]}}),
]


def test_good_rows_pass() -> None:
    validate_rows(GOOD)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(), ["rewards"]),
        (row({"kind": "chrff", "args": {"reference": "x"}}), ["'chrff'", "did you mean 'chrf'"]),
        (row({"kind": "math"}), ["'math'", "'gold'"]),
        (row({"kind": "math", "args": {"gold": ""}}), ["degenerate", "empty"]),
        (row({"kind": "math", "args": {"gold": "9^{9^{9^{9}}}"}}), ["degenerate"]),
        (row({"kind": "math", "args": {"gold": "\\frac{"}}), ["degenerate"]),
        (row({"kind": "math", "args": {"gold": "7", "extraction": "box"}}), ["'box'", "boxed"]),
        (row({"kind": "math", "args": {"gold": "7", "gald": 1}}), ["'gald'"]),
        (row({"kind": "chrf", "weight": float("nan"), "args": {"reference": "x"}}), ["weight"]),
        (row({"kind": "chrf", "wieght": 1, "args": {"reference": "x"}}), ["'wieght'", "'weight'"]),
        (row({"kind": "chrf", "args": {"reference": " "}}), ["'reference'"]),
        (row({"kind": "direction", "args": {"source": "en", "target": "german"}}), ["'german'"]),
        (row({"kind": "direction", "args": {"source": "en", "target": "en"}}), ["one language"]),
        (row({"kind": "constraints", "args": {"instructions": []}}), ["instructions"]),
        (
            row({"kind": "constraints", "args": {"instructions": [{"id": "keywords:exists"}]}}),
            ["keywords:existence"],
        ),
        (
            row({"kind": "constraints", "args": {"instructions": [{"id": "keywords:existence"}]}}),
            ["'keywords'"],
        ),
        (
            row(
                {
                    "kind": "constraints",
                    "args": {
                        "instructions": [
                            {
                                "id": "length_constraints:number_words",
                                "kwargs": {"num_words": 5, "relation": "around"},
                            }
                        ]
                    },
                }
            ),
            ["'relation'", "at least"],
        ),
        (row({"kind": "code", "args": {"mode": "run"}}), ["'run'", "stdio"]),
        (row({"kind": "code", "args": {"cases": [{"args": [], "expected": 1}]}}), ["'entry'"]),
        (row({"kind": "code", "args": {"entry": "f", "cases": [{"args": [1]}]}}), ["case 1", "'expected'"]),
        (row({"kind": "code", "args": {"mode": "assert", "tests": "f(1)"}}), ["assert"]),
        ({"prompt": "p", "rewards": [{"kind": "math"}]}, ["'id'"]),
    ],
)
def test_a_bad_row_is_named_with_its_mend(bad: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(RewardError) as caught:
        validate_rows([GOOD[0], bad])
    for word in ["row 2", *words]:
        assert word in str(caught.value)


def test_only_the_kinds_that_are_known_to_the_run_are_accepted() -> None:
    with pytest.raises(RewardError, match="math"):
        validate_rows(GOOD[:1], ["chrf"])


def test_a_score_survives_its_file_format() -> None:
    score = Score("a1", None, (RewardResult("math", None, "timeout", "killed", 3.0), RewardResult("chrf", 0.5)))
    assert Score.from_dict(score.to_dict()) == score
    assert score.to_dict() == {
        "id": "a1",
        "reward": None,
        "components": [
            {"kind": "math", "value": None, "status": "timeout", "detail": "killed", "latency_s": 3.0},
            {"kind": "chrf", "value": 0.5, "status": "ok", "detail": "", "latency_s": 0.0},
        ],
    }

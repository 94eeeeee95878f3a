"""Spans: what a reward may mark, what becomes of a wrong one, how they are weighed and written."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from rewards import RewardResult, RewardSpec, Score, Span, validate_rows
from rewards.calling import call, call_batch, coerce
from rewards.errors import RowError
from rewards.mixing import credited_spans, mix, part_of
from rewards.registry import RewardKind
from rewards.spans import SEVERITY, final_part, quoted_spans

ANSWER = "Es sind 17 Züge."
MARK = Span(8, 10, -1.0, "number")


def marking(*spans: Any, status: str = "ok") -> RewardResult:
    result = RewardResult("k", 0.5 if status == "ok" else None, status, "why", spans=spans)  # type: ignore[arg-type]
    return call(RewardKind("k", lambda response: result), RewardSpec("k"), {"id": "1", "response": ANSWER})


def test_spans_within_the_answer_are_kept() -> None:
    found = marking(MARK, Span(0, len(ANSWER), 0.25))
    assert (found.status, found.value) == ("ok", 0.5)
    assert found.spans == (MARK, Span(0, 16, 0.25))


def test_numbers_of_numpy_become_plain_ones() -> None:
    (span,) = marking(Span(np.int64(8), np.int32(10), np.float32(-0.5))).spans  # type: ignore[arg-type]
    assert json.dumps(vars(span)) == '{"start": 8, "end": 10, "value": -0.5, "label": ""}'


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (Span(8, 17, -1.0), "characters 8 to 17 of a response of 16"),
        (Span(-1, 3, -1.0), "characters -1 to 3"),
        (Span(3, 3, -1.0), "0 <= start < end"),
        (Span(9, 8, -1.0), "characters 9 to 8"),
        (Span(1.0, 3, -1.0), "characters 1.0 to 3"),  # type: ignore[arg-type]
        (Span(8, 10, math.nan), "the value nan"),
        (Span(8, 10, -math.inf), "must be finite"),
        (Span(8, 10, "-1"), "the value '-1'"),  # type: ignore[arg-type]
        ((8, 10, -1.0), "a span is a rewards.Span(start, end, value)"),
    ],
)
def test_a_wrong_span_is_an_error_of_its_reward_and_never_0(span: Any, said: str) -> None:
    found = marking(MARK, span)
    assert (found.status, found.value, found.spans) == ("error", None, ())
    assert said in found.detail
    assert mix([part_of(RewardSpec("k"), found)]) is None


def test_one_wrong_span_in_a_batch_costs_its_own_row_only() -> None:
    def batched(response: list[str]) -> list[RewardResult]:
        return [RewardResult("k", 1.0, spans=(Span(2, 4, -1.0),)) for _ in response]

    rows = [(RewardSpec("k"), {"id": "1", "response": text}) for text in ("long enough", "no")]
    results = call_batch(RewardKind("k", batched, batched=True), rows) or []
    assert [result.status for result in results] == ["ok", "error"]


def test_what_is_not_ok_marks_nothing() -> None:
    assert marking(MARK, status="not_applicable").spans == ()
    assert marking(MARK, status="error").detail == "why"


def test_plain_values_have_no_spans() -> None:
    for value in (1, 0.5, True, np.float64(0.5)):
        assert coerce("k", value).spans == ()


def test_json_comes_back_and_is_the_old_one_without_spans() -> None:
    old = {"kind": "k", "value": 0.5, "status": "ok", "detail": "", "latency_s": 0.0}
    assert RewardResult("k", 0.5).to_dict() == old
    assert RewardResult.from_dict(old) == RewardResult("k", 0.5)
    marked = RewardResult("k", 0.5, spans=(MARK,))
    written = json.loads(json.dumps(Score("1", 0.5, (marked,)).to_dict()))
    assert written["components"][0]["spans"] == [{"start": 8, "end": 10, "value": -1.0, "label": "number"}]
    assert Score.from_dict(written) == Score("1", 0.5, (marked,))


def test_spans_are_credited_with_the_components_weight_gates_and_failed_ones_included() -> None:
    specs = (
        RewardSpec("chrf", 2.0),
        RewardSpec("repetition", 0.5),  # a gate
        RewardSpec("comet", 0.0),
        RewardSpec("xcomet", 0.0, span_weight=3.0),
        RewardSpec("ter", 4.0, span_weight=0.0),
    )
    results = tuple(RewardResult(spec.kind, 0.0, spans=(MARK,)) for spec in specs)
    found = credited_spans(specs, Score("1", 0.0, results))
    assert [span.value for span in found] == [-2.0, -0.5, -3.0]
    assert {(span.start, span.end, span.label) for span in found} == {(8, 10, "number")}


def test_spans_have_no_part_in_the_reward() -> None:
    for spans in ((), (MARK,)):
        result = RewardResult("chrf", 0.75, spans=spans)
        assert mix([part_of(RewardSpec("chrf", 2.0, span_weight=9.0), result)]) == 0.75


def test_a_row_says_the_weight_of_spans_and_a_wrong_one_is_refused() -> None:
    row = {"id": "1", "source": "x", "rewards": [{"kind": "repetition", "weight": 0, "span_weight": 2}]}
    validate_rows([row])
    assert RewardSpec.from_dict(row["rewards"][0]).span_weight == 2.0  # type: ignore[index]
    assert RewardSpec.from_dict({"kind": "repetition"}).span_weight is None
    for wrong in (-1, "2", True, math.inf):
        with pytest.raises(RowError, match="span_weight"):
            validate_rows([{**row, "rewards": [{"kind": "repetition", "span_weight": wrong}]}])


@pytest.mark.parametrize(
    ("response", "part"),
    [
        ("<think>17 or 18?</think>\n17 Züge", "\n17 Züge"),
        ("17 or 18?</think>17", "17"),  # the prompt had opened it
        ("<think>a</think>b<think>c</think>d", "d"),
        ("<think>never closed", ""),
        ("no thinking", "no thinking"),
        ("", ""),
    ],
)
def test_the_final_part_is_where_its_offset_says(response: str, part: str) -> None:
    text, offset = final_part(response)
    assert (text, response[offset:]) == (part, part)


def test_a_quotation_that_comes_twice_takes_the_next_place() -> None:
    response = "<think>der Zug</think>der Zug und der Zug"
    offset = final_part(response)[1]
    asked = [
        ("der Zug", -1.0, "a"),
        ("Bus", -1.0, "b"),
        ("der Zug", -0.2, "c"),
        ("der Zug", -0.2, "d"),
        ("", -1.0, "e"),
    ]
    found = quoted_spans(response, asked, offset)
    assert [(span.start - offset, span.end - offset, span.label) for span in found] == [(0, 7, "a"), (12, 19, "c")]
    assert [span.start for span in quoted_spans(response, asked[:1])] == [7]  # without the offset: in the thinking part


def test_severities_keep_mqms_ratios() -> None:
    assert SEVERITY["minor"] * 5 == pytest.approx(SEVERITY["major"])
    assert SEVERITY["major"] * 2 == pytest.approx(SEVERITY["critical"])

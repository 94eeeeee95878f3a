"""The comparison outside the sandbox, the wire, and the extraction of programs."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import pytest

from rewards.code.case_checks import check_code
from rewards.code.extraction import extract_program
from rewards.sandbox.compare import matches, same_output
from rewards.sandbox.inside.wire import ProtocolError, UnsupportedValue, decode, encode, pack, split_frames

VALUES: list[Any] = [
    None,
    True,
    0,
    -5,
    10**400,
    1.5,
    math.inf,
    "text \ud800 é",
    b"\x00\xff",
    2 + 3j,
    [],
    [1, [2]],
    (1, (2,)),
    {1, 2},
    frozenset({"a"}),
    {"a": 1, 2: [3], (1, 2): None},
]


@pytest.mark.parametrize("value", VALUES)
def test_plain_values_cross_the_wire_unchanged(value: Any) -> None:
    (message,) = split_frames(bytearray(pack(encode(value))))
    back = decode(message)
    assert back == value and type(back) is type(value)
    assert matches(value, message)


@pytest.mark.parametrize("value", [object(), lambda: 1, (i for i in ()), int])
def test_anything_else_does_not_cross(value: Any) -> None:
    with pytest.raises(UnsupportedValue):
        encode(value)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [(1, True), (1, 1.0), ([1, 2], (1, 2)), ({"1": 2}, {1: 2}), (0.1 + 0.2, 0.3), ({1: "a"}, {1.0: "a"})],
)
def test_equal_as_in_python_or_in_json(expected: Any, answer: Any) -> None:
    assert matches(expected, encode(answer))


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (1, 2), (1, "1"), (None, 0), (None, False), ("", None), ([1, 2], [2, 1]), ([1], [1, 1]), ([1], {1}),
        ({1}, [1]),
        ({"a": 1}, {"a": 1, "b": 2}), ({"a": 1}, {"b": 1}), (1.0, 1.001), (1, 1.0000001), (5, float("nan")),
        ({1, 2}, {1, 3}), ("a", b"a"), (0, ""), (1.0, float("inf")), ([], ()[:0] or None), (10**400, 1.0),
    ],
)  # fmt: skip
def test_unequal(expected: Any, answer: Any) -> None:
    assert not matches(expected, encode(answer))


def test_an_answer_of_colliding_hashes_costs_nothing() -> None:
    colliding = {k * (2**61 - 1) for k in range(1, 3)}  # all hash to 0
    pairs = {"s": [{"i": hex(k * (2**61 - 1))} for k in range(1, 20001)]}
    started = time.monotonic()
    assert not matches(colliding, pairs)
    assert not matches(set(range(20000)), pairs)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("junk", [5, [1], {"x": 1}, {"i": "zz"}, {"i": 5}, {"l": 5}, {"i": "1", "f": "1"}])
def test_junk_is_a_protocol_error_or_unequal(junk: Any) -> None:
    with contextlib.suppress(ProtocolError):
        assert not matches(1, junk)
    with pytest.raises((ProtocolError, TypeError)):
        decode(junk)


def test_frames_are_split_and_broken_ones_refused() -> None:
    buffer = bytearray(pack({"a": 1}) + pack([2]) + pack("rest")[:5])
    assert split_frames(buffer) == [{"a": 1}, [2]]
    assert bytes(buffer) == pack("rest")[:5]
    with pytest.raises(ProtocolError):
        split_frames(bytearray(b"\xff" * 8))
    with pytest.raises(ProtocolError):
        split_frames(bytearray(b"\0\0\0\2{["))


def test_output_is_compared_but_for_trailing_white_space() -> None:
    assert same_output("1\n2\n", "1 \r\n2\n\n")
    assert not same_output("1\n2\n", "1\n\n2\n")
    assert not same_output("12", "1 2")


def test_the_program_is_taken_out_of_the_response() -> None:
    assert extract_program("def f(): pass") == "def f(): pass"
    text = "First:\n```python\ndef f(): return 1\n```\nthen usage\n```\nprint(f())\n```\n```json\n{}\n```"
    assert extract_program(text, "f").strip() == "def f(): return 1"
    assert extract_program(text).strip() == "print(f())"
    assert extract_program("```python\nx = 1", "f").strip() == "x = 1"


@pytest.mark.parametrize(
    ("expected", "given", "same"),
    [
        ("2.5\n", "2.50", True),
        ("2.5", "2.51", False),
        ("1.0", "1", True),
        ("1", "1.0", True),
        ("7", "007", False),
        ("0.5", "00.5", False),
        ("x 2.5 y", "x 2.5000 y", True),
        ("x 2.5 y", "x  2.5 y", False),
        ("1e3", "1000", False),
        ("1e3.0", "1000", False),
        ("-0.0", "0.0", True),
        ("1.5", "1.5.", False),
    ],
)
def test_printed_decimals_are_compared_by_value_and_the_rest_as_text(expected: str, given: str, same: bool) -> None:
    assert same_output(expected, given) is same


def test_tolerance_and_white_space_are_the_row_s() -> None:
    assert same_output("3.1416", "3.14", tolerance=0.001) and not same_output("3.1416", "3.14", tolerance=0.0001)
    assert same_output("1 2\n3", "1\n2 3", whitespace="words") and not same_output("1 2\n3", "1\n2 3")
    assert same_output("1 ", "1") and not same_output("1 ", "1", whitespace="exact")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"mode": "stdio", "cases": [{"stdin": "", "expected": "x" * (1 << 20) + "x"}]}, "output_mb to 3"),
        ({"mode": "call", "entry": "f", "cases": [{"expected": "x" * (4 << 20)}]}, "no program can pass"),
        ({"mode": "stdio", "cases": [{"stdin": "", "expected": "\ud83d"}]}, "surrogate"),
        ({"mode": "call", "entry": "no name", "cases": [{"expected": 1}]}, "entry is 'no name'"),
        ({"mode": "call", "entry": "f", "tolerance": -1, "cases": [{"expected": 1}]}, "tolerance is -1"),
        ({"mode": "stdio", "whitespace": "some", "cases": [{"stdin": "", "expected": ""}]}, "whitespace is 'some'"),
    ],
)
def test_a_row_that_no_program_can_pass_is_refused_with_the_mend(args: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_code(args)


def test_a_row_may_ask_for_more_output() -> None:
    check_code({"mode": "stdio", "output_mb": 3, "cases": [{"stdin": "", "expected": "x" * (2 << 20)}]})

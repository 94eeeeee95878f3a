"""Compare an answer from inside the sandbox with the expected value, outside it.

Works on the tagged form (inside/wire.py), guided by the expected value: lengths are compared before
contents, and keys and members by a canonical text, so that an answer full of colliding hashes costs no more
than an honest one. Meaning follows Python's `==` (1 == 1.0 == True), with a tolerance where the expected
value is a float, and with lists and tuples alike, because rows come from JSON, which has no tuples.
"""

import json
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rewards.sandbox.inside.wire import ProtocolError, UnsupportedValue, encode

_ABSOLUTE = 1e-9
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9]\d{0,300})(?:\.\d{0,300})?(?:[eE][-+]?\d{1,3})?")
WHITESPACE = ("lines", "words", "exact")
"""`lines`: at the ends of lines and of the text it does not count; `words`: nowhere; `exact`: everywhere."""
MAX_DEPTH = 200


def matches(expected: Any, answer: Any, tolerance: float = 1e-6, depth: int = 0) -> bool:
    """Whether the tagged `answer` equals the plain Python value `expected`."""
    if depth > MAX_DEPTH:
        return False
    if expected is None or isinstance(expected, str):
        return type(answer) is type(expected) and bool(answer == expected)
    if isinstance(expected, (bool, int, float, complex)):
        return _same_number(expected, _number(answer), tolerance)
    if isinstance(expected, (list, tuple)):
        items = _body(answer, "l", "t")
        if items is None or len(items) != len(expected):
            return False
        return all(matches(e, a, tolerance, depth + 1) for e, a in zip(expected, items, strict=True))
    if isinstance(expected, (set, frozenset)):
        items = _body(answer, "s", "z")
        if items is None or len(items) != len(expected):
            return False
        return sorted(map(_canonical, items)) == sorted(_canonical(encode(e)) for e in expected)
    if isinstance(expected, dict):
        return _same_mapping(expected, _body(answer, "d"), tolerance, depth)
    if isinstance(expected, (bytes, bytearray)):
        return bool(_tagged(answer, "b") == bytes(expected).decode("latin-1"))
    raise TypeError(f"expected value of type {type(expected).__name__} is not plain data")


def same_output(expected: str, given: str, tolerance: float = 0.0, whitespace: str = "lines") -> bool:
    """Whether a program's output is the expected one, with white space as `WHITESPACE` says.

    Decimals are compared by value, `2.50` with `2.5`, and to the relative or absolute `tolerance`; anything else is
    text, and so are numbers with leading zeros.
    """
    if whitespace == "exact" or expected == given:
        return expected == given
    lines, other = (_lines(text) if whitespace == "lines" else [text.split()] for text in (expected, given))
    if lines == other:
        return True
    return [len(line) for line in lines] == [len(line) for line in other] and all(
        _same_word(one, two, tolerance)
        for line, line_given in zip(lines, other, strict=True)
        for one, two in zip(line, line_given, strict=True)
    )


def is_plain(value: Any) -> bool:
    """Whether a value of a row can be an argument or an expected value."""
    try:
        encode(value)
    except (UnsupportedValue, RecursionError):
        return False
    return True


def _lines(text: str) -> list[list[str]]:
    """Words and the white space between them, line by line, without what stands at the ends."""
    lines = [re.split(r"(\s+)", line.rstrip()) for line in text.replace("\r\n", "\n").split("\n")]
    while lines and lines[-1] == [""]:
        lines.pop()
    return lines


def _same_word(expected: str, given: str, tolerance: float) -> bool:
    if expected == given:
        return True
    if not (_DECIMAL.fullmatch(expected) and _DECIMAL.fullmatch(given)) or "." not in expected + given:
        return False
    difference = abs(Decimal(expected) - Decimal(given))
    return difference <= Decimal(tolerance) * max(Decimal(1), abs(Decimal(expected)))


def _tagged(answer: Any, tag: str) -> Any:
    return answer.get(tag) if isinstance(answer, dict) and len(answer) == 1 else None


def _body(answer: Any, *tags: str) -> Sequence[Any] | None:
    for tag in tags:
        body = _tagged(answer, tag)
        if isinstance(body, list):
            return body
    return None


def _number(answer: Any) -> complex | float | int | None:
    try:
        if isinstance(answer, bool):
            return int(answer)
        if isinstance(_tagged(answer, "i"), str):
            return int(answer["i"], 16)
        if isinstance(_tagged(answer, "f"), str):
            return float.fromhex(answer["f"])
        parts = _body(answer, "c")
        if parts is not None and len(parts) == 2:
            return complex(float.fromhex(parts[0]), float.fromhex(parts[1]))
    except (ValueError, TypeError, OverflowError) as error:
        raise ProtocolError("a number that cannot be read") from error
    return None


def _same_number(expected: Any, given: Any, tolerance: float) -> bool:
    if given is None:
        return False
    if expected == given:
        return True
    if isinstance(expected, float) and isinstance(given, (int, float)):
        if math.isnan(expected):
            return isinstance(given, float) and math.isnan(given)
        try:
            return math.isclose(expected, given, rel_tol=tolerance, abs_tol=min(_ABSOLUTE, tolerance))
        except OverflowError:
            return False
    return False


def _same_mapping(expected: dict[Any, Any], pairs: Sequence[Any] | None, tolerance: float, depth: int) -> bool:
    """Keys as in Python; a row's text key also stands for an integer key, because JSON has no others."""
    if pairs is None or len(pairs) != len(expected):
        return False
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ProtocolError("a mapping that is no list of pairs")
    given = {_canonical(pair[0]): pair[1] for pair in pairs}
    for key, value in expected.items():
        text = _canonical(encode(key))
        if text not in given and isinstance(key, str) and key.lstrip("-").isdecimal():
            text = _canonical(encode(int(key)))
        if text not in given or not matches(value, given[text], tolerance, depth + 1):
            return False
    return True


def _canonical(answer: Any) -> str:
    """One text per value: True, 1 and 1.0 are the same key in Python."""
    number = _number(answer)
    if isinstance(number, complex) and number.imag == 0:
        number = number.real
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if number is not None:
        return f"n{number:x}" if isinstance(number, int) else f"n{number!r}"
    if isinstance(answer, dict):
        for tag in ("s", "z"):
            members = _body(answer, tag)
            if members is not None:
                return "s[" + ",".join(sorted(map(_canonical, members))) + "]"
        for tag in ("t", "l"):
            items = _body(answer, tag)
            if items is not None:
                return tag + "[" + ",".join(map(_canonical, items)) + "]"
    return json.dumps(answer)

"""What an answer consists of: one value, or several in an order or in none; and inequalities as the intervals they are.

`1, 2`, `x = 1 or x = 2`, `\\{1,2\\}` and `3 \\pm 1` are several values in no order; `(1,2)` and `[1,2)` in theirs. The
halves of a union are values of their own. `x < 5` is `(-\\infty,5)`.
"""

import re
from dataclasses import dataclass
from itertools import accumulate

from rewards.mathematics.notation import AND, OR, parse_number

_WORD_IN_COMMAND = re.compile(rf"(?<=.)\\text(?:rm)?\s*\{{[\s,]*({AND.pattern}|{OR.pattern})\s*\}}", re.IGNORECASE)
_JOINT = re.compile(
    rf"\s*(?:[,;]\s*)?(?:\\cup|\\lor|\\vee|\\quad|(?<=[\s)\]}}\d])(?:{AND.pattern}|{OR.pattern})(?=[\s(\[\\])(?!\s*[=<>]))\s*",
    re.IGNORECASE,
)
_COMMA = re.compile(r"\s*[;,]\s*")
_GROUPING_COMMA = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NAME = r"(?:\\?[A-Za-z]'{0,2}(?:_\{?\w+\}?)?(?:\s*\([A-Za-z]\))?|\([A-Za-z](?:,\s*[A-Za-z])+\))"
_NAMED = re.compile(rf"({_NAME})\s*(?:=|\\in)\s*(.+)", re.DOTALL)
_LESS, _MORE = r"<|\\leq?(?:slant)?(?![A-Za-z])|\\lt", r">|\\geq?(?:slant)?(?![A-Za-z])|\\gt"
_RELATION = re.compile(rf"({_LESS}|{_MORE})")
_OPENING, _CLOSING = "({[", ")}]"


@dataclass(frozen=True)
class Shape:
    """The values of an answer, and the brackets around them (empty for none)."""

    brackets: str
    values: tuple[str, ...]

    @property
    def ordered(self) -> bool:
        """Whether the order of the values counts."""
        return self.brackets not in ("", "{}")


def shape_of(text: str) -> Shape:
    """The values of an answer in plain notation."""
    if parse_number(text) is not None:
        return Shape("", (text,))
    body = text.replace("\\{", "{").replace("\\}", "}").strip()
    named = _NAMED.fullmatch(body)
    if named and "=" not in named[2] and (len(_split(named[2])) > 1 or _is_wrapped(named[2])):
        body = named[2]
    if _is_wrapped(body):
        inner = _pieces(_COMMA, body[1:-1])
        return Shape(body[0] + body[-1], inner) if len(inner) > 1 else Shape("", (text,))
    values = _split(body)
    if len(values) == 1:
        return Shape("", (text,)) if "\\pm" not in text else Shape("", _both_signs(text))
    return Shape("", tuple(one for value in _unnamed(values) for one in _both_signs(value)))


def as_interval(text: str) -> str | None:
    """`x \\ge 2` and `1 < x \\le 4` as intervals in brackets; None for anything else."""
    parts = [part.strip() for part in _RELATION.split(text)]
    less = [re.fullmatch(_LESS, sign) is not None for sign in parts[1::2]]
    if not less or len(set(less)) > 1 or not all(parts):
        return None
    ends, signs = (parts[::2], parts[1::2]) if less[0] else (parts[::-2], parts[-2::-2])
    strict = [sign in ("<", ">", "\\lt", "\\gt") for sign in signs]
    if len(ends) == 3 and re.fullmatch(_NAME, ends[1]):
        low, high, shut = ends[0], ends[2], strict
    elif len(ends) == 2 and re.fullmatch(_NAME, ends[0]):
        low, high, shut = "-\\infty", ends[1], [True, strict[0]]
    elif len(ends) == 2 and re.fullmatch(_NAME, ends[1]):
        low, high, shut = ends[0], "\\infty", [strict[0], True]
    else:
        return None
    if any(re.search(r"(?<![\\A-Za-z])[A-Za-z]", end) for end in (low, high)):
        return None
    return f"{'(' if shut[0] else '['}{low},{high}{')' if shut[1] else ']'}"


def _split(body: str) -> tuple[str, ...]:
    """The pieces between joining words and commas that stand outside brackets."""
    joined = _WORD_IN_COMMAND.sub(r" \1 ", body)
    return tuple(piece for part in _pieces(_JOINT, joined) for piece in _pieces(_COMMA, part, grouping=True))


def _pieces(separator: re.Pattern[str], text: str, grouping: bool = False) -> tuple[str, ...]:
    depths = [0, *accumulate((c in _OPENING) - (c in _CLOSING) for c in text)]
    pieces, start = [], 0
    for match in separator.finditer(text):
        between_digits = grouping and match[0] == "," and _GROUPING_COMMA.match(text, match.start())
        if depths[match.start()] == 0 and not between_digits:
            pieces.append(text[start : match.start()])
            start = match.end()
    pieces.append(text[start:])
    return tuple(stripped for piece in pieces if (stripped := piece.strip()))


def _is_wrapped(body: str) -> bool:
    """Whether one pair of brackets holds the whole text."""
    if len(body) < 2 or body[0] not in _OPENING or body[-1] not in _CLOSING:
        return False
    return [*accumulate((c in _OPENING) - (c in _CLOSING) for c in body), 0].index(0) == len(body) - 1


def _unnamed(values: tuple[str, ...]) -> tuple[str, ...]:
    """`x=2, 3` and `x=2, x=3` without the name, when there is only the one."""
    named = [_NAMED.fullmatch(value) for value in values]
    names = {match[1] for match in named if match}
    if len(names) != 1 or not named[0]:
        return values
    return tuple(match[2].strip() if match else value for match, value in zip(named, values, strict=True))


def _both_signs(value: str) -> tuple[str, ...]:
    if "\\pm" not in value:
        return (value,)
    upper = re.sub(r"\\pm\s*", "+", re.sub(r"\\mp\s*", "-", value)).lstrip("+")
    lower = re.sub(r"\\pm\s*", "-", re.sub(r"\\mp\s*", "+", value))
    return (upper, lower)

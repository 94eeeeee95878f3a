"""Are two answers equal? Exact rationals first, then math-verify with sympy, then a second look at its yes.

Plain numbers (integers, decimals, fractions, thousands separators, decimal commas, percentages) are compared
as exact fractions without any algebra. Everything else is parsed by math-verify 0.9.0 as the content of one
box. Two finite numbers and two polynomials are then decided here, by their value at high precision and by expansion,
which takes a tenth of the time; the rest by math-verify. "Equal" is believed only if

- percent signs, the kind of brackets (set, tuple, interval) and the number of top-level parts agree;
- a plain number is answered by a worked-out value (`37+58` is the question, not the answer 95);
- an equation answers a plain gold only as `name = value` (so `8=7` is not 7);
- two numeric values agree exactly or to 1e-9 relatively (math-verify rounds to six decimals, so 1/2^99 "is"
  1/2^98);
- both sides really parsed (`1-\\frac1{\\mathrm e}` once parsed to 1).

Runs in a child with a deadline (children/); nothing here limits its own time.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Any

from dragoman.text.numerals import normalise_digits

WARM_PAIRS = (
    ("\\frac{1}{2}+\\sqrt{3}", "\\sqrt{3}+0.5"),
    ("x^2+2x+1", "(x+1)^2"),
    ("(1,2)", "(1,2)"),
    ("\\{1,2\\}", "\\{2,1\\}"),
    ("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"),
    ("x=2y", "2y=x"),
    ("\\sin(x)\\cdot\\pi", "\\pi\\sin(x)"),
    ("[0,\\infty)", "[0,\\infty)"),
)
RELATIVE_TOLERANCE = 1e-9
_PROBE_NUMERATORS = (3, 5, 11, 13, 17, 19)

logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns at every call that its time-out is off

_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(?:([,.'   ])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
_PLAIN = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([-+]?\d{1,3}))?")
_FRACTION = re.compile(r"([-+]?)\\[dt]?frac\{(-?\d+)\}\{(-?\d+)\}|([-+]?\d+)/(\d+)")
_WRAPPERS = re.compile(r"\\(?:left|right|displaystyle|,|;|!|:| )|\$")
_UPRIGHT = re.compile(r"\\(?:mathrm|mathbf|mathit|operatorname)\s*(?:\{([a-z]{1,6})\}|\s([a-z]))")
_BARE_FRACTION = re.compile(r"\\[dt]?frac\s*(\d)\s*(\d|\{)|\\[dt]?frac(\{[^{}]*\})\s*(\d)")
_SCIENTIFIC = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*(?:\\times|\\cdot|\*|×)\s*10\s*\^\s*\{?\s*([-+]?\d{1,3})\s*\}?")
_OPERATION = re.compile(
    r"[\w)}\]]\s*[-+*×·÷]|\\(?:times|cdot|div|pm|int|sum|prod|lim|[dt]?binom|gcd|max|min|mod)|!|\)\("
)
_NAME_EQUALS = re.compile(r"\s*\\?[A-Za-z](?:_\{?\w+\}?)?(?:\s*\([^()=]*\))?\s*=\s*([^=]+)")


@dataclass(frozen=True)
class Verdict:
    """Whether two answers are equal, and by which comparison that was found."""

    equal: bool
    reason: str


def equal(gold: str, answer: str) -> Verdict:
    """Whether two LaTeX or plain answers mean the same value."""
    gold, answer = normalise(gold), normalise(answer)
    if not answer:
        return Verdict(False, "empty")
    mismatch = _shape_mismatch(gold, answer)
    if mismatch:
        return Verdict(False, mismatch)
    answer = _right_hand_side(gold, answer)
    left, right = parse_number(gold), parse_number(answer)
    if left is not None and right is not None:
        return Verdict(left == right, "compared as exact fractions")
    if gold == answer:
        return Verdict(True, "same text")
    if left is not None and _OPERATION.search(answer):  # powers, roots, one fraction are final, `3 \times 10^5` too
        return Verdict(False, "not worked out")
    return _compare_expressions(gold, answer)


def is_parsable(gold: str) -> bool:
    """Whether a gold answer means something: a number, or an expression that parses to more than nothing."""
    text = normalise(gold)
    return bool(text) and (parse_number(text) is not None or bool(_parse(text)))


def normalise(text: str) -> str:
    """Digits to ASCII; no spacing commands, dollar signs or final full stop; bare fractions braced."""
    text = _WRAPPERS.sub("", normalise_digits(text)).strip().rstrip(".").strip()
    text = _UPRIGHT.sub(lambda m: m.group(1) or m.group(2), text)
    text = _BARE_FRACTION.sub(_brace_fraction, text)
    return text.replace("{,}", ",").replace("\\%", "%").replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac")


def parse_number(text: str) -> Fraction | None:
    """A plain number as an exact fraction; None when it is anything else. A percentage is its hundredth."""
    percent = text.endswith("%")
    body = text.rstrip("%").strip()
    fraction = _FRACTION.fullmatch(body)
    if fraction:
        sign, top, bottom, plain_top, plain_bottom = fraction.groups()
        numerator, denominator = int(top or plain_top), int(bottom or plain_bottom)
        if denominator == 0:
            return None
        value = Fraction(numerator, denominator) * (-1 if sign == "-" else 1)
    else:
        scientific = _SCIENTIFIC.fullmatch(body)
        plain = _PLAIN.fullmatch(f"{scientific[1]}e{scientific[2]}" if scientific else _ungroup(body))
        if plain is None:
            return None
        value = Fraction(plain.group(1).rstrip(".")) * Fraction(10) ** int(plain.group(2) or 0)
    return value / 100 if percent else value


def _ungroup(body: str) -> str:
    """`1,234.5`, `1 234`, `1'234` -> `1234.5`; a lone comma that cannot group (`0,5`) is a decimal comma."""
    match = _GROUPED.fullmatch(body)
    if match and not (match.group(1) == "." and body.count(".") == 1):
        return body.replace(match.group(1), "").replace(",", ".")
    return body.replace(",", ".") if re.fullmatch(r"[-+]?\d+,\d+", body) else body


def _shape_mismatch(gold: str, answer: str) -> str:
    if ("%" in gold) != ("%" in answer):
        return "one has a percent sign, the other has not"
    if _brackets(gold) != _brackets(answer):
        return f"brackets differ: {_brackets(gold) or 'none'} and {_brackets(answer) or 'none'}"
    if _parts(gold) != _parts(answer):
        return f"{_parts(gold)} parts expected, {_parts(answer)} given"
    return ""


def _brackets(text: str) -> str:
    """The outer brackets of a list of several parts: `{}`, `()`, `[)`, ...; else an empty text."""
    body = text.replace("\\{", "{").replace("\\}", "}").strip()
    if len(body) < 2 or body[0] not in "({[" or body[-1] not in ")}]" or _parts(text) < 2:
        return ""
    return body[0] + body[-1]


def _parts(text: str) -> int:
    """Number of comma- or semicolon-separated parts, inside one pair of outer brackets if there is one."""
    body = text.replace("\\{", "{").replace("\\}", "}").strip()
    if parse_number(body) is not None:
        return 1
    if len(body) >= 2 and body[0] in "({[" and body[-1] in ")}]" and [*_depths(body), 0].index(0) == len(body) - 1:
        body = body[1:-1]
    parts = 1 + sum(c in ",;" and depth == 0 for c, depth in zip(body, _depths(body), strict=True))
    return parts + len(re.findall(r"\s(?:or|and|oder|und|ou|et)\s|\\text\{\s*(?:or|and)\s*\}|\\cup|∪", body))


def _depths(text: str) -> list[int]:
    """How many brackets are open after each character."""
    return list(accumulate((c in "({[") - (c in ")}]") for c in text))


def _right_hand_side(gold: str, answer: str) -> str:
    """`x = 7` answers the gold 7; any other equation is left as it is."""
    match = _NAME_EQUALS.fullmatch(answer)
    return match.group(1).strip() if match and "=" not in gold else answer


def _brace_fraction(match: re.Match[str]) -> str:
    top, rest, braced_top, bottom = match.groups()
    if braced_top:
        return f"\\frac{braced_top}{{{bottom}}}"
    return f"\\frac{{{top}}}{rest if rest == '{' else '{' + rest + '}'}"


def _compare_expressions(gold: str, answer: str) -> Verdict:
    from math_verify import verify
    from sympy.core.relational import Relational

    left, right = _parse(gold), _parse(answer)
    if not left or not right:
        return Verdict(False, "does not parse")
    if isinstance(left[0], Relational) != isinstance(right[0], Relational):
        return Verdict(False, "an equation against a value")
    decided = _decide(left[0], right[0])
    if decided is not None:
        return Verdict(decided, "equal" if decided else "not equal")
    if not verify(list(left), list(right), timeout_seconds=None):
        return Verdict(False, "not equal")
    if not _agrees_closely(left[0], right[0]):
        return Verdict(False, "equal only after rounding")
    return Verdict(True, "equal")


@lru_cache(maxsize=512)
def _parse(text: str) -> tuple[Any, ...]:
    """math-verify's reading of the text as the content of one box."""
    from math_verify import LatexExtractionConfig, parse

    parsed = parse(
        f"\\boxed{{{text}}}",
        extraction_config=[LatexExtractionConfig(boxed_match_priority=0)],
        fallback_mode="no_fallback",
        parsing_timeout=None,  # type: ignore[arg-type]
    )
    return tuple(parsed)


def _decide(left: Any, right: Any) -> bool | None:
    """Equality of two finite numbers, or of two expressions in the same variables; None when it takes more to tell."""
    from sympy import Expr

    if not (isinstance(left, Expr) and isinstance(right, Expr)):
        return None
    if left.is_number and right.is_number:
        return _agrees_closely(left, right) if left.is_finite and right.is_finite else None
    if left.free_symbols != right.free_symbols or len(left.free_symbols) > len(_PROBE_NUMERATORS):
        return None
    return _same_function(left, right)


def _same_function(left: Any, right: Any) -> bool | None:
    """One rational point where they differ is proof that they do; polynomials that agree there are expanded."""
    from sympy import Rational

    symbols = sorted(left.free_symbols, key=str)
    point = {symbol: Rational(_PROBE_NUMERATORS[k], 7) for k, symbol in enumerate(symbols)}
    difference = left - right
    value = difference.subs(point)
    if not value.is_Rational:
        return None
    if value != 0:
        return False
    return bool(difference.expand() == 0) if difference.is_polynomial(*symbols) else None


def _agrees_closely(left: Any, right: Any) -> bool:
    """For two numbers: equal to 1e-9 relatively. Anything that is not a number is left to math-verify."""
    if not (getattr(left, "is_number", False) and getattr(right, "is_number", False)):
        return True
    if left == right:
        return True
    difference = abs((left - right).evalf(30))
    scale = max(abs(left.evalf(30)), abs(right.evalf(30)))
    return bool(difference <= RELATIVE_TOLERANCE * scale)

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

import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rewards.mathematics.notation import bare, parse_number
from rewards.mathematics.shapes import Shape, as_interval, shape_of

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

_OPERATION = re.compile(
    r"[\w)}\]]\s*[-+*×·÷]|\\(?:times|cdot|div|pm|int|sum|prod|lim|[dt]?binom|gcd|max|min|mod)|!|\)\("
)
_NAME_EQUALS = re.compile(r"\s*(?:\\?[A-Za-z]'{0,2}|\\text\{[^{}]*\})(?:_\{?\w+\}?)?(?:\s*\([^()=]*\))?\s*=\s*([^=]+)")
_WORDS = re.compile(
    r"(?:\\(?:text|textbf|mathrm|mathbf|textit)\s*\{)?\(?([^\W\d_](?:[^\d_\\{}()$^=+*/]*[^\W\d_])?)\)?\.?\}?"
)
_MULTIPLE = re.compile(r"[-+]?[\d.]+[A-Za-hj-z]")
_MORE_THAN_A_VALUE = re.compile(r"(?<![\\A-Za-z])[A-Za-df-z](?![a-z]*\})|[\n&#_\[\]<>:]|\\\\")
_MOST_VALUES = 64


@dataclass(frozen=True)
class Verdict:
    """Whether two answers are equal, and by which comparison that was found."""

    equal: bool
    reason: str


def equal(gold: str, answer: str, decimal_comma: bool = True) -> Verdict:
    """Whether two LaTeX or plain answers mean the same.

    `decimal_comma`: whether the answer's `0,5`, which cannot be grouping, may be the gold's 0.5.
    """
    units = _MULTIPLE.fullmatch(gold.strip()) is None  # the gold `7m` is algebra, `24 m` a measure
    gold, answer = bare(gold, units), bare(answer, units)
    if not answer:
        return Verdict(False, "empty")
    if ("%" in gold) != ("%" in answer):
        return Verdict(False, "one has a percent sign, the other has not")
    left = parse_number(gold)
    right = parse_number(answer, decimal_comma and left is not None)
    if left is not None and right is not None:
        return Verdict(left == right, "compared as exact fractions")
    return _compare_values(gold, answer)


def _compare_values(gold: str, answer: str) -> Verdict:
    wanted, given = shape_of(gold), shape_of(answer)
    if any(as_interval(value) for value in (*wanted.values, *given.values)):
        wanted, given = _as_intervals(wanted), _as_intervals(given)
    if len(wanted.values) != len(given.values):
        return Verdict(False, f"{len(wanted.values)} parts expected, {len(given.values)} given")
    if wanted.brackets != given.brackets and (wanted.ordered or given.ordered):
        return Verdict(False, f"brackets differ: {wanted.brackets or 'none'} and {given.brackets or 'none'}")
    if len(wanted.values) == 1:
        return _compare_one(wanted.values[0], given.values[0])
    if len(wanted.values) > _MOST_VALUES:
        return Verdict(gold == answer, "compared as texts, for there are many parts")
    return _compare_in_order(wanted, given) if wanted.ordered else _compare_in_any_order(wanted, given)


def _as_intervals(shape: Shape) -> Shape:
    """The same with each inequality as its interval; a single one is the interval itself."""
    if shape.ordered:
        return Shape("", (f"{shape.brackets[0]}{','.join(shape.values)}{shape.brackets[1]}",))
    return Shape(shape.brackets, tuple(as_interval(value) or value for value in shape.values))


def _compare_in_order(wanted: Shape, given: Shape) -> Verdict:
    for number, (one, other) in enumerate(zip(wanted.values, given.values, strict=True), start=1):
        if not equal(one, other, decimal_comma=False).equal:
            return Verdict(False, f"part {number} differs")
    return Verdict(True, "equal in every part")


def _compare_in_any_order(wanted: Shape, given: Shape) -> Verdict:
    left = list(given.values)
    for value in wanted.values:
        match = next((other for other in left if equal(value, other, decimal_comma=False).equal), None)
        if match is None:
            return Verdict(False, f"{value[:40]!r} is missing")
        left.remove(match)
    return Verdict(True, "equal in every part, in any order")


def _compare_one(gold: str, answer: str) -> Verdict:
    if gold == answer:
        return Verdict(True, "same text")
    if shape_of(gold).values != (gold,) or shape_of(answer).values != (answer,):
        return equal(gold, answer, decimal_comma=False)
    words, said = _WORDS.fullmatch(gold), _WORDS.fullmatch(answer)
    if (words and len(words[1]) > 1) or (said and len(said[1]) > 1):
        same = words is not None and said is not None and words[1].casefold().split() == said[1].casefold().split()
        return Verdict(same, "compared as words")
    if _name_of(gold) and _name_of(answer) and _name_of(gold) != _name_of(answer):
        return Verdict(False, "values of different names")
    gold, answer = _named_number(gold, answer), _right_hand_side(gold, answer)
    if re.fullmatch(r"[\d.]+:[\d.]+(?::\d+)?", gold) or re.fullmatch(r"[\d.]+:[\d.]+(?::\d+)?", answer):
        return Verdict("".join(gold.split()) == "".join(answer.split()), "compared as a ratio or a time")
    left, right = parse_number(gold), parse_number(answer)
    if left is not None and right is not None:
        return Verdict(left == right, "compared as exact fractions")
    if left is not None and _MORE_THAN_A_VALUE.search(
        re.sub(r"\\text\s*\{[^{}]*\}", "", answer)
    ):  # math-verify drops `ab` of `2ab`
        return Verdict(False, "has a variable, or more than a value")
    if left is not None and _OPERATION.search(answer):  # powers, roots, one fraction are final, `3 \\times 10^5` too
        return Verdict(False, "not worked out")
    return _compare_expressions(gold, answer)


def is_parsable(gold: str) -> bool:
    """Whether a gold answer means something: a number, words, or expressions that parse to more than nothing."""
    text = bare(gold)
    values = shape_of(text).values
    return bool(text) and all(
        parse_number(value) is not None or _WORDS.fullmatch(value) or as_interval(value) or bool(_parse(value))
        for value in values
    )


def _right_hand_side(gold: str, answer: str) -> str:
    """`x = 7` answers the gold 7; any other equation is left as it is."""
    match = _NAME_EQUALS.fullmatch(answer)
    return match.group(1).strip() if match and "=" not in gold else answer


def _name_of(text: str) -> str:
    """`x` of `x = 7`; empty for anything but a value of a letter."""
    match = re.fullmatch(r"\s*([A-Za-z])\s*=[^=A-Za-z]+", text)
    return match[1] if match else ""


def _named_number(gold: str, answer: str) -> str:
    """The gold `x = 7` is answered by 7 too."""
    match = _NAME_EQUALS.fullmatch(gold)
    named = match is not None and "=" not in answer and not re.search(r"(?<![\\A-Za-z])[A-Za-z]", match[1])
    return match[1].strip() if match is not None and named else gold


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
        if left.is_finite and right.is_finite:
            return _agrees_closely(left, right)
        return False if left.is_finite or right.is_finite else None
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

"""Refuse, by looking only, what no sane final answer contains: it would make sympy run for hours.

This is a verdict by rule (the answer is wrong), made before any algebra. What gets past it still runs in a
child with a deadline and a memory limit.
"""

import re
from itertools import accumulate

MAX_CHARACTERS = 2000
MAX_DIGITS = 400
MAX_DEPTH = 40
MAX_FACTORIAL = 5000
MAX_EXPONENT = 10_000

_DIGITS = re.compile(rf"\d{{{MAX_DIGITS + 1},}}")
_TOWER = re.compile(r"\^\s*\{?\s*[^{}^]{0,40}\^\s*\{?\s*[^{}^]{0,40}\^|\*\*[^*]{1,20}\*\*[^*]{1,20}\*\*")
_DOUBLE_POWER = re.compile(r"(?:\^|\*\*)[\s{(]*(\d+)\s*(?:\^|\*\*)[\s{(]*(\d+)")
_EXPONENT = re.compile(r"(?:\^|\*\*)\s*[{(]*\s*-?\s*(\d+)")
_FACTORIAL = re.compile(r"(\d+)\s*[)}\]]*\s*!|(?:!|\))\s*!")
_BINOMIAL = re.compile(r"\\[dt]?binom|\\choose|\\Gamma|\\sum|\\prod|\\int|\\lim|\\zeta")
_BIG_LITERAL = re.compile(r"\d{6,}|\^\s*\{?\s*\d{2,}")
_SCIENTIFIC = re.compile(r"\d[eE][-+]?(\d{4,})")
_CODE = re.compile(r"__|\bimport\b|\blambda\b|\bexec\b|\beval\b|\bopen\s*\(")


def screen(answer: str) -> str:
    """Why this text is refused as an answer, or an empty text."""
    if not answer.strip():
        return "it is empty"
    if len(answer) > MAX_CHARACTERS:
        return f"it has more than {MAX_CHARACTERS} characters"
    if _DIGITS.search(answer):
        return f"it has a number of more than {MAX_DIGITS} digits"
    if max(accumulate((c in "({[") - (c in ")}]") for c in answer)) > MAX_DEPTH:
        return f"it is nested more than {MAX_DEPTH} deep"
    if _CODE.search(answer):
        return "it looks like program code"
    return _magnitude_problem(answer)


def _magnitude_problem(answer: str) -> str:
    if _TOWER.search(answer) or _SCIENTIFIC.search(answer):
        return "it is a tower of powers or an exponent beyond reason"
    if any(int(m.group(1)[:12]) > MAX_EXPONENT for m in _EXPONENT.finditer(answer)):
        return f"it has an exponent above {MAX_EXPONENT}"
    for match in _DOUBLE_POWER.finditer(answer):
        base, power = int(match.group(1)[:12]), int(match.group(2)[:12])
        if base > 1 and (power > 20 or base**power > MAX_EXPONENT):
            return f"it has an exponent above {MAX_EXPONENT}"
    for match in _FACTORIAL.finditer(answer):
        if match.group(1) is None or int(match.group(1)[:12]) > MAX_FACTORIAL:
            return f"it has a factorial above {MAX_FACTORIAL}, or of an expression"
    if _BINOMIAL.search(answer) and _BIG_LITERAL.search(answer):
        return "it has a binomial, sum, product or integral over large numbers"
    return ""

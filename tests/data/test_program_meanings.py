"""The prompt of every program means what its reference does.

The English is read again here, by patterns written apart from the families, and each case is recomputed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dragoman.data.quickstart.programs import WORDINGS, cases, programs, request

MEANINGS: list[tuple[str, Callable[..., Any]]] = [
    (r"\w+ plus (\d+)", lambda c, x: x + int(c)),
    (r"\w+ minus (\d+)", lambda c, x: x - int(c)),
    (r"\w+ times (\d+)", lambda c, x: x * int(c)),
    (r"the remainder of \w+ divided by (\d+)", lambda c, x: x - int(c) * (x // int(c))),
    (r"the square of \w+ plus (\d+)", lambda c, x: x**2 + int(c)),
    (r"the larger of \w+ and (\d+)", lambda c, x: x if x > int(c) else int(c)),
    (r"the smaller of \w+ and (\d+)", lambda c, x: x if x < int(c) else int(c)),
    (r"whether \w+ is greater than (\d+)", lambda c, x: not x <= int(c)),
    (r"whether \w+ is less than (\d+)", lambda c, x: not x >= int(c)),
    (r"the square of \w+ minus (\d+)", lambda c, x: x**2 - int(c)),
    (r"the sum of (?!the list)\w+ and [a-z]+ minus (\d+)", lambda c, x, y: y - int(c) + x),
    (r"the product of \w+ and [a-z]+ minus (\d+)", lambda c, x, y: -int(c) + y * x),
    (r"the sum of (?!the list)\w+ and [a-z]+", lambda x, y: y + x),
    (r"the sum of (?!the list)\w+ and [a-z]+ plus (\d+)", lambda c, x, y: int(c) + y + x),
    (r"the product of \w+ and [a-z]+", lambda x, y: y * x),
    (r"the product of \w+ and [a-z]+ plus (\d+)", lambda c, x, y: int(c) + y * x),
    (r"\w+ minus [a-z]+", lambda x, y: -(y - x)),
    (r"\w+ minus [a-z]+ plus (\d+)", lambda c, x, y: int(c) - (y - x)),
    (r"the larger of \w+ and [a-z]+", lambda x, y: sorted((x, y))[1]),
    (r"the smaller of \w+ and [a-z]+", lambda x, y: sorted((x, y))[0]),
    (r"\w+ repeated (\d+) times", lambda c, s: "".join(s for _ in range(int(c)))),
    (r"\w+ followed by the word (\w+)", lambda word, s: "".join((s, word))),
    (r"the word (\w+) followed by \w+", lambda word, s: "".join((word, s))),
    (r"\w+ in upper case", lambda s: "".join(letter.upper() for letter in s)),
    (r"\w+ in lower case", lambda s: "".join(letter.lower() for letter in s)),
    (r"\w+ reversed", lambda s: "".join(reversed(s))),
    (r"the number of characters in \w+", lambda s: sum(1 for _ in s)),
    (r"the first (\d+) characters of \w+", lambda c, s: "".join(s[n] for n in range(min(int(c), len(s))))),
    (r"the sum of the list \w+", lambda xs: sum(reversed(xs))),
    (r"the sum of the list \w+ plus (\d+)", lambda c, xs: sum(xs, int(c))),
    (r"the length of the list \w+", lambda xs: sum(1 for _ in xs)),
    (r"the length of the list \w+ plus (\d+)", lambda c, xs: int(c) + sum(1 for _ in xs)),
    (r"the number of characters in \w+ plus (\d+)", lambda c, s: int(c) + sum(1 for _ in s)),
    (r"the last (\d+) characters of \w+", lambda c, s: "".join(list(s)[max(0, len(s) - int(c)) :])),
    (r"the sum of the list \w+ minus (\d+)", lambda c, xs: sum(xs, -int(c))),
    (r"the length of the list \w+ minus (\d+)", lambda c, xs: sum(1 for _ in xs) - int(c)),
    (r"the first item of the list \w+ plus (\d+)", lambda c, xs: int(c) + next(iter(xs))),
    (r"the last item of the list \w+ plus (\d+)", lambda c, xs: int(c) + next(iter(reversed(xs)))),
    (r"the smallest item of the list \w+ plus (\d+)", lambda c, xs: int(c) + sorted(xs)[0]),
    (r"the first item of the list \w+", lambda xs: next(iter(xs))),
    (r"the last item of the list \w+", lambda xs: next(iter(reversed(xs)))),
    (r"the largest item of the list \w+", lambda xs: sorted(xs)[-1]),
    (r"the largest item of the list \w+ plus (\d+)", lambda c, xs: sorted(xs)[-1] + int(c)),
    (r"the smallest item of the list \w+", lambda xs: sorted(xs)[0]),
]


def test_every_description_means_what_its_cases_expect() -> None:
    used = set()
    for program in programs():
        told = request(program, WORDINGS[0]).split(" that returns ")[1].removesuffix(".")
        matches = [(pattern, re.fullmatch(pattern, told), meaning) for pattern, meaning in MEANINGS]
        ((pattern, match, meaning),) = [found for found in matches if found[1]]
        assert match
        used.add(pattern)
        for case in cases(program):
            assert meaning(*match.groups(), *case["args"]) == case["expected"], told
    assert len(used) == len(MEANINGS)


def test_the_arguments_are_named_in_the_order_they_are_passed() -> None:
    for program in programs():
        for wording in WORDINGS:
            assert f"f({', '.join(program.arguments)})" in request(program, wording)

r"""Small sums and tiny word problems whose answer is a number in \boxed{}.

A `Problem` is an operation and two operands; held-out problems never occur in training under any wording.
The mirrored problem (3 + 5 for 5 + 3) may, so evaluation measures whether the table was learned, not
whether a string was. Wordings in `HELD_OUT_WORDINGS` are for evaluation only.

Flow: `problems()` -> `corpora.templates.split_of` -> `ask(problem, wording, random)` -> a prompt and its
answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random

from corpora.slots import FIRST_NAMES

OBJECTS = ("apples", "books", "coins", "cards", "pens", "eggs", "tickets", "stones")

WORDINGS: dict[str, tuple[str, ...]] = {
    "+": (
        "What is {a} + {b}?",
        "Calculate {a} + {b}.",
        "Add {b} to {a}.",
        "{name} has {a} {objects} and buys {b} more. How many {objects} does {name} have now?",
        "There are {a} {objects} on the table and {b} {objects} in the bag. How many {objects} are there?",
    ),
    "-": (
        "What is {a} - {b}?",
        "Calculate {a} - {b}.",
        "Subtract {b} from {a}.",
        "{name} has {a} {objects} and gives away {b}. How many {objects} does {name} have now?",
        "There are {a} {objects} on the table. {name} takes {b} of them. How many {objects} are left?",
    ),
    "*": (
        "What is {a} * {b}?",
        "Calculate {a} * {b}.",
        "Multiply {a} by {b}.",
        "{name} has {a} bags with {b} {objects} each. How many {objects} does {name} have?",
        "There are {a} boxes with {b} {objects} in each box. How many {objects} are there?",
    ),
}
HELD_OUT_WORDINGS: dict[str, tuple[str, ...]] = {
    "+": ("{name} buys {a} {objects} and {b} more. How many {objects} are there now?",),
    "-": ("There are {a} {objects} in the bag. {name} gives away {b} of them. How many {objects} are left?",),
    "*": ("There are {a} bags on the table with {b} {objects} each. How many {objects} are there?",),
}


@dataclass(frozen=True)
class Problem:
    """One sum: `first operation second`."""

    operation: str
    first: int
    second: int

    @property
    def key(self) -> str:
        """A stable identity."""
        return f"math|{self.first}{self.operation}{self.second}"

    @property
    def result(self) -> int:
        """The answer."""
        if self.operation == "+":
            return self.first + self.second
        return self.first - self.second if self.operation == "-" else self.first * self.second


def problems() -> list[Problem]:
    """Every problem: operands to 16 for sums, to 24 and 12 for differences (never negative), 2 to 11 for products.

    Nearly 600, because a tenth of them is what held-out answers are measured on: rows that ask for the same sum in
    other words are right or wrong together, so a figure is only as sure as the number of different sums allows.
    """
    sums = [Problem("+", a, b) for a, b in product(range(1, 17), repeat=2)]
    differences = [Problem("-", a, b) for a, b in product(range(1, 25), range(1, 13)) if a >= b]
    products = [Problem("*", a, b) for a, b in product(range(2, 12), repeat=2)]
    return sums + differences + products


def question(problem: Problem, wording: str, random: Random) -> str:
    """The prompt of a problem under a wording; names and objects are drawn."""
    return wording.format(
        a=problem.first, b=problem.second, name=random.choice(FIRST_NAMES), objects=random.choice(OBJECTS)
    )


def worked_answer(problem: Problem) -> str:
    r"""The reference answer: the sum, with its result in \boxed{}."""
    return f"{problem.first} {problem.operation} {problem.second} = \\boxed{{{problem.result}}}"

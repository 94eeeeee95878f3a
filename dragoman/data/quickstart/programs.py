"""One-line Python functions described in English, with test cases computed by running the reference.

A `Program` is a family (what it computes), its constant and its argument names. Splits go by the expression: a
function with other argument names is the same function. Families in `HELD_OUT_FAMILIES` combine known ones and occur
in evaluation only. The cases go into the reward's arguments, never into the prompt.

Flow: `programs()` -> `templates.split_of` -> `description`, `source`, `cases`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

INTEGERS: tuple[Any, ...] = (10, 3, -4, 30)
PAIRS: tuple[tuple[Any, Any], ...] = ((10, 4), (2, 7), (-3, 5), (6, 6))
TEXTS: tuple[Any, ...] = ("sun", "Paris", "a B c", "Interpreter 2")
LISTS: tuple[Any, ...] = ([4, 9, 2], [7], [1, 2, 3, 4], [-5, 8])


@dataclass(frozen=True)
class Family:
    """One kind of function: its description and its expression, over argument names and a constant."""

    name: str
    arguments: tuple[tuple[str, ...], ...]
    """Choices of argument names; each choice is one or two names."""
    description: str
    expression: str
    inputs: Sequence[Any]
    """What each case passes; a tuple is several arguments."""
    constants: tuple[Any, ...] = (None,)
    near: bool = False
    """Whether cases stand next to the constant too: only there does `x > 17` differ from `x > 18`"""


ONE = (("x",), ("n",), ("a",), ("k",), ("m",), ("b",), ("p",), ("q",))
TWO = (("x", "y"), ("a", "b"), ("m", "n"), ("p", "q"), ("y", "x"), ("b", "a"), ("n", "m"), ("q", "p"))
TEXT = (("s",), ("text",), ("word",), ("t",), ("line",), ("name",), ("title",), ("w",))
LIST = (("xs",), ("items",), ("values",), ("numbers",), ("data",), ("row",), ("ys",), ("list_a",))
SMALL = tuple(range(2, 41))
FEW = tuple(range(2, 10))
WORDS = (
    "sun", "moon", "tree", "river", "stone", "wind", "fire", "snow", "star", "rain",
    "garden", "music", "window", "winter", "bridge", "market", "silver", "summer", "forest", "paper",
    "kitchen", "letter", "castle", "butter", "engine", "hammer", "jacket", "needle", "pencil", "planet",
)  # fmt: skip

FAMILIES = (
    Family("plus", ONE, "{0} plus {c}", "{0} + {c}", INTEGERS, SMALL),
    Family("minus", ONE, "{0} minus {c}", "{0} - {c}", INTEGERS, SMALL),
    Family("times", ONE, "{0} times {c}", "{0} * {c}", INTEGERS, SMALL),
    Family("remainder", ONE, "the remainder of {0} divided by {c}", "{0} % {c}", INTEGERS, FEW),
    Family("square_plus", ONE, "the square of {0} plus {c}", "{0} * {0} + {c}", INTEGERS, SMALL),
    Family("square_minus", ONE, "the square of {0} minus {c}", "{0} * {0} - {c}", INTEGERS, SMALL),
    Family("larger_constant", ONE, "the larger of {0} and {c}", "max({0}, {c})", INTEGERS, SMALL, near=True),
    Family("smaller_constant", ONE, "the smaller of {0} and {c}", "min({0}, {c})", INTEGERS, SMALL, near=True),
    Family("greater", ONE, "whether {0} is greater than {c}", "{0} > {c}", INTEGERS, SMALL, near=True),
    Family("less", ONE, "whether {0} is less than {c}", "{0} < {c}", INTEGERS, SMALL, near=True),
    Family("sum_two", TWO, "the sum of {0} and {1}", "{0} + {1}", PAIRS),
    Family("sum_two_plus", TWO, "the sum of {0} and {1} plus {c}", "{0} + {1} + {c}", PAIRS, SMALL),
    Family("sum_two_minus", TWO, "the sum of {0} and {1} minus {c}", "{0} + {1} - {c}", PAIRS, SMALL),
    Family("product_two", TWO, "the product of {0} and {1}", "{0} * {1}", PAIRS),
    Family("product_two_plus", TWO, "the product of {0} and {1} plus {c}", "{0} * {1} + {c}", PAIRS, SMALL),
    Family("product_two_minus", TWO, "the product of {0} and {1} minus {c}", "{0} * {1} - {c}", PAIRS, SMALL),
    Family("difference_two", TWO, "{0} minus {1}", "{0} - {1}", PAIRS),
    Family("larger_two", TWO, "the larger of {0} and {1}", "max({0}, {1})", PAIRS),
    Family("smaller_two", TWO, "the smaller of {0} and {1}", "min({0}, {1})", PAIRS),
    Family("repeat", TEXT, "{0} repeated {c} times", "{0} * {c}", TEXTS, FEW),
    Family("append_word", TEXT, "{0} followed by the word {c}", "{0} + '{c}'", TEXTS, WORDS),
    Family("prepend_word", TEXT, "the word {c} followed by {0}", "'{c}' + {0}", TEXTS, WORDS),
    Family("upper", TEXT, "{0} in upper case", "{0}.upper()", TEXTS),
    Family("lower", TEXT, "{0} in lower case", "{0}.lower()", TEXTS),
    Family("reversed", TEXT, "{0} reversed", "{0}[::-1]", TEXTS),
    Family("text_length", TEXT, "the number of characters in {0}", "len({0})", TEXTS),
    Family("text_length_plus", TEXT, "the number of characters in {0} plus {c}", "len({0}) + {c}", TEXTS, SMALL),
    Family("last_characters", TEXT, "the last {c} characters of {0}", "{0}[-{c}:]", TEXTS, FEW),
    Family("first_characters", TEXT, "the first {c} characters of {0}", "{0}[:{c}]", TEXTS, FEW),
    Family("list_sum", LIST, "the sum of the list {0}", "sum({0})", LISTS),
    Family("list_sum_plus", LIST, "the sum of the list {0} plus {c}", "sum({0}) + {c}", LISTS, SMALL),
    Family("list_sum_minus", LIST, "the sum of the list {0} minus {c}", "sum({0}) - {c}", LISTS, SMALL),
    Family("list_length", LIST, "the length of the list {0}", "len({0})", LISTS),
    Family("list_length_plus", LIST, "the length of the list {0} plus {c}", "len({0}) + {c}", LISTS, SMALL),
    Family("list_length_minus", LIST, "the length of the list {0} minus {c}", "len({0}) - {c}", LISTS, SMALL),
    Family("list_first", LIST, "the first item of the list {0}", "{0}[0]", LISTS),
    Family("list_last", LIST, "the last item of the list {0}", "{0}[-1]", LISTS),
    Family("list_first_plus", LIST, "the first item of the list {0} plus {c}", "{0}[0] + {c}", LISTS, SMALL),
    Family("list_last_plus", LIST, "the last item of the list {0} plus {c}", "{0}[-1] + {c}", LISTS, SMALL),
    Family("list_largest", LIST, "the largest item of the list {0}", "max({0})", LISTS),
    Family("list_smallest", LIST, "the smallest item of the list {0}", "min({0})", LISTS),
    Family("list_smallest_plus", LIST, "the smallest item of the list {0} plus {c}", "min({0}) + {c}", LISTS, SMALL),
    Family("difference_two_plus", TWO, "{0} minus {1} plus {c}", "{0} - {1} + {c}", PAIRS, SMALL),
    Family("list_largest_plus", LIST, "the largest item of the list {0} plus {c}", "max({0}) + {c}", LISTS, SMALL),
)
HELD_OUT_FAMILIES = ("difference_two_plus", "list_largest_plus")
WORDINGS = (
    "Write a Python function f({arguments}) that returns {what}.",
    "Define a Python function f({arguments}) which returns {what}.",
    "I need a Python function f({arguments}). It returns {what}.",
    "Give me a Python function f({arguments}) that returns {what}.",
)


@dataclass(frozen=True)
class Program:
    """One function to write."""

    family: Family
    arguments: tuple[str, ...]
    constant: Any

    @property
    def key(self) -> str:
        """What is computed, whatever the arguments are called: `len(_) + 3` of a text or of a list is one function."""
        return "code|" + self.family.expression.format("_", "__", c=self.constant)


def programs() -> list[Program]:
    """Every program of every family."""
    return [
        Program(family, arguments, constant)
        for family in FAMILIES
        for arguments in family.arguments
        for constant in family.constants
    ]


def request(program: Program, wording: str) -> str:
    """The prompt that asks for a program."""
    what = program.family.description.format(*program.arguments, c=program.constant)
    return wording.format(arguments=", ".join(program.arguments), what=what)


def source(program: Program) -> str:
    """The reference solution."""
    body = program.family.expression.format(*program.arguments, c=program.constant)
    return f"def f({', '.join(program.arguments)}):\n    return {body}"


def cases(program: Program) -> list[dict[str, Any]]:
    """Call-mode test cases, {"args": [...], "expected": value}, by running the (own, trusted) reference."""
    namespace: dict[str, Any] = {}
    exec(source(program), namespace)
    calls = [list(given) if isinstance(given, tuple) else [given] for given in program.family.inputs]
    calls += [[program.constant + step] for step in (-1, 0, 1) if program.family.near]
    return [{"args": call, "expected": namespace["f"](*call)} for call in calls]

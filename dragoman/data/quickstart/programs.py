"""One-line Python functions described in English, with test cases computed by running the reference.

A `Program` is a family of programs.yaml (what it computes), its constant and its argument names. Splits go by the
expression: a function with other argument names is the same function. Families in `HELD_OUT_FAMILIES` combine known
ones and occur in evaluation only. The cases go into the reward's arguments, never into the prompt.

Flow: `programs()` -> `templates.split_of` -> `description`, `source`, `cases`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dragoman.settings import Settings
from dragoman.text.tables import read_table


class Family(Settings):
    """One kind of function: its description and its expression, over argument names and a constant."""

    name: str
    arguments: tuple[tuple[str, ...], ...]
    """Choices of argument names; each choice is one or two names."""
    description: str
    expression: str
    inputs: tuple[tuple[Any, ...], ...]
    """The arguments of each case."""
    constants: tuple[int | str | None, ...] = (None,)
    near: bool = False
    """Whether cases stand next to the constant too: only there does `x > 17` differ from `x > 18`"""


def _families() -> Iterator[Family]:
    """The table's families; what several have in common they name."""
    table = read_table(__file__)
    for entry in table["families"]:
        shared = {key: table[key][entry[key]] for key in ("arguments", "inputs", "constants") if key in entry}
        yield Family(**{**entry, **shared})


FAMILIES = tuple(_families())


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
    calls = [list(given) for given in program.family.inputs]
    calls += [[program.constant + step] for step in (-1, 0, 1) if program.family.near]
    return [{"args": call, "expected": namespace["f"](*call)} for call in calls]

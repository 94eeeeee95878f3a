"""The table of instruction constraints: id, the function that checks it, and what its kwargs must look like.

Ids, kwargs and meaning are those of IFEval (Zhou et al. 2023, arXiv 2311.07911) and IFBench (Pyatkin et al.
2025, arXiv 2507.02833). A check is a small pure function `(response, **kwargs) -> bool`; its module says
where it departs from the original and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.text.tables import listed
from rewards.errors import nearest

Check = Callable[..., bool]
Validator = Callable[[Any], str]
"""Says what is wrong with a value, or an empty text."""


IFEVAL_FAMILIES = listed(
    "keywords length_constraints detectable_content detectable_format combination startend change_case punctuation "
    "language"
)
"""First halves of IFEval's ids; the other families are IFBench's."""
RELATIONS = ("less than", "at least")


@dataclass(frozen=True)
class Instruction:
    """A constraint that a response can be checked for, under its id in IFEval or IFBench."""

    id: str
    check: Check
    kwargs: Mapping[str, Validator]
    """Required kwargs."""
    optional: Mapping[str, Validator]


INSTRUCTIONS: dict[str, Instruction] = {}


def instruction(
    id: str, *, optional: Mapping[str, Validator] | None = None, **kwargs: Validator
) -> Callable[[Check], Check]:
    """Register a check under an id with a validator for each of its required and optional kwargs."""

    def add(check: Check) -> Check:
        INSTRUCTIONS[id] = Instruction(id, check, kwargs, optional or {})
        return check

    return add


def find_instruction(id: str) -> Instruction:
    """The instruction of an id; ValueError with the nearest known id."""
    if id not in INSTRUCTIONS:
        raise ValueError(f"unknown instruction id {id!r}{nearest(id, INSTRUCTIONS)}")
    return INSTRUCTIONS[id]


def given_kwargs(kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """IFEval's files carry every kwarg of every instruction, null where it does not apply: those are left
    out.
    """
    return {name: value for name, value in (kwargs or {}).items() if value is not None}


def check_kwargs(id: str, kwargs: Mapping[str, Any] | None) -> None:
    """ValueError naming the instruction, the kwarg and what it must be."""
    found = find_instruction(id)
    validate_kwargs(id, found.kwargs, found.optional, given_kwargs(kwargs))


def validate_kwargs(
    id: str, required: Mapping[str, Validator], optional: Mapping[str, Validator], given: Mapping[str, Any]
) -> None:
    """The same for any table of instructions: no unknown kwarg, none missing, each as its validator wants it."""
    validators = {**required, **optional}
    for name in given:
        if name not in validators:
            raise ValueError(f"{id}: unknown kwarg {name!r}{nearest(name, validators)}")
    for name in required:
        if name not in given:
            raise ValueError(f"{id}: kwarg {name!r} is missing")
    for name, value in given.items():
        problem = validators[name](value)
        if problem:
            raise ValueError(f"{id}: kwarg {name!r} is {value!r:.120}; {problem}")


def a_text(value: Any) -> str:
    """Validators such as this one give what the value must be, or an empty text when it is that."""
    return "" if isinstance(value, str) and value.strip() else "it must be a non-empty text"


def texts(value: Any) -> str:
    """A list of texts, none empty."""
    good = isinstance(value, (list, tuple)) and value and not any(a_text(item) for item in value)
    return "" if good else "it must be a non-empty list of texts"


def a_count(value: Any) -> str:
    """IFBench's files hold counts as 5.0: a whole float is a count."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    good = (whole or (isinstance(value, float) and value.is_integer())) and value >= 0
    return "" if good else "it must be a whole number >= 0"


def a_positive_count(value: Any) -> str:
    """A whole number from 1 on."""
    return "" if not a_count(value) and value > 0 else "it must be a whole number >= 1"


def a_percentage(value: Any) -> str:
    """A number from 0 to 100."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100
    return "" if good else "it must be a number from 0 to 100"


def a_relation(value: Any) -> str:
    """One of IFEval's two relations."""
    return "" if value in RELATIONS else f"it must be one of {', '.join(map(repr, RELATIONS))}"


def a_letter(value: Any) -> str:
    """One visible character."""
    good = isinstance(value, str) and len(value) == 1 and not value.isspace()
    return "" if good else "it must be a single character"


def holds(count: int, relation: str, bound: int) -> bool:
    """`less than` is strict, `at least` is not."""
    return count < bound if relation == "less than" else count >= bound

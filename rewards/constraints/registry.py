"""Tables of instructions that can be checked: id, the function that checks it, and what its kwargs must look like.

`INSTRUCTIONS` are constraints with the ids, kwargs and meaning of IFEval (Zhou et al. 2023, arXiv 2311.07911) and
IFBench (Pyatkin et al. 2025, arXiv 2507.02833). A check is a small pure function `(response, **kwargs) -> bool`; its
module says where it departs from the original and why. Translation instructions have a table of their own
(rewards/translation/instruction_table.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dragoman.text.tables import listed
from rewards.errors import nearest
from rewards.records import Span


@dataclass(frozen=True)
class Finding:
    """A verdict with what a user should know about it."""

    followed: bool | None
    """None where the instruction does not apply"""
    note: str = ""
    spans: tuple[Span, ...] = ()
    """Where the faults are in the response, where the check knows; none when it was followed"""
    share: float | None = None
    """How far it was followed, 0 to 1, where the check grades"""

    @property
    def value(self) -> float | None:
        """The share, or all or nothing; None where the instruction does not apply."""
        return None if self.followed is None else float(self.followed) if self.share is None else self.share


Check = Callable[..., bool | Finding | None]
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
    """An instruction that a response can be checked for."""

    id: str
    check: Check
    required: Mapping[str, Validator]
    """Kwargs with their validators."""
    optional: Mapping[str, Validator]
    needs_source: bool
    """Whether the check compares with the text that was translated."""

    def check_kwargs(self, given: Mapping[str, Any]) -> None:
        """ValueError naming the instruction, the kwarg and what it must be."""
        validators = {**self.required, **self.optional}
        for name in given:
            if name not in validators:
                raise ValueError(f"{self.id}: unknown kwarg {name!r}{nearest(name, validators)}")
        for name in self.required:
            if name not in given:
                raise ValueError(f"{self.id}: kwarg {name!r} is missing")
        for name, value in given.items():
            problem = validators[name](value)
            if problem:
                raise ValueError(f"{self.id}: kwarg {name!r} is {value!r:.120}; {problem}")


class Instructions(dict[str, Instruction]):
    """A table of instructions by id."""

    def register(
        self,
        id: str,
        *,
        needs_source: bool = False,
        optional: Mapping[str, Validator] | None = None,
        **required: Validator,
    ) -> Callable[[Check], Check]:
        """Register the decorated check with a validator for each of its required and optional kwargs."""

        def add(check: Check) -> Check:
            self[id] = Instruction(id, check, required, optional or {}, needs_source)
            return check

        return add

    def find(self, id: str) -> Instruction:
        """The instruction of an id; ValueError with the nearest known id."""
        if id not in self:
            raise ValueError(f"unknown instruction id {id!r}{nearest(id, self)}")
        return self[id]

    def check_kwargs(self, id: str, kwargs: Mapping[str, Any] | None) -> None:
        """ValueError naming the instruction, the kwarg and what it must be."""
        self.find(id).check_kwargs(given_kwargs(kwargs))

    def check_all(self, instructions: Any, has_source: bool = False) -> None:
        """ValueError unless `instructions` is a list of {id, kwargs} of this table that can be checked."""
        if not isinstance(instructions, (list, tuple)) or not instructions:
            raise ValueError("argument 'instructions' must be a non-empty list of {id, kwargs}")
        for item in instructions:
            if not isinstance(item, Mapping) or not isinstance(item.get("id"), str):
                raise ValueError(f"each instruction must be {{id, kwargs}}, not {item!r:.120}")
            self.check_kwargs(item["id"], item.get("kwargs"))
            if self[item["id"]].needs_source and not has_source:
                raise ValueError(f"{item['id']} compares with the source text: give it as argument or column 'source'")


INSTRUCTIONS = Instructions()
instruction, find_instruction, check_kwargs = INSTRUCTIONS.register, INSTRUCTIONS.find, INSTRUCTIONS.check_kwargs


def given_kwargs(kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """The kwargs that are not null: IFEval's files carry every kwarg of every instruction."""
    return {name: value for name, value in (kwargs or {}).items() if value is not None}


def must_be(wanted: str, fits: Callable[[Any], bool]) -> Validator:
    """A validator that says what a value must be, unless it fits."""
    return lambda value: "" if fits(value) else f"it must be {wanted}"


def one_of(*choices: str) -> Validator:
    """A validator that accepts these values."""
    return must_be(f"one of {', '.join(choices)}", choices.__contains__)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


a_text = must_be("a non-empty text", lambda value: isinstance(value, str) and bool(value.strip()))
texts = must_be(
    "a non-empty list of texts",
    lambda value: isinstance(value, (list, tuple)) and len(value) > 0 and not any(map(a_text, value)),
)
a_truth = must_be("true or false", lambda value: isinstance(value, bool))
a_number = must_be("a number", _is_number)
a_count = must_be("a whole number >= 0", lambda value: _is_number(value) and value % 1 == 0 and value >= 0)
"""IFBench's files hold counts as 5.0: a whole float is a count."""
a_positive_count = must_be("a whole number >= 1", lambda value: not a_count(value) and value >= 1)
a_percentage = must_be("a number from 0 to 100", lambda value: _is_number(value) and 0 <= value <= 100)
a_relation = must_be(f"one of {', '.join(map(repr, RELATIONS))}", RELATIONS.__contains__)
a_letter = must_be(
    "a single character", lambda value: isinstance(value, str) and len(value) == 1 and not value.isspace()
)


def holds(count: int, relation: str, bound: int) -> bool:
    """`less than` is strict, `at least` is not."""
    return count < bound if relation == "less than" else count >= bound

"""The table of reward kinds, and the decorator that fills it.

    @reward("keeps_numbers", timeout_s=2)
    def keeps_numbers(response: str, source: str, *, tolerance: float = 0.0) -> float: ...

A kind is a function, how it is run (its deadline, whether it must run in a killable child, whether it is a gate,
whether it takes many checks in one call, or all answers to one prompt, in which Python environment), and how it is
tried before training: the `gold` answer that it pays in full and the `cheats` that it must not pay. Arguments are
injected by name (calling.py). Importing `rewards` registers the built-in kinds; a user's file adds its own
(plugins.py).
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rewards.errors import RewardError, nearest
from rewards.records import Probe, RewardSpec, Row

Function = TypeVar("Function", bound=Callable[..., Any])
ArgsCheck = Callable[[Mapping[str, Any]], None]
Gold = Callable[[RewardSpec, Row], str | None]
"""A response that a row's component pays in full; None when neither its arguments nor the row say one"""
Cheats = Callable[[RewardSpec, Row], Sequence[Probe]]
"""Responses that a lazy verifier would pay"""


@dataclass(frozen=True)
class RewardKind:
    """A registered reward function and how it is run."""

    name: str
    function: Callable[..., Any]
    timeout_s: float = 10.0
    """Deadline of one check, held by the parent."""
    isolated: bool = False
    """Run in a child process that is killed at the deadline (for anything that can hang or crash)."""
    confine: bool = False
    """The child may compute and nothing else: no network, no new processes, no writing of files."""
    gate: bool = False
    """A failed gate (value < 0.5) sets the whole reward to `floor`."""
    floor: float = 0.0
    validate: ArgsCheck | None = None
    """Looks at the arguments when data is loaded; raises ValueError with the reason and what to do."""
    prepare: Callable[..., None] | None = None
    """Runs once in a worker before the first check (warm-up, self-test); an exception refuses the start.

    Parameters it names are filled from the pool's `arguments`.
    """
    batched: bool = False
    """One call for many checks: every argument is a list with one entry per check, and so is the answer."""
    group: bool = False
    """One call for all answers to one prompt: called as a batched function is, and never with another prompt's."""
    batch_size: int | None = None
    """Most checks (of a group kind: prompts) sent to a worker at once; None leaves it to the pool."""
    environment: str | None = None
    """Separate Python environment in which the workers run (environments.py); None is the run's own."""
    gold: Gold | None = None
    cheats: Cheats | None = None

    def __post_init__(self) -> None:
        problem = _contradiction(self)
        if problem:
            raise RewardError(f"reward {self.name!r}: {problem}")


def _contradiction(kind: RewardKind) -> str | None:
    """What is wrong with how a kind is to be run, and what to do."""
    if kind.timeout_s <= 0:
        return f"timeout_s is {kind.timeout_s}; it must be above 0"
    if kind.confine and not kind.isolated:
        return "confine=True needs isolated=True, it confines the child process"
    if kind.isolated and (kind.batched or kind.group or kind.environment):
        return "isolated=True runs one check in a child; drop batched, group and environment"
    if kind.batched and kind.group:
        return "group=True already gives lists, those of one prompt; drop batched"
    if kind.batch_size is not None and kind.batch_size < 1:
        return f"batch_size is {kind.batch_size}; it must be at least 1"
    kinds = {parameter.kind for parameter in inspect.signature(kind.function).parameters.values()}
    if (kind.batched or kind.group) and kinds & {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}:
        return "a batched or group function names its arguments; replace *args and **kwargs"
    return None


_KINDS: dict[str, RewardKind] = {}


def reward(
    name: str,
    *,
    timeout_s: float = 10.0,
    isolated: bool = False,
    confine: bool = False,
    gate: bool = False,
    floor: float = 0.0,
    validate: ArgsCheck | None = None,
    prepare: Callable[..., None] | None = None,
    batched: bool = False,
    group: bool = False,
    batch_size: int | None = None,
    environment: str | None = None,
    gold: Gold | None = None,
    cheats: Cheats | None = None,
) -> Callable[[Function], Function]:
    """Register the decorated function as reward kind `name`; the function itself is returned unchanged.

    The settings are those of `RewardKind`; RewardError when they contradict each other.
    """

    def register_function(function: Function) -> Function:
        register(
            RewardKind(
                name, function, timeout_s=timeout_s, isolated=isolated, confine=confine, gate=gate, floor=floor,
                validate=validate, prepare=prepare, batched=batched, group=group, batch_size=batch_size,
                environment=environment, gold=gold, cheats=cheats,
            )
        )  # fmt: skip
        return function

    return register_function


def each(default: Any) -> Any:
    """Mark a default of a batched function as the default of one check, as in `level: list[float] = each(1.0)`."""
    return default


def register(kind: RewardKind) -> None:
    """Add a kind; the same name from another module is an error, a reload of the same function is not."""
    old = _KINDS.get(kind.name)
    if old is not None and _origin(old) != _origin(kind):
        raise RewardError(
            f"reward kind {kind.name!r} is already registered by {_origin(old)}; give the one in "
            f"{_origin(kind)} another name"
        )
    _KINDS[kind.name] = kind


def find_kind(name: str) -> RewardKind:
    """The registered kind; RewardError with the nearest known name when there is none."""
    if name not in _KINDS:
        raise RewardError(f"unknown reward kind {name!r}{nearest(name, _KINDS)}")
    return _KINDS[name]


def see_groups(specs: Sequence[RewardSpec]) -> bool:
    """Whether one of these components sees all answers to a prompt in one call."""
    return any(spec.kind in _KINDS and _KINDS[spec.kind].group for spec in specs)


def kind_of(function: Callable[..., Any]) -> RewardKind | None:
    """The kind that a function is registered as; None for a plain function."""
    return next((kind for kind in _KINDS.values() if kind.function is function), None)


def known_kinds() -> tuple[str, ...]:
    """Names of all registered kinds, in alphabetical order."""
    return tuple(sorted(_KINDS))


def _origin(kind: RewardKind) -> str:
    return f"{kind.function.__module__}.{kind.function.__qualname__}"

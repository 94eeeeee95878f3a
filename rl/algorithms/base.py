"""What an RL algorithm is, and the table of them."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from dragoman.learner import Objective
from dragoman.learner.packing import Unit
from dragoman.settings import Settings
from rewards.mixing import Mixing
from rl.groups import Sample, ScoredGroup

if TYPE_CHECKING:
    from rl.settings import RlSettings


@dataclass(frozen=True)
class Credit:
    """What an answer is given for its tokens."""

    answer: float
    """For each of its tokens"""
    tokens: np.ndarray | None = None
    """float [T], added to that: what single tokens earned"""

    def per_token(self, count: int) -> np.ndarray:
        """float32 [count], one value for each token of the answer."""
        whole = np.full(count, self.answer)
        return (whole if self.tokens is None else whole + self.tokens).astype(np.float32)

    @property
    def mean(self) -> float:
        """The answer's mean credit, for logs."""
        return self.answer if self.tokens is None or not len(self.tokens) else self.answer + float(self.tokens.mean())


class Algorithm(ABC):
    """An RL algorithm under the settings of a recipe; `mixing` is how components become a reward."""

    Settings: type[Settings] = Settings
    """Of the algorithm alone, from `rl.algorithm_settings`; none by default"""

    def __init__(self, settings: RlSettings, mixing: Mixing = "gated") -> None:
        self.settings, self.mixing = settings, mixing
        self.own = self.Settings.model_validate(settings.algorithm_settings)

    @property
    def token_level(self) -> bool:
        """Whether credit of single tokens reaches the loss; where not, an answer's tokens must have equal credit."""
        return True

    @abstractmethod
    def teaches(self, group: ScoredGroup) -> bool:
        """Whether a group can be trained on; one that cannot is replaced by another."""

    @abstractmethod
    def credit(self, groups: Sequence[ScoredGroup]) -> list[dict[int, Credit]]:
        """For each group of a batch the credit of its answers, by index; those of unknown reward have none."""

    @abstractmethod
    def carries_loss(self, sample: Sample) -> bool:
        """Whether an answer's tokens take part in the loss."""

    @abstractmethod
    def objective(self, units: Sequence[Unit], groups: int) -> Objective:
        """What one optimiser step on the answers of so many groups minimises.

        Each unit is one sequence with the channels `loss_mask`, `advantages`, `behaviour_logprobs` and those of
        `logprob_channels`.
        """

    def frozen_models(self, parent: Path) -> dict[str, Path]:
        """Models the learner must hold beside the policy, by name; `parent` is the checkpoint that RL starts from."""
        return {}

    def logprob_channels(self) -> Mapping[str, str | None]:
        """Channels of log-probs to be computed before a batch's first step: by the named frozen model, or, for None, by
        the policy as it is then."""
        return {}


Kind = TypeVar("Kind", bound=type[Algorithm])
_ALGORITHMS: dict[str, type[Algorithm]] = {}


def register_algorithm(name: str) -> Callable[[Kind], Kind]:
    """Decorator: make an algorithm selectable as `rl.algorithm`."""

    def add(kind: Kind) -> Kind:
        _ALGORITHMS[name] = kind
        return kind

    return add


def find_algorithm(name: str) -> type[Algorithm]:
    """The algorithm of a name; ValueError names the nearest one that is registered."""
    if name not in _ALGORITHMS:
        near = difflib.get_close_matches(name, _ALGORITHMS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else "an extension must register it first"
        raise ValueError(f"rl.algorithm = {name!r} is none of {', '.join(sorted(_ALGORITHMS))}; {hint}")
    return _ALGORITHMS[name]

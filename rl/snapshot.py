"""The controller's part of a snapshot: where the run is and what it has sampled but not trained on.

Written into the same folder as the learner's shards before that folder is renamed into place, so the two
can never disagree. Prompts in flight are kept by number and asked again: seeds depend on the prompt and
the sample, so the answers are drawn from the same random numbers.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

from rl.groups import ScoredGroup

FILE = "controller.pickle"


@dataclass(frozen=True)
class ControllerState:
    """All that a resumed controller needs."""

    step: int
    """Steps done; also the policy version"""
    next_prompt: int
    """Number of the first prompt that was never started"""
    accepted: int
    """Groups accepted so far, trained ones included"""
    buffered: tuple[ScoredGroup, ...]
    """Accepted, not yet trained on"""
    in_flight: tuple[int, ...]
    """Numbers of prompts that were being sampled"""
    usable_share: float
    """The controller's estimate of how many of the groups it starts are usable"""


def write_state(folder: Path, state: ControllerState) -> None:
    """Into a snapshot folder that is not yet published."""
    (folder / FILE).write_bytes(pickle.dumps(state))


def read_state(folder: Path) -> ControllerState:
    """From a published snapshot folder (our own file: unpickling it is safe)."""
    return pickle.loads((folder / FILE).read_bytes())

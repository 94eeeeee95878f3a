"""The controller's part of a snapshot: where the run is and what it has sampled but not trained on.

Written into the same folder as the learner's shards before that folder is renamed into place, so the two
can never disagree. It is taken in the moment in which the learner's copy begins, between two steps, and written with
it while training goes on (`dragoman.learner.checkpoints`). Prompts in flight are kept by number and asked again: seeds
depend on the prompt and the sample, so the answers are drawn from the same random numbers.
"""

import pickle
from dataclasses import dataclass

from dragoman.learner.checkpoints import Snapshots, tag_of
from rl.admission import Admission
from rl.buffer import GroupBuffer
from rl.evaluation import Best, PeriodicEvaluation
from rl.groups import ScoredGroup
from rl.post_editing import Drafts, PostEditedPrompts
from rl.prompts import PromptSource

FILE = "controller.pickle"


@dataclass(frozen=True)
class ControllerState:
    """All that a resumed controller needs."""

    step: int
    """Steps done; also the policy version"""
    next_prompt: int
    accepted: int
    ready: tuple[ScoredGroup, ...]
    in_flight: tuple[int, ...]
    usable_share: float
    drafts: Drafts | None = None
    best: Best | None = None


async def take(
    snapshots: Snapshots,
    step: int,
    buffer: GroupBuffer,
    admission: Admission,
    prompts: PromptSource,
    evaluation: PeriodicEvaluation,
) -> None:
    """Take a snapshot after `step` steps; returns when the learner may go on, and it is written from then on."""
    drafts = prompts.drafts if isinstance(prompts, PostEditedPrompts) else None
    state = ControllerState(
        step, buffer.next_prompt, buffer.accepted, tuple(buffer.ready), tuple(buffer.in_flight), admission.usable_share,
        drafts, evaluation.best,
    )  # fmt: skip
    await snapshots.take(step, {FILE: pickle.dumps(state)})


async def restore(
    snapshots: Snapshots,
    buffer: GroupBuffer,
    admission: Admission,
    prompts: PromptSource,
    evaluation: PeriodicEvaluation,
) -> int:
    """Bring everything back to the newest snapshot; returns the steps done, 0 where there is none.

    The file is our own: unpickling it is safe.
    """
    step = await snapshots.load()
    if step is None:
        evaluation.restore(None)
        return 0
    state: ControllerState = pickle.loads((snapshots.folder / tag_of(step) / FILE).read_bytes())
    buffer.next_prompt, buffer.accepted = state.next_prompt, state.accepted
    buffer.ready, buffer.interrupted = list(state.ready), sorted(state.in_flight)
    admission.usable_share = state.usable_share
    if isinstance(prompts, PostEditedPrompts) and state.drafts is not None:
        prompts.drafts = state.drafts
    evaluation.restore(state.best)
    return state.step

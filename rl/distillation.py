"""On-policy distillation: a larger teacher rates every token of the student's own answers.

    A_t += coefficient * (log pi_T(y_t) - log pi(y_t)),   y ~ pi

Over the student's samples the mean of this difference is the negative reverse KL, per token, and the policy gradient
with this advantage lowers it (arXiv 2306.13649; arXiv 2512.24092 distils so between fine-tuning and reinforcement
learning). log pi is the engine's, under which the answer was drawn, so the estimate is right whatever the learner did
since. The teacher needs the student's tokenizer and nothing else; every learner rank holds it whole.

A teacher answers in the wrong language, too, and reverse KL teaches that: where an answer failed a gate (direction,
copy of the source), the teacher is not heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from dragoman.errors import DragomanError
from dragoman.learner import TokenSequence, Trainer
from dragoman.settings import Settings
from rewards.mixing import GATE_THRESHOLD, part_of
from rl.groups import Sample, ScoredGroup

TEACHER = "teacher"
"""Name of the frozen model"""


class DistillationSettings(Settings):
    """A teacher beside the rewards, or instead of them under `rl.algorithm: distillation`."""

    teacher: str | None = None
    """Folder of a model with the same tokenizer; empty = none."""
    coefficient: float = Field(1.0, gt=0, le=1000)
    """Of the difference of log-probs, beside advantages of about 1."""
    gated: bool = True
    """Leave the teacher out where an answer failed a gate."""


class TeacherError(DragomanError):
    """A teacher that cannot teach this model; the text says why and what to do."""


@dataclass(frozen=True)
class Distillation:
    """Adds the teacher's part to the advantages of a batch."""

    trainer: Trainer
    settings: DistillationSettings
    temperature: float

    async def __call__(
        self, units: Sequence[tuple[TokenSequence]], answers: Sequence[tuple[ScoredGroup, Sample]]
    ) -> tuple[list[tuple[TokenSequence]], dict[str, float]]:
        """The units of these answers with the teacher heard, and what it thought of them."""
        values = await self.trainer.logprobs(units, self.temperature, TEACHER)
        heard = [not self.settings.gated or passes_gates(group, sample) for group, sample in answers]
        taught = [
            (with_teacher(sequence, value, self.settings.coefficient) if listens else sequence,)
            for (sequence,), value, listens in zip(units, values, heard, strict=True)
        ]
        return taught, teacher_metrics([sequence for (sequence,) in units], values, heard)


def passes_gates(group: ScoredGroup, sample: Sample) -> bool:
    """Whether an answer failed no gate of its prompt; one that could not be computed is not failed."""
    parts = [part_of(*pair) for pair in zip(group.visit.prompt.specs, sample.score.components, strict=True)]
    return not any(p.gate and p.result.value is not None and p.result.value < GATE_THRESHOLD for p in parts)


def with_teacher(sequence: TokenSequence, teacher: np.ndarray, coefficient: float) -> TokenSequence:
    """The sequence with coefficient * (teacher - behaviour) added to `advantages` [T] wherever there is loss."""
    channels = sequence.channels
    difference = (teacher - channels["behaviour_logprobs"]) * channels["loss_mask"]
    advantages = channels["advantages"] + coefficient * difference
    return sequence.with_channels({"advantages": advantages.astype(np.float32)})


def teacher_metrics(
    sequences: Sequence[TokenSequence], teacher: Sequence[np.ndarray], heard: Sequence[bool]
) -> dict[str, float]:
    """`reverse_kl`: mean of log pi - log pi_T over all tokens with loss, in nats; and the share of answers heard."""
    masks = [s.channels["loss_mask"] for s in sequences]
    total = sum(
        float(((s.channels["behaviour_logprobs"] - values) * mask).sum())
        for s, values, mask in zip(sequences, teacher, masks, strict=True)
    )
    return {
        "reverse_kl": total / max(1.0, float(sum(mask.sum() for mask in masks))),
        "taught_share": sum(heard) / max(1, len(heard)),
    }


def check_teacher(student: Any, folder: Path) -> None:
    """Raise `TeacherError` unless the model of a folder reads the student's token ids (`student`: its tokenizer)."""
    from dragoman.learner.model import load_tokenizer

    if not (folder / "config.json").is_file():
        raise TeacherError(
            f"rl.distillation.teacher={folder} holds no config.json; name a folder in Hugging Face format"
        )
    own, other = student.get_vocab(), load_tokenizer(folder).get_vocab()
    if own != other:
        piece = min(own.items() ^ other.items(), key=lambda item: item[::-1])[0]
        raise TeacherError(
            f"the teacher {folder} has another tokenizer ({len(other)} pieces against {len(own)}, {piece!r} the first "
            "that differs); take a teacher of the student's own family, or answers of it in fine-tuning"
        )

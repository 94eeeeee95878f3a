"""On-policy distillation: a larger teacher rates the student's own answers, token by token.

    exact:   loss += coefficient * mean_t KL(pi(. | y_<t) || pi_T(. | y_<t)),                   y ~ pi
    sampled: A_t += coefficient * (d_t - mean d),   d_t = log pi_T(y_t) - log pi(y_t)

Both lower the reverse KL at the places where the student's own answers lead (arXiv 2306.13649; arXiv 2512.24092
distils so between fine-tuning and reinforcement learning). `exact` takes the whole vocabulary at each place
(dragoman/learner/head.py): every place says where to go, whatever token was drawn there. `sampled` is the policy
gradient of the drawn tokens alone, as in RL; it needs less memory for a moment, and is far noisier. Its log pi is the
engine's, under which the answer was drawn; the mean taken off keeps a distant student from pushing all tokens down.

The teacher needs the student's tokenizer and nothing else; every learner rank holds it whole. A teacher answers in the
wrong language, too, and reverse KL teaches that: where an answer failed a gate (direction, copy of the source), the
teacher is not heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from dragoman.errors import DragomanError
from dragoman.files import read_json
from dragoman.learner import TokenSequence, Trainer
from dragoman.learner.trainer import TEACHER
from dragoman.settings import Settings
from rewards.mixing import GATE_THRESHOLD, part_of
from rl.groups import Sample, ScoredGroup

TAUGHT = "taught"
"""The channel that is 1 on the answers that hear the teacher"""


class DistillationSettings(Settings):
    """A teacher beside the rewards, or instead of them under `rl.algorithm: distillation`."""

    teacher: str | None = None
    """Folder of a model with the same tokenizer; empty = none."""
    form: Literal["exact", "sampled"] = "exact"
    """The divergence over the whole vocabulary, or of the drawn tokens."""
    coefficient: float = Field(1.0, gt=0, le=1000)
    """Beside a policy loss on advantages of about 1."""
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
        """The units of these answers with what the loss needs to hear the teacher, and metrics of it."""
        heard = [not self.settings.gated or passes_gates(group, sample) for group, sample in answers]
        share = {"taught_share": sum(heard) / max(1, len(heard))}
        sequences = [sequence for (sequence,) in units]
        if self.settings.form == "exact":
            return [(marked(one, listens),) for one, listens in zip(sequences, heard, strict=True)], share
        values = await self.trainer.logprobs(units, self.temperature, TEACHER)
        differences = [log_ratio(*pair) for pair in zip(sequences, values, strict=True)]
        told = [pair for pair, listens in zip(zip(sequences, differences, strict=True), heard, strict=True) if listens]
        centre = masked_mean([d for _, d in told], [s.channels["loss_mask"] for s, _ in told])
        taught = [
            (with_teacher(sequence, difference - centre, self.settings.coefficient) if listens else sequence,)
            for sequence, difference, listens in zip(sequences, differences, heard, strict=True)
        ]
        kl = -masked_mean(differences, [s.channels["loss_mask"] for s in sequences])
        return taught, {"reverse_kl": kl, **share}


def marked(sequence: TokenSequence, heard: bool) -> TokenSequence:
    """The sequence with the channel `taught`."""
    return sequence.with_channels({TAUGHT: np.full(len(sequence.token_ids), heard, np.float32)})


def passes_gates(group: ScoredGroup, sample: Sample) -> bool:
    """Whether an answer failed no gate of its prompt; one that could not be computed is not failed."""
    parts = [part_of(*pair) for pair in zip(group.visit.prompt.specs, sample.score.components, strict=True)]
    return not any(p.gate and p.result.value is not None and p.result.value < GATE_THRESHOLD for p in parts)


def log_ratio(sequence: TokenSequence, teacher: np.ndarray) -> np.ndarray:
    """log pi_T - log pi of each token [T], pi being the engine that sampled."""
    return teacher - sequence.channels["behaviour_logprobs"]


def with_teacher(sequence: TokenSequence, added: np.ndarray, coefficient: float) -> TokenSequence:
    """The sequence with coefficient * `added` [T] on its `advantages` wherever there is loss."""
    channels = sequence.channels
    advantages = channels["advantages"] + coefficient * added * channels["loss_mask"]
    return sequence.with_channels({"advantages": advantages.astype(np.float32)})


def masked_mean(values: Sequence[np.ndarray], masks: Sequence[np.ndarray]) -> float:
    """Mean over the tokens of all sequences with a mask of 1; 0 where there is none."""
    total = sum(float((value * mask).sum()) for value, mask in zip(values, masks, strict=True))
    return total / max(1.0, sum(float(mask.sum()) for mask in masks))


def check_teacher(student: Any, base: Path, folder: Path) -> None:
    """Raise `TeacherError` unless the model of `folder` reads the token ids of the student.

    `student`: its tokenizer; `base`: a folder with its config.
    """
    from dragoman.learner.model import load_tokenizer

    stated = read_json(folder / "config.json")
    if stated is None:
        raise TeacherError(f"rl.distillation.teacher={folder} has no config.json; name a folder in Hugging Face format")
    own, other = student.get_vocab(), load_tokenizer(folder).get_vocab()
    if own != other:
        piece = min(own.items() ^ other.items(), key=lambda item: item[::-1])[0]
        raise TeacherError(
            f"the teacher {folder} has another tokenizer ({len(other)} pieces against {len(own)}, {piece!r} the first "
            "that differs); take a teacher of the student's own family, or answers of it in fine-tuning"
        )
    rows, needed = stated.get("vocab_size", 0), (read_json(base / "config.json") or {}).get("vocab_size", 0)
    if rows < needed:
        raise TeacherError(
            f"the teacher {folder} has {rows} rows in its output head and the student {needed}; set "
            "rl.distillation.form=sampled, or take a teacher with as many"
        )

"""What the group-relative algorithms share: the clipped policy gradient on answers of known reward."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from dragoman.learner import Objective
from dragoman.learner.encoding import loss_tokens
from dragoman.learner.losses import PolicyGradient
from rl.algorithms.base import Algorithm, AnswerUnit
from rl.groups import Sample, ScoredGroup

REFERENCE = "reference"


class PolicyGradientAlgorithm(Algorithm):
    """A subclass says what credit the answers get."""

    def teaches(self, group: ScoredGroup) -> bool:
        """Two known rewards, not all equal under filtering, and an answer to train on."""
        rewards = group.rewards
        if len(rewards) < 2 or not any(map(self.carries_loss, group.samples)):
            return False
        return not self.settings.filter_equal_rewards or self.differs(group)

    def differs(self, group: ScoredGroup) -> bool:
        """Whether the rewards of a group are far enough apart to prefer one answer to another."""
        return max(group.rewards) - min(group.rewards) > self.settings.minimum_spread

    def carries_loss(self, sample: Sample) -> bool:
        """An answer of known reward that is not empty, and not cut off if that masks."""
        done = sample.completion
        cut_off = self.settings.mask_truncated and done.finish_reason == "length"
        return sample.reward is not None and bool(done.token_ids) and not cut_off

    def objective(self, units: Sequence[AnswerUnit], groups: int) -> Objective:
        """The clipped policy gradient, with the KL penalty if there is one."""
        s = self.settings
        loss = PolicyGradient(s.clip_low, s.clip_high, s.importance_correction, s.importance_cap, s.kl_coefficient)
        return Objective(units, loss, self.counts(units, groups), temperature=s.temperature)

    def counts(self, units: Sequence[AnswerUnit], groups: int) -> dict[str, float]:
        """Denominators of the loss: all answer tokens."""
        answers = max(1.0, sum(loss_tokens(sequence) for (sequence,) in units))
        return {"tokens": answers, "answer_tokens": answers}

    def frozen_models(self, parent: Path) -> dict[str, Path]:
        """The parent, where a KL penalty holds the policy near it."""
        return {REFERENCE: parent} if self.settings.kl_coefficient else {}

    def logprob_channels(self) -> Mapping[str, str | None]:
        """The proximal policy where later steps of a batch need it, and the reference."""
        channels: dict[str, str | None] = {}
        if self.settings.mini_batches > 1 and self.settings.importance_correction != "none":
            channels["proximal_logprobs"] = None
        if self.settings.kl_coefficient:
            channels["reference_logprobs"] = REFERENCE
        return channels

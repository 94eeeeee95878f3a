"""What an algorithm's loss is made of, section by section; what a recipe leaves empty is the algorithm's own.

rl:
  algorithm: grpo
  policy_loss: {kind: gspo_token, clip_high: 1.0e-3}
  correction: {kind: mask, level: sequence, cap: 3, floor: 0}
  kl: {coefficient: 0.01, place: reward}
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal

from pydantic import Field, model_validator

from dragoman.learner.losses import Cispo, Clipped, Correction, Gspo, GspoToken, KlPenalty, PolicyLoss, Reinforce
from dragoman.settings import Settings

PolicyLossKind = Literal["clipped", "gspo", "gspo_token", "cispo", "reinforce"]
MeanKind = Literal["tokens", "answers", "constant"]
LOSSES: dict[PolicyLossKind, Any] = {
    "clipped": Clipped, "gspo": Gspo, "gspo_token": GspoToken, "cispo": Cispo, "reinforce": Reinforce,
}  # fmt: skip


class PolicyLossSettings(Settings):
    """What a step maximises."""

    kind: PolicyLossKind | None = None
    """`dragoman.learner.losses.surrogates`; empty = the algorithm's own."""
    mean: MeanKind | None = None
    """Over all answer tokens of the (mini-)batch; over answers, of the means of their tokens; or over a constant, the
    most tokens that the groups could have (Dr. GRPO). Empty = the algorithm's own, else the loss's."""
    clip_low: float | None = Field(None, gt=0, lt=1)
    """Ratios are clipped below 1 - this. Empty = the loss's own: 0.2 of `clipped`, 3e-4 of `gspo` and `gspo_token`."""
    clip_high: float | None = Field(None, gt=0, le=100)
    """And above 1 + this. Empty = 0.28, 4e-4; 4 of `cispo`."""
    dual_clip: float | None = Field(None, gt=1, le=100)
    """Where the advantage is negative ratios count as this at most (arXiv 1912.09729); of `clipped` only."""
    entropy_coefficient: float = Field(0.0, ge=0, le=10)
    """Of a bonus for the mean entropy of the answers' tokens."""

    def surrogate(self, usual: PolicyLossKind) -> PolicyLoss:
        """The policy loss, of kind `usual` where the recipe says nothing; ValueError for a key it does not have."""
        kind = self.kind or usual
        loss, known = LOSSES[kind], {field.name for field in fields(LOSSES[kind])}
        given = {"clip_low": self.clip_low, "clip_high": self.clip_high, "dual_clip": self.dual_clip}
        for name in (name for name, value in given.items() if value is not None and name not in known):
            raise ValueError(f"rl.policy_loss.{name} means nothing to the loss {kind!r}; leave it out")
        return loss(**{name: value for name, value in given.items() if value is not None})


class CorrectionSettings(Settings):
    """Importance weights against the policy that sampled (`dragoman.learner.losses.corrections`)."""

    kind: Literal["none", "truncate", "mask"] = "none"
    """Needed with `staleness` above 0."""
    level: Literal["token", "sequence", "geometric"] = "token"
    """The ratio of each token, the product over an answer, or the geometric mean of its tokens."""
    cap: float = Field(2.0, ge=1, le=100)
    """`truncate` cuts weights here, `mask` drops what weighs more."""
    floor: float | None = Field(None, ge=0, le=1)
    """`mask` drops what weighs less, too; empty = 1 / cap, 0 = nothing (TRL)."""

    @model_validator(mode="after")
    def _mask_lets_some_through(self) -> CorrectionSettings:
        if self.kind == "mask" and self.cap == 1 and self.floor in (None, 1):
            raise ValueError(
                "kind=mask with cap=1 masks every token whose ratio is not 1; set rl.correction.cap above 1, or "
                "rl.correction.kind=truncate"
            )
        if self.floor is not None and self.kind != "mask":
            raise ValueError(
                f"floor means nothing to kind={self.kind}; leave rl.correction.floor out, or set kind=mask"
            )
        return self

    def weighting(self) -> Correction:
        """For the loss."""
        return Correction(self.kind, self.level, self.cap, self.floor)

    def described(self) -> str:
        """In words, for people."""
        of = {"token": "each token", "sequence": "the whole answer", "geometric": "the answer, geometric mean"}
        floor = f"{1 / self.cap:.3g}" if self.floor is None else f"{self.floor:g}"
        return {
            "none": "no importance correction",
            "truncate": f"importance weights of {of[self.level]} cut at {self.cap:g}",
            "mask": f"importance weights of {of[self.level]}, 0 outside {floor} … {self.cap:g}",
        }[self.kind]


class KlSettings(Settings):
    """A penalty for leaving a reference (`dragoman.learner.losses.kl`)."""

    coefficient: float = Field(0.0, ge=0, le=10)
    """0 = none, and no reference model is loaded."""
    estimator: Literal["k1", "k2", "k3"] | None = None
    """Empty = k3 in the loss, k1 in the reward."""
    place: Literal["loss", "reward"] = "loss"
    """A term of the loss, or taken off each token's reward before credit is given for what follows."""
    importance_weighted: bool = False
    """In the loss: times the importance ratio, so that it is unbiased whatever policy sampled (arXiv 2512.02556)."""
    refresh_every: int | None = Field(None, ge=1)
    """The reference becomes the policy every so many steps; empty = it stays the checkpoint that RL began with, which
    under adapters is the model without them and costs nothing."""

    @model_validator(mode="after")
    def _works(self) -> KlSettings:
        if self.importance_weighted and self.place == "reward":
            raise ValueError(
                "importance_weighted is for a penalty in the loss (in the reward rl.correction weighs it with the "
                "rest); leave rl.kl.importance_weighted out"
            )
        if self.estimator == "k1" and self.place == "loss" and not self.importance_weighted:
            raise ValueError(
                "k1 in the loss has no gradient in expectation; set rl.kl.estimator to k2 or k3, "
                "rl.kl.place=reward, or rl.kl.importance_weighted=true"
            )
        return self

    @property
    def in_reward(self) -> bool:
        """Whether rewards carry it."""
        return self.coefficient > 0 and self.place == "reward"

    def penalty(self) -> KlPenalty | None:
        """For the loss; of coefficient 0, for its metric alone, where rewards carry it."""
        if not self.coefficient:
            return None
        coefficient = 0.0 if self.in_reward else self.coefficient
        return KlPenalty(coefficient, self.chosen_estimator(), self.importance_weighted)

    def chosen_estimator(self) -> Literal["k1", "k2", "k3"]:
        """What `estimator` says or leaves open."""
        return self.estimator or ("k1" if self.place == "reward" else "k3")

    def described(self) -> str:
        """In words, for people."""
        if not self.coefficient:
            return "no KL penalty"
        reference = f"the policy of every {self.refresh_every} steps" if self.refresh_every else "the parent"
        weighted = ", importance-weighted" if self.importance_weighted else ""
        return f"{self.coefficient:g} × KL ({self.chosen_estimator()}{weighted}) to {reference} in the {self.place}"


class OverlongSettings(Settings):
    """Soft overlong shaping (DAPO, arXiv 2503.14476): what an answer near the limit loses of its reward."""

    buffer: int | None = Field(None, ge=0)
    """From `max_tokens` - this on the penalty rises linearly, to be whole at `max_tokens`; 0 = none. Empty = the
    algorithm's own: a fifth of `max_tokens` in `dapo`, none in others."""
    penalty: float = Field(1.0, gt=0, le=100)
    """The whole penalty."""

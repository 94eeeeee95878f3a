"""Settings of reinforcement learning."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dragoman.learner import OptimiserSettings
from dragoman.settings import RunOnly, Settings
from pretrain_sft.settings import DirectionReplaySettings, PtxSettings
from rl.distillation import DistillationSettings
from rl.evaluation import PeriodicSettings
from rl.loss_settings import CorrectionSettings, KlSettings, OverlongSettings, PolicyLossSettings
from rl.post_editing import PostEditingSettings
from rl.token_credit import TokenCreditSettings

FLOAT32_AGREEMENT, BFLOAT16_AGREEMENT = 1e-4, 1.0
"""Default thresholds of |log-prob difference|"""


class OpenRlhfSettings(Settings):
    """Of `backend: openrlhf` alone."""

    arguments: dict[str, Any] = Field(default_factory=dict)
    """Arguments of `openrlhf.cli.train_ppo_ray` by name without the dashes, in place of those that the recipe gives
    (true for a flag, false to leave one out): {ds.packing_samples: true, vllm.gpu_memory_utilization: 0.6}"""


class RlSettings(OptimiserSettings):
    """Reinforcement learning with verifiable rewards."""

    moved: ClassVar[dict[str, str]] = {
        "clip_low": "policy_loss.clip_low",
        "clip_high": "policy_loss.clip_high",
        "importance_correction": "correction.kind",
        "importance_cap": "correction.cap",
        "kl_coefficient": "kl.coefficient",
    }

    backend: Literal["dragoman", "openrlhf"] = "dragoman"
    """Whose trainer: the house's own, or OpenRLHF's, which needs GPUs (docs/openrlhf.md)."""
    openrlhf: OpenRlhfSettings = OpenRlhfSettings()
    algorithm: str = "grpo"
    """Who gets credit for what (docs/algorithms.md), or one that an extension registers."""
    algorithm_settings: dict[str, Any] = Field(default_factory=dict)
    """The algorithm's own settings, where it has some."""
    groups_per_step: int = Field(16, ge=1, le=1_000_000)
    samples: int = Field(8, ge=1, le=1024)
    """Answers per prompt, the group of GRPO."""
    temperature: float = Field(1.0, gt=0, le=10)
    max_tokens: int = Field(64, ge=1, le=131_072)
    staleness: int = Field(0, ge=0, le=64)
    """How many versions behind the learner a group may have been started (0 = strictly on-policy)."""
    policy_loss: PolicyLossSettings = PolicyLossSettings()
    correction: CorrectionSettings = CorrectionSettings()
    kl: KlSettings = KlSettings()
    overlong: OverlongSettings = OverlongSettings()
    mini_batches: int = Field(1, ge=1, le=1024)
    """Optimiser steps per batch of groups."""
    filter_equal_rewards: bool = True
    """Replace groups whose rewards are all equal: against each other they teach nothing (DAPO's dynamic sampling)."""
    minimum_spread: float = Field(0.01, gt=0, le=1)
    """Rewards of a group (under gdpo: values of each component) that differ by no more are noise and count as equal."""
    whole_waves: bool = True
    """With staleness 0, start as many groups at once as the share of usable ones calls for, and train on all of these,
    `groups_per_step` or more. Otherwise exactly so many, and each group that is filtered out is replaced by one."""
    max_refill_factor: RunOnly[float] = Field(4.0, ge=1, le=1000)
    """Stop with an error when this many times `groups_per_step` groups in a row were filtered out."""
    mask_truncated: bool | None = None
    """Answers cut off by max_tokens take no part in the loss; empty = unless `overlong` makes them lose reward."""
    agreement_threshold: RunOnly[float | None] = Field(None, gt=0)
    """Largest |log-prob difference| between engine and learner on the same weights before a warning; empty = 1e-4 in
    float32, 1 in bfloat16 (docs/learner.md has what was measured)."""
    agreement_every: RunOnly[int] = Field(20, ge=1)
    """With staleness, engine and learner are compared beside training every so many steps, at the first and last."""
    deadline_s: RunOnly[float] = Field(600.0, gt=0)
    """Longest wait for any one group or step; then the run stops and names what it waited for."""
    watchdog_s: RunOnly[float] = Field(120.0, gt=0)
    """When nothing has moved for so long, the run says what it waits for and writes stacks to `stacks/`."""
    evaluation: PeriodicSettings = PeriodicSettings()
    token_credit: TokenCreditSettings = TokenCreditSettings()
    """What becomes of the spans that rewards mark in an answer."""
    ptx: PtxSettings = PtxSettings()
    direction_replay: DirectionReplaySettings = DirectionReplaySettings()
    distillation: DistillationSettings = DistillationSettings()
    post_editing: PostEditingSettings = PostEditingSettings()

    @model_validator(mode="after")
    def _known_algorithm(self) -> RlSettings:
        from rl.algorithms import find_algorithm

        find_algorithm(self.algorithm)(self).check()
        return self

    @model_validator(mode="after")
    def _distillation_has_a_teacher(self) -> RlSettings:
        if self.algorithm == "distillation" and not self.distillation.teacher:
            raise ValueError("rl.algorithm=distillation needs rl.distillation.teacher, the folder of a larger model")
        return self

    @model_validator(mode="after")
    def _spans_need_tokens(self) -> RlSettings:
        from rl.algorithms import find_algorithm

        if self.token_credit.enabled and not find_algorithm(self.algorithm)(self).token_level:
            raise ValueError(
                f"rl.token_credit.enabled=true needs a credit for every token, and rl.algorithm={self.algorithm} gives "
                "one to the whole answer; set rl.token_credit.enabled to false, or choose another algorithm"
            )
        return self

    @model_validator(mode="after")
    def _stale_needs_correction(self) -> RlSettings:
        if self.staleness > 0 and self.correction.kind == "none":
            raise ValueError(
                f"rl.staleness={self.staleness} trains on answers of older weights; "
                "set rl.correction.kind to truncate or mask, or rl.staleness to 0"
            )
        return self

    @model_validator(mode="after")
    def _auxiliaries_reach_every_mini_batch(self) -> RlSettings:
        for key, beside in (("ptx", self.ptx), ("direction_replay", self.direction_replay)):
            if beside.coefficient and beside.batch_examples < self.mini_batches:
                raise ValueError(
                    f"rl.{key}.batch_examples={beside.batch_examples} cannot be dealt to {self.mini_batches} "
                    f"mini-batches; set rl.{key}.batch_examples to as many or more"
                )
        return self

"""The recipe: every setting of a run. One section for each room that has settings, declared there.

`dragoman.recipes.loading` turns pydantic's findings into sentences that name the key, the value and the allowed range.
"""

from __future__ import annotations

import difflib
from typing import Any, Literal

from pydantic import Field, model_validator

from cluster.tracking import TrackingSettings
from dragoman.data.settings import DataSettings
from dragoman.evaluation.settings import EvaluationSettings, MergeSettings
from dragoman.learner.settings import LearnerSettings, ModelSettings
from dragoman.recipes.sharing import check_colocation, check_transport
from dragoman.rollout.settings import RolloutSettings
from dragoman.settings import RunOnly, Settings
from pretrain_sft.settings import ContinuedSettings, LanguageAwareSettings, PreferenceSettings, SupervisedSettings
from rewards.settings import RewardSettings
from rl.settings import RlSettings

STAGES = ("cpt", "sft", "lat", "preference", "rl")
"""The trained stages that have a section, in their order; `base` (tokenizer and initial weights) precedes them."""
KNOWN_STAGES = (*STAGES, "merge")
"""Those that a recipe may name; `merge` trains nothing and is in none by default"""


class Recipe(Settings):
    """One run, whole."""

    name: RunOnly[str] = Field("quickstart", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: int = Field(0, ge=0, lt=2**31)
    output: RunOnly[str | None] = None
    """Folder that holds run folders; see docs/running.md for the default."""
    extensions: RunOnly[tuple[str, ...]] = ()
    """Modules (`package.module` or `path/to/file.py`) that register stages, algorithms, tasks or data sources."""
    stages: tuple[str, ...] = STAGES
    stage_settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Sections of stages that extensions bring."""
    licences: RunOnly[Literal["any", "commercial"]] = "any"
    """`commercial` refuses models, texts and reward models whose licence forbids commercial use (docs/data.md)."""
    tracking: RunOnly[TrackingSettings] = TrackingSettings()
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings(builder="quickstart")
    learner: LearnerSettings = LearnerSettings()
    rollout: RolloutSettings = RolloutSettings()
    rewards: RewardSettings = RewardSettings()
    cpt: ContinuedSettings = ContinuedSettings()
    sft: SupervisedSettings = SupervisedSettings()
    lat: LanguageAwareSettings = LanguageAwareSettings()
    preference: PreferenceSettings = PreferenceSettings()
    rl: RlSettings = RlSettings()
    merge: MergeSettings = MergeSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def _known_stages(self) -> Recipe:
        named = [("stages", name) for name in self.stages]
        named += [("evaluation.sampled_stages", name) for name in self.evaluation.sampled_stages or ()]
        for key, name in named:
            if name not in KNOWN_STAGES and name not in self.stage_settings:
                near = difflib.get_close_matches(name, KNOWN_STAGES, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "a stage of an extension needs a section there"
                raise ValueError(f"{key}: {name!r} is none of {list(KNOWN_STAGES)} nor of stage_settings; {hint}")
        return self

    @model_validator(mode="after")
    def _engine_and_learner_agree(self) -> Recipe:
        if self.rollout.dtype != self.learner.dtype and not self.rollout.other_dtype:
            raise ValueError(
                f"rollout.dtype={self.rollout.dtype} and learner.dtype={self.learner.dtype} differ, and with them the "
                "log-probs of engine and learner; make them equal, or set rollout.other_dtype=true if that is meant"
            )
        return self

    @model_validator(mode="after")
    def _weights_find_their_way(self) -> Recipe:
        check_colocation(self.learner, self.rollout, self.rl)
        check_transport(self.learner, self.rollout)
        return self

    @model_validator(mode="after")
    def _merge_has_two_ends(self) -> Recipe:
        before = ("base", *self.stages[: self.stages.index("merge")]) if "merge" in self.stages else ()
        if before and self.merge.earlier not in before[:-1]:
            raise ValueError(
                f"merge.earlier={self.merge.earlier!r} must be a stage before {before[-1]!r}, whose model it is merged "
                f"with: {', '.join(before[:-1]) or 'there is none'}"
            )
        return self

    @model_validator(mode="after")
    def _ordered_stages(self) -> Recipe:
        known = [stage for stage in self.stages if stage in KNOWN_STAGES]
        repeated = len(set(self.stages)) < len(self.stages)
        if repeated or known != [stage for stage in KNOWN_STAGES if stage in known]:
            raise ValueError(f"stages must be a subset of {list(KNOWN_STAGES)} in that order, each at most once")
        return self

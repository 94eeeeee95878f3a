"""The stages of a run, one object each: what it reads, what it depends on, what to check, how to build it."""

from dragoman.pipeline.stages.base import Stage, StageMetrics, find_stage, register_stage
from dragoman.pipeline.stages.initial import InitialModel
from dragoman.pipeline.stages.merge import Merge
from dragoman.pipeline.stages.preference import PreferenceOptimisation
from dragoman.pipeline.stages.rl import ReinforcementLearning
from dragoman.pipeline.stages.supervised import ContinuedPretraining, FineTuning, LanguageAwareTuning, SupervisedStage

__all__ = [
    "ContinuedPretraining",
    "FineTuning",
    "InitialModel",
    "LanguageAwareTuning",
    "Merge",
    "PreferenceOptimisation",
    "ReinforcementLearning",
    "Stage",
    "StageMetrics",
    "SupervisedStage",
    "find_stage",
    "register_stage",
]

"""The learner: everything that touches gradients, shared by all training stages.

`LearnerGroup` is the handle a stage holds: it packs sequences into rows (`packing`), deals the rows to the ranks
(`rank`, one Ray actor each, DeepSpeed inside), and sums what they return. Losses are frozen records that are called
(`losses`). `SurvivingLearner` is a group that outlives its ranks. Light to import: torch enters only inside the actors.
"""

from dragoman.learner.group import LearnerGroup
from dragoman.learner.objective import Objective
from dragoman.learner.packing import TokenSequence
from dragoman.learner.settings import LearnerSettings, ModelSettings, OptimiserSettings
from dragoman.learner.survival import SurvivingLearner
from dragoman.learner.trainer import Trainer, WeightSource
from dragoman.learner.value_head import ValueHead

__all__ = [
    "LearnerGroup",
    "LearnerSettings",
    "ModelSettings",
    "Objective",
    "OptimiserSettings",
    "SurvivingLearner",
    "TokenSequence",
    "Trainer",
    "ValueHead",
    "WeightSource",
]

"""RL algorithms, one object each: which groups teach, credit per token, objective, frozen models.

`rl.algorithm` names one. Another is a subclass of `Algorithm`, of `PolicyGradientAlgorithm` or of `GroupRelative`,
registered under a name from a module that the recipe's `extensions` names; nothing here has to be touched.
"""

from rl.algorithms.base import Algorithm, AnswerUnit, Credit, find_algorithm, register_algorithm
from rl.algorithms.distillation import DistillationAlone
from rl.algorithms.gdpo import Gdpo
from rl.algorithms.group_relative import Cispo, Dapo, DrGrpo, GroupRelative, Grpo, Gspo, GspoToken, Rloo
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.algorithms.ppo import Ppo
from rl.algorithms.reinforce_pp import ReinforcePlusPlus, ReinforcePlusPlusBaseline

__all__ = [
    "Algorithm",
    "AnswerUnit",
    "Cispo",
    "Credit",
    "Dapo",
    "DistillationAlone",
    "DrGrpo",
    "Gdpo",
    "GroupRelative",
    "Grpo",
    "Gspo",
    "GspoToken",
    "PolicyGradientAlgorithm",
    "Ppo",
    "ReinforcePlusPlus",
    "ReinforcePlusPlusBaseline",
    "Rloo",
    "find_algorithm",
    "register_algorithm",
]

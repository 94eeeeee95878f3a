"""Losses: frozen records that hold their settings, called on token statistics.

Every loss is a *sum* over tokens or pairs divided by a count taken over the whole optimiser batch (all
micro-batches of all ranks), handed in as `counts`. So the gradient does not depend on how the batch was
cut, packed or dealt (tests/learner/test_invariance.py). Metrics are sums divided by the same counts:
adding them over micro-batches and ranks gives the batch's.

A loss of your own is any picklable callable of this signature; nothing has to be registered. Importing these modules
does not import torch, because the driver makes the records and the ranks call them.
"""

from dragoman.learner.losses.base import Batch, Counts, Loss, LossOutput
from dragoman.learner.losses.corrections import Correction
from dragoman.learner.losses.cross_entropy import CrossEntropy
from dragoman.learner.losses.kl import KlPenalty
from dragoman.learner.losses.kto import Kto
from dragoman.learner.losses.language_aware import LanguageAware
from dragoman.learner.losses.policy_gradient import PolicyGradient
from dragoman.learner.losses.preference import Preference
from dragoman.learner.losses.surrogates import Cispo, Clipped, Gspo, GspoToken, PolicyLoss, Reinforce
from dragoman.learner.losses.values import ValueLoss

__all__ = [
    "Batch",
    "Cispo",
    "Clipped",
    "Correction",
    "Counts",
    "CrossEntropy",
    "Gspo",
    "GspoToken",
    "KlPenalty",
    "Kto",
    "LanguageAware",
    "Loss",
    "LossOutput",
    "PolicyGradient",
    "PolicyLoss",
    "Preference",
    "Reinforce",
    "ValueLoss",
]

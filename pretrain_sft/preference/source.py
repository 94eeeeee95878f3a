"""Batches of pairs, with the parent's log-probs where the loss needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dragoman.data.mixtures import plan_examples
from dragoman.learner import Objective, TokenSequence, Trainer
from dragoman.learner.encoding import answer_sequence, loss_tokens
from dragoman.learner.losses import Kto, Preference
from pretrain_sft.auxiliary import AuxiliarySource
from pretrain_sft.preference.kto import Mismatched, grouped, mismatched_logprobs, mismatched_units
from pretrain_sft.preference.pairs import Pair
from pretrain_sft.settings import PreferenceSettings

Logprobs = tuple[np.ndarray, np.ndarray]
"""Per-token log-probs of a pair's chosen and rejected sequence"""
LOSSES: dict[str, dict[str, Any]] = {
    "dpo": {},
    "wpo": {"weighted": True},
    "ipo": {"term": "squared", "per_token": True},
    "cpo": {"reference": False, "likelihood_weight": 1.0},
    "simpo": {"reference": False, "per_token": True},
    "orpo": {"term": "odds", "reference": False, "per_token": True, "likelihood_weight": 1.0},
}
"""What `Preference` differs in from DPO, by the name in a recipe"""


def preference_loss(settings: PreferenceSettings) -> Preference | Kto:
    """The loss that a recipe asks for."""
    if settings.loss == "kto":
        return Kto(settings.beta, settings.kto_desirable, settings.kto_undesirable)
    chosen = dict(LOSSES[settings.loss])
    if settings.likelihood_weight is not None:
        chosen["likelihood_weight"] = settings.likelihood_weight
    if settings.loss == "simpo":
        chosen["margin"] = settings.simpo_margin
    return Preference(settings.beta, label_smoothing=settings.label_smoothing, **chosen)


@dataclass(frozen=True)
class Reference:
    """The parent's log-probs of every pair."""

    answers: Sequence[Logprobs]
    mismatched: Sequence[Mismatched] = ()
    """KTO's"""


async def reference_of(trainer: Trainer, pairs: Sequence[Pair], settings: PreferenceSettings) -> Reference | None:
    """What the loss needs of the model that the learner holds; None where it needs nothing."""
    if not preference_loss(settings).reference:
        return None
    mismatched = await mismatched_logprobs(trainer, pairs) if settings.loss == "kto" else ()
    return Reference(await pair_logprobs(trainer, pairs), mismatched)


class PreferenceSource:
    """Batches of pairs, and what stands beside them; `heldout` pairs are for measuring."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        reference: Reference | None,
        settings: PreferenceSettings,
        seed: int,
        auxiliary: Sequence[AuxiliarySource] = (),
    ) -> None:
        self.auxiliary = auxiliary
        self.loss = preference_loss(settings)
        self.group = settings.kto_group if settings.loss == "kto" else None
        units = pair_units(pairs, reference)
        self.training = [u for u, p in zip(units, pairs, strict=True) if not p.heldout]
        self.heldout = [u for u, p in zip(units, pairs, strict=True) if p.heldout]
        self.plan = plan_examples(len(self.training), settings.batch_pairs, settings.steps, seed, "pairs")

    def batch(self, step: int) -> list[Objective]:
        """Pairs of one step, and what the recipe sets beside them."""
        pairs = self.objective([self.training[index] for index in self.plan[step]])
        return [pairs, *(beside.objective(step) for beside in self.auxiliary)]

    def objective(self, units: Sequence[tuple[TokenSequence, ...]]) -> Objective:
        """The loss on some pairs."""
        together = units if self.group is None else grouped(units, self.group)
        return Objective(together, self.loss, pair_counts(units))


def pair_units(pairs: Sequence[Pair], reference: Reference | None) -> list[tuple[TokenSequence, ...]]:
    """The sequences of each pair: good and bad answer, for KTO the mismatched ones besides."""
    if reference is None:
        return [pair_sequences(pair) for pair in pairs]
    units: list[tuple[TokenSequence, ...]] = [
        pair_unit(pair, *logprobs) for pair, logprobs in zip(pairs, reference.answers, strict=True)
    ]
    if reference.mismatched:
        more = mismatched_units(pairs, reference.mismatched)
        units = [(*unit, *mismatched) for unit, mismatched in zip(units, more, strict=True)]
    return units


def pair_counts(units: Sequence[tuple[TokenSequence, ...]]) -> dict[str, float]:
    """Denominators of the loss."""
    return {"pairs": float(len(units)), "chosen_tokens": sum(loss_tokens(unit[0]) for unit in units)}


def pair_sequences(pair: Pair) -> tuple[TokenSequence, TokenSequence]:
    """Chosen and rejected as sequences, without reference log-probs."""
    return (
        answer_sequence(pair.prompt_ids, pair.chosen.token_ids, pair.id),
        answer_sequence(pair.prompt_ids, pair.rejected.token_ids, pair.id),
    )


def pair_unit(pair: Pair, chosen: np.ndarray, rejected: np.ndarray) -> tuple[TokenSequence, TokenSequence]:
    """Chosen and rejected with the parent's per-token log-probs, to be packed together."""
    first, second = (
        TokenSequence(s.token_ids, {**s.channels, "reference_logprobs": logprobs}, s.label)
        for s, logprobs in zip(pair_sequences(pair), (chosen, rejected), strict=True)
    )
    return first, second


async def pair_logprobs(trainer: Trainer, pairs: Sequence[Pair]) -> list[Logprobs]:
    """Per-token log-probs of both answers of each pair under the model the learner holds."""
    flat = await trainer.logprobs([(s,) for pair in pairs for s in pair_sequences(pair)])
    return [(flat[2 * k], flat[2 * k + 1]) for k in range(len(pairs))]

"""How often the chosen answer of a pair is the likelier one."""

from collections.abc import Sequence

from dragoman.learner import Trainer
from pretrain_sft.preference.pairs import Pair
from pretrain_sft.preference.source import Logprobs, PreferenceSource, pair_logprobs


async def heldout_metrics(
    trainer: Trainer, source: PreferenceSource, pairs: Sequence[Pair], when: str
) -> dict[str, float]:
    """Accuracy and loss on the held-out pairs, named after `when`."""
    heldout = [pair for pair in pairs if pair.heldout]
    objective = source.objective(source.heldout)
    loss = await trainer.evaluate_loss(objective.units, objective.loss, objective.counts)
    return {
        f"heldout_accuracy_{when}": accuracy(heldout, await pair_logprobs(trainer, heldout)),
        f"heldout_loss_{when}": loss["loss"],
    }


async def heldout_reward_accuracy(trainer: Trainer, pairs: Sequence[Pair], reference: Sequence[Logprobs]) -> float:
    """`reward_accuracy` on the held-out pairs; `reference` are the parent's log-probs of all pairs."""
    parent = [values for values, pair in zip(reference, pairs, strict=True) if pair.heldout]
    return reward_accuracy(await pair_logprobs(trainer, [pair for pair in pairs if pair.heldout]), parent)


def accuracy(pairs: Sequence[Pair], logprobs: Sequence[Logprobs]) -> float:
    """Share of pairs whose chosen answer has the higher mean log-prob per token; ties count half."""
    means = [
        (chosen.sum() / len(pair.chosen.token_ids), rejected.sum() / len(pair.rejected.token_ids))
        for pair, (chosen, rejected) in zip(pairs, logprobs, strict=True)
    ]
    return _share_won(means)


def reward_accuracy(logprobs: Sequence[Logprobs], reference: Sequence[Logprobs]) -> float:
    """Share of pairs whose chosen answer has the higher implicit reward log p - log p_reference; ties count half.

    What DPO trainers log as `rewards/accuracies`. 0.5 by definition before the first step.
    """
    return _share_won(
        [
            (chosen.sum() - old_chosen.sum(), rejected.sum() - old_rejected.sum())
            for (chosen, rejected), (old_chosen, old_rejected) in zip(logprobs, reference, strict=True)
        ]
    )


def _share_won(values: Sequence[tuple[float, float]]) -> float:
    won = sum(0.5 if first == second else float(first > second) for first, second in values)
    return won / max(1, len(values))

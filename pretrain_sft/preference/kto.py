"""KTO's groups of pairs, each with answers to other prompts, which tell how far the policy has drifted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from dragoman.data.rows import DataError
from dragoman.learner import TokenSequence, Trainer
from dragoman.learner.encoding import answer_sequence
from pretrain_sft.preference.pairs import Pair

Mismatched = tuple[np.ndarray, np.ndarray]
"""Per-token log-probs under the parent of a prompt with another one's good and bad answer"""


def partners(pairs: Sequence[Pair]) -> list[int]:
    """For each pair the next one of another prompt, of its own kind (to train on, or held out).

    TRL rotates the answers by one; a pair of the same prompt would be no mismatch. DataError when all pairs of a kind
    have one prompt.
    """
    found = [0] * len(pairs)
    for heldout in (False, True):
        kind = [number for number, pair in enumerate(pairs) if pair.heldout is heldout]
        prompts = [pairs[number].prompt_ids for number in kind]
        other = len(kind)  # the next place with another prompt, sought from the end of the list taken twice
        for place in range(2 * len(kind) - 1, -1, -1):
            here = place % len(kind)
            following = (place + 1) % len(kind)
            other = following if prompts[following] != prompts[here] else other
            if place < len(kind):
                if other == len(kind):
                    raise DataError(
                        f"all {len(kind)} {'held-out' if heldout else 'training'} pairs answer one prompt; KTO needs "
                        "answers to others for its KL estimate, so add prompts or take another preference.loss"
                    )
                found[kind[here]] = kind[other]
    return found


def mismatched_sequences(pair: Pair, other: Pair) -> tuple[TokenSequence, TokenSequence]:
    """The prompt of one pair with the answers of another."""
    good, bad = (
        answer_sequence(pair.prompt_ids, answer.token_ids, pair.id) for answer in (other.chosen, other.rejected)
    )
    return good, bad


async def mismatched_logprobs(trainer: Trainer, pairs: Sequence[Pair]) -> list[Mismatched]:
    """Of the mismatched answers of each pair under the model that the learner holds."""
    others = partners(pairs)
    sequences = [s for pair, other in zip(pairs, others, strict=True) for s in mismatched_sequences(pair, pairs[other])]
    flat = await trainer.logprobs([(s,) for s in sequences])
    return [(flat[2 * k], flat[2 * k + 1]) for k in range(len(pairs))]


def mismatched_units(
    pairs: Sequence[Pair], reference: Sequence[Mismatched]
) -> list[tuple[TokenSequence, TokenSequence]]:
    """The mismatched sequences of each pair with their reference log-probs."""
    units = []
    for pair, other, logprobs in zip(pairs, partners(pairs), reference, strict=True):
        good, bad = (
            replace(s, channels={**s.channels, "reference_logprobs": values})
            for s, values in zip(mismatched_sequences(pair, pairs[other]), logprobs, strict=True)
        )
        units.append((good, bad))
    return units


def grouped(units: Sequence[tuple[TokenSequence, ...]], size: int) -> list[tuple[TokenSequence, ...]]:
    """Units of a batch joined to groups of `size`; every token carries its group's number."""
    return [
        tuple(_numbered(s, number) for unit in units[begin : begin + size] for s in unit)
        for number, begin in enumerate(range(0, len(units), size))
    ]


def _numbered(sequence: TokenSequence, number: int) -> TokenSequence:
    group = np.full(len(sequence.token_ids), number, np.float32)
    return replace(sequence, channels={**sequence.channels, "group": group})

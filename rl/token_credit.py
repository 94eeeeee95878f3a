"""Credit of single tokens, from the spans that rewards mark in an answer.

    spans -> weighted (rewards/mixing.py) -> values of tokens (token_map.py) -> added to the answer's advantage, which
          each of its tokens has -> the sum standardised over the batch

TranslateGemma (arXiv 2601.09012) does so: the advantage of the sequence broadcast, the values of spans added, the sum
normalised over the batch and not within a group. How it spreads a value over a span's tokens it does not say. A
sequence reward of wide scale drowns the spans in the sum; the step's metrics have both shares:

- `credit/sequence`, `credit/spans`: mean absolute value over the tokens trained on, before normalisation;
- `credit/marked_tokens`: share of these tokens that spans give something.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dragoman.settings import Settings
from rewards.mixing import credited_spans
from rewards.records import Span
from rl.algorithms import Algorithm, Credit
from rl.groups import Sample, ScoredGroup
from rl.token_map import Decode, token_ranges, token_values

Credits = Sequence[Mapping[int, Credit]]
"""For each group of a batch the credit of its answers, by index"""


class TokenCreditSettings(Settings):
    """Whether and how spans become credit."""

    enabled: bool = False
    """Off, spans are logged and shown, and nothing is learnt from them."""
    spread: Literal["even", "whole"] = "even"
    """A span's value dealt evenly over its tokens, or given whole to each."""
    normalise: bool = True
    """Standardise the sum over all tokens that the batch trains on."""


@dataclass(frozen=True)
class TokenCredit:
    """Adds what spans are worth to what an algorithm credits."""

    algorithm: Algorithm
    decode: Decode

    @property
    def settings(self) -> TokenCreditSettings:
        """The recipe's."""
        return self.algorithm.settings.token_credit

    def teaches(self, group: ScoredGroup) -> bool:
        """Whether a group can be trained on: where answers earned the same, spans still say which tokens did not."""
        if self.algorithm.teaches(group) or not self.settings.enabled:
            return self.algorithm.teaches(group)
        return len(group.rewards) > 1 and any(_spans(group, sample) for sample in self._trained(group))

    def __call__(self, groups: Sequence[ScoredGroup], credits: Credits) -> tuple[Credits, dict[str, float]]:
        """The credits with those of spans, and both shares as metrics; unchanged, and none, when switched off."""
        if not self.settings.enabled:
            return credits, {}
        added = [
            {sample.index: self._added(group, sample, given[sample.index]) for sample in group.known}
            for group, given in zip(groups, credits, strict=True)
        ]
        trained = [
            (credit[sample.index], len(sample.completion.token_ids))
            for group, credit in zip(groups, added, strict=True)
            for sample in self._trained(group)
        ]
        return (normalised(added, trained) if self.settings.normalise else added), shares(trained)

    def _added(self, group: ScoredGroup, sample: Sample, credit: Credit) -> Credit:
        spans, done = _spans(group, sample), sample.completion
        if not spans:
            return credit
        ranges = token_ranges(self.decode, done.token_ids, done.text)
        values = token_values(ranges, spans, self.settings.spread)
        return Credit(credit.answer, values if credit.tokens is None else credit.tokens + values)

    def _trained(self, group: ScoredGroup) -> list[Sample]:
        return [sample for sample in group.known if self.algorithm.carries_loss(sample)]


def shares(trained: Sequence[tuple[Credit, int]]) -> dict[str, float]:
    """How much of the credit is the sequence's and how much the spans'; see the module note."""
    total = max(1, sum(count for _, count in trained))
    marked = [credit.tokens for credit, _ in trained if credit.tokens is not None]
    return {
        "credit/sequence": sum(abs(credit.answer) * count for credit, count in trained) / total,
        "credit/spans": float(sum(np.abs(tokens).sum() for tokens in marked)) / total,
        "credit/marked_tokens": float(sum(np.count_nonzero(tokens) for tokens in marked)) / total,
    }


def normalised(credits: Credits, trained: Sequence[tuple[Credit, int]], eps: float = 1e-6) -> Credits:
    """All credits less the mean of the trained tokens', over their population standard deviation."""
    if not trained:
        return credits
    values = np.concatenate([credit.per_token(count) for credit, count in trained], dtype=np.float64)
    mean, scale = float(values.mean()), float(values.std()) + eps
    return [
        {
            index: Credit((c.answer - mean) / scale, None if c.tokens is None else c.tokens / scale)
            for index, c in given.items()
        }
        for given in credits
    ]


def _spans(group: ScoredGroup, sample: Sample) -> list[Span]:
    return credited_spans(group.visit.prompt.specs, sample.score)

"""What to train on at each step: mixtures with token quotas, planned in advance and without state.

`MixturePlan` decides, from lengths alone, which documents make up each optimiser step. Each source has a
share of the *tokens* (Tower+ mixes 66 % monolingual, 33 % parallel, 1 % instruction-like, by tokens); a
source that runs out starts its next epoch in a new order. The plan is a pure function of its arguments, so
a resumed run reads on exactly where it stopped, and nothing is read twice within an epoch. It holds how far each
source has come at each step, and the order of one epoch of each: a few bytes a step and a document.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import numpy as np

Choice = tuple[str, int]
"""A source's name and the index of one of its documents."""
Lengths = Sequence[int] | np.ndarray
"""Tokens of each document of a source, [n]"""


class MixturePlan:
    """After every step each source is within one document of its quota.

    Raises ValueError when a source with a share has no documents.
    """

    def __init__(
        self, lengths: Mapping[str, Lengths], shares: Mapping[str, float], batch_tokens: int, steps: int, seed: int
    ) -> None:
        empty = [name for name, share in shares.items() if share > 0 and not len(lengths.get(name, ()))]
        if empty:
            raise ValueError(f"no documents in {', '.join(empty)}, which the mixture gives a share of the tokens")
        names = [name for name, share in shares.items() if share > 0]
        self.streams = {name: _Stream(name, np.asarray(lengths[name], np.int64), seed) for name in names}
        self.ends = {name: np.zeros(steps + 1, np.int64) for name in names}
        """Documents taken before each step"""
        for step in range(steps):
            taken = 0
            for name, stream in self.streams.items():
                quota = shares[name] * batch_tokens * (step + 1)
                end = stream.documents_until(quota, int(self.ends[name][step]))
                if name == names[-1] and not taken and end == self.ends[name][step]:
                    end += 1  # a step is never empty
                self.ends[name][step + 1] = end
                taken += end - int(self.ends[name][step])

    def step(self, step: int) -> list[Choice]:
        """The documents of a step (0-based)."""
        return [
            (name, stream.document(place))
            for name, stream in self.streams.items()
            for place in range(self.ends[name][step], self.ends[name][step + 1])
        ]

    def shares(self) -> dict[str, float]:
        """The share of all tokens that each source has, as it came out."""
        taken = {name: stream.tokens(int(self.ends[name][-1])) for name, stream in self.streams.items()}
        return {name: tokens / sum(taken.values()) for name, tokens in taken.items()}


class _Stream:
    """A source's documents, epoch after epoch."""

    def __init__(self, name: str, lengths: np.ndarray, seed: int) -> None:
        self.name, self.lengths, self.seed = name, lengths, seed
        self.total = int(lengths.sum())
        self._epoch = -1
        self._order = self._sums = np.zeros(0, np.int64)

    def document(self, place: int) -> int:
        """Its index; `place` counts over all epochs."""
        epoch, within = divmod(place, len(self.lengths))
        self._open(epoch)
        return int(self._order[within])

    def tokens(self, places: int) -> int:
        """Of so many documents from the beginning."""
        epoch, within = divmod(places, len(self.lengths))
        self._open(epoch)
        return epoch * self.total + (int(self._sums[within - 1]) if within else 0)

    def documents_until(self, quota: float, taken: int) -> int:
        """The fewest documents, `taken` or more, that have `quota` tokens."""
        count, epoch = len(self.lengths), taken // len(self.lengths)
        if self.total:
            while (epoch + 1) * self.total < quota:
                epoch += 1
        if epoch > taken // count:
            taken = epoch * count
        if self.tokens(taken) >= quota:
            return taken
        self._open(epoch)
        return max(taken, epoch * count + int(np.searchsorted(self._sums, quota - epoch * self.total)) + 1)

    def _open(self, epoch: int) -> None:
        if epoch != self._epoch:
            self._order = np.asarray(_order(self.name, len(self.lengths), self.seed, epoch), np.int64)
            self._sums, self._epoch = np.cumsum(self.lengths[self._order]), epoch


def tempered(tokens: Mapping[str, float], temperature: float) -> dict[str, float]:
    """Shares of languages that sum to 1: each in proportion to its tokens to the power of 1 / `temperature` (mBERT and
    XLM-R, arXiv 1911.02116: exponent 0.7 and 0.3; mT5, arXiv 2010.11934: 0.3). 1 leaves them as they are."""
    raised = {name: count ** (1 / temperature) for name, count in tokens.items() if count}
    return {name: value / sum(raised.values()) for name, value in raised.items()}


def plan_examples(count: int, batch: int, steps: int, seed: int, name: str = "examples") -> list[list[int]]:
    """Indices of `batch` examples for each step, epoch after epoch."""
    stream = _epochs(name, count, seed)
    return [[next(stream) for _ in range(batch)] for _ in range(steps)]


def counts_by_share(shares: Mapping[str, float], total: int) -> dict[str, int]:
    """`total` dealt by shares that sum to 1: each within one of its share, the largest remainders rounded up."""
    exact = {name: share * total for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda name: counts[name] - exact[name])[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _epochs(name: str, count: int, seed: int) -> Iterator[int]:
    epoch = 0
    while True:
        yield from _order(name, count, seed, epoch)
        epoch += 1


def _order(name: str, count: int, seed: int, epoch: int) -> list[int]:
    order = list(range(count))
    Random(f"{seed}/{name}/{epoch}").shuffle(order)
    return order

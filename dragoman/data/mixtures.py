"""What to train on at each step: mixtures with token quotas, planned in advance and without state.

`plan_mixture` decides, from lengths alone, which documents make up each optimiser step. Each source has a
share of the *tokens* (Tower+ mixes 66 % monolingual, 33 % parallel, 1 % instruction-like, by tokens); a
source that runs out starts its next epoch in a new order. The plan is a pure function of its arguments, so
a resumed run reads on exactly where it stopped, and nothing is read twice within an epoch.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

Choice = tuple[str, int]
"""A source's name and the index of one of its documents."""


def plan_mixture(
    lengths: Mapping[str, Sequence[int]], shares: Mapping[str, float], batch_tokens: int, steps: int, seed: int
) -> list[list[Choice]]:
    """Documents of each step. After every step each source is within one document of its quota.

    Raises ValueError when a source with a share has no documents.
    """
    empty = [name for name, share in shares.items() if share > 0 and not lengths.get(name)]
    if empty:
        raise ValueError(f"no documents in {', '.join(empty)}, which the mixture gives a share of the tokens")
    names = [name for name, share in shares.items() if share > 0]
    streams = {name: _epochs(name, len(lengths[name]), seed) for name in names}
    taken = dict.fromkeys(names, 0.0)
    plan = []
    for step in range(steps):
        chosen: list[Choice] = []
        for name in names:
            quota = shares[name] * batch_tokens * (step + 1)
            while taken[name] < quota or (not chosen and name == names[-1]):  # a step is never empty
                index = next(streams[name])
                chosen.append((name, index))
                taken[name] += lengths[name][index]
        plan.append(chosen)
    return plan


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
        order = list(range(count))
        Random(f"{seed}/{name}/{epoch}").shuffle(order)
        yield from order
        epoch += 1

"""What commands outside of a run score with, and how they tell how far they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cluster.progress import Progress
from dragoman.evaluation.local_scorer import LocalScorer, all_light
from dragoman.pipeline.run_folder import CODE
from rewards.records import Scorer


@contextmanager
def scorer_for(kinds: set[str], name: str) -> Iterator[Scorer]:
    """A scorer in this process, or one with actors where a kind needs them; they end with the block."""
    if all_light(kinds):
        yield LocalScorer()
        return
    from cluster.connection import connect_once
    from rewards import RewardPools

    connect_once(CODE)
    pools: Any = RewardPools(run_name=name)
    try:
        yield pools
    finally:
        pools.close()


def told_by_bars() -> Callable[[str, int, int], None]:
    """Tells of titles how many of how many are done, each by a bar of its own."""
    bars: dict[str, Progress] = {}

    def told(title: str, done: int, total: int) -> None:
        if title not in bars:
            bars[title] = Progress(title, total, start=done)
        bars[title].total = total
        bars[title].update(done)
        if done >= total:
            bars[title].close()

    return told

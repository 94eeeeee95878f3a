"""The endless stream of prompts, addressed by number: prompt n is the same in every run of a seed.

Each epoch visits every prompt once in a new order.
"""

from collections.abc import Collection, Sequence
from random import Random

from dragoman.data.rows import Prompt
from rl.groups import PromptVisit, ScoredGroup


class PromptSource:
    """Prompts of a data file with their token ids."""

    def __init__(self, prompts: Sequence[Prompt], token_ids: Sequence[Sequence[int]], seed: int) -> None:
        self.prompts, self.token_ids, self.seed = prompts, [tuple(ids) for ids in token_ids], seed
        self._orders: dict[int, list[int]] = {}

    def visit(self, number: int) -> PromptVisit:
        """Prompt `number` (0-based) of the stream."""
        epoch, place = divmod(number, len(self.prompts))
        index = self._order(epoch)[place]
        return PromptVisit(number, self.prompts[index], self.token_ids[index])

    def observe(self, groups: Sequence[ScoredGroup], running: Collection[int]) -> None:
        """Hear which groups a step trained on, and which visits are being sampled now: nothing depends on them here."""

    def _order(self, epoch: int) -> list[int]:
        if epoch not in self._orders:
            order = list(range(len(self.prompts)))
            Random(f"{self.seed}/prompts/{epoch}").shuffle(order)
            self._orders = {epoch: order}
        return self._orders[epoch]

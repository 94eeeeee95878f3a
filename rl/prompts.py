"""The endless stream of prompts, addressed by number: prompt n is the same in every run of a seed.

Each epoch visits every row once in a new order. A prompt that leaves no room for an answer is an error
before any compute is spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from dragoman.data.rows import Row
from dragoman.learner.encoding import check_lengths, encode_prompts
from rl.groups import PromptTask


class PromptSource:
    """Prompts of a data file."""

    def __init__(self, rows: Sequence[Row], tokenizer: Any, *, room: int, seed: int) -> None:
        """`room`: the longest prompt that leaves space for an answer, in tokens."""
        self.rows, self.seed = list(rows), seed
        self.prompts = [tuple(ids) for ids in encode_prompts(tokenizer, [row["messages"] for row in self.rows])]
        self._orders: dict[int, list[int]] = {}
        check_lengths(self.rows, self.prompts, room, "rl.max_tokens")

    def prompt(self, number: int) -> PromptTask:
        """Prompt `number` (0-based) of the stream."""
        epoch, place = divmod(number, len(self.rows))
        index = self._order(epoch)[place]
        row = self.rows[index]
        return PromptTask(number, row["id"], row, self.prompts[index], row.get("task", "other"))

    def _order(self, epoch: int) -> list[int]:
        if epoch not in self._orders:
            order = list(range(len(self.rows)))
            Random(f"{self.seed}/prompts/{epoch}").shuffle(order)
            self._orders = {epoch: order}
        return self._orders[epoch]

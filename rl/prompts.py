"""The endless stream of prompts, addressed by number: prompt n is the same in every run of a seed.

Each epoch visits every row once in a new order. A prompt that leaves no room for an answer is an error
before any compute is spent.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from corpora.rows import DataError, Row
from learner.encoding import encode_prompt
from rl.records import PromptTask


class PromptSource:
    """Prompts of a data file."""

    def __init__(self, rows: Sequence[Row], tokenizer: Any, *, context: int, max_tokens: int, seed: int) -> None:
        self.rows, self.seed = list(rows), seed
        self.prompts = [tuple(encode_prompt(tokenizer, row["messages"])) for row in self.rows]
        self._orders: dict[int, list[int]] = {}
        room = context - max_tokens
        for row, prompt in zip(self.rows, self.prompts, strict=True):
            if len(prompt) > room:
                raise DataError(
                    f"prompt {row['id']} has {len(prompt)} tokens; model.context {context} less rl.max_tokens "
                    f"{max_tokens} leaves {room}: shorten it, lower rl.max_tokens or raise model.context"
                )

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

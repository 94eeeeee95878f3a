"""Scores already computed: a model asked twice about the same texts answers from memory.

Reinforcement learning asks often: greedy answers of later evaluations, equal answers within a group, answers of
a policy that hardly moved. The cache lives in one worker, keeps the entries used last, and its key must hold
everything the score depends on, the model included.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ScoreCache(Generic[Key, Value]):
    """The `capacity` entries used last."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._capacity = capacity

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """The value of a key, which now counts as used last; None when it is not there."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; the entries unused the longest go when there are too many."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def fill(self, keys: Sequence[Key], compute: Callable[[list[Key]], Sequence[Value]]) -> list[Value]:
        """Values in the order of `keys`; `compute` is asked once, for the distinct keys that are not known."""
        found = {key: self.get(key) for key in keys}
        unknown = [key for key, value in found.items() if value is None]
        if unknown:
            for key, value in zip(unknown, compute(unknown), strict=True):
                self.put(key, value)
                found[key] = value
        return [value for value in (found[key] for key in keys) if value is not None]

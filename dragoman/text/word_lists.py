"""Lists of words as they stand in code: one text, split at spaces."""

from __future__ import annotations


def listed(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())

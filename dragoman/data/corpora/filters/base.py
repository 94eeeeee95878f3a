"""What a filter is, and the table of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from dragoman.data.corpora.segments import Segment

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import CorpusSizes


class Filter(ABC):
    """One fault."""

    alone: ClassVar[bool] = False
    """Whether it judges each segment by itself, with neither memory nor large model: worker processes may do it"""

    def __init__(self, sizes: CorpusSizes) -> None:
        self.limits, self.sizes = sizes.limits, sizes

    @abstractmethod
    def fault(self, segment: Segment) -> str | None:
        """What is wrong, in words; None when the segment may stay."""


FILTERS: dict[str, type[Filter]] = {}
"""By name, in the order in which they are run unless a recipe says another"""


def register_filter(name: str) -> Callable[[type[Filter]], type[Filter]]:
    """Decorator: make a filter known under a name."""

    def add(kind: type[Filter]) -> type[Filter]:
        FILTERS[name] = kind
        return kind

    return add

"""What a task is made from, and what a task is: a function from a segment and its surroundings to items.

A task gives no item where the segment does not allow one (no neighbour, nothing to damage); another segment is taken
then. No text comes from anywhere but the segment's own split and training (mixing.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from dragoman.data.catalogs.items import Item
from dragoman.data.corpora.segments import Segment

Near = tuple[str, Segment]
"""A question and one of its segments"""


@dataclass(frozen=True)
class Material:
    """A segment with what stands around it."""

    question: str
    segment: Segment
    others: tuple[Near, ...] = ()
    """Segments of the same direction and other questions"""
    before: tuple[Segment, ...] = ()
    """What stands before it in its file, in the file's order"""
    after: tuple[Segment, ...] = ()
    """What follows it in its file"""
    renderings: tuple[str, ...] = ()
    """Other translations of its source, of the same split"""


@dataclass(frozen=True)
class TaskKind:
    """A task: its name in `data.sizes.tasks` and in the column `task`, and what makes its items."""

    name: str
    make: Callable[[Material, Random], list[Item]]
    needs: str
    """What a segment must have for it, in words"""
    in_file: bool = False
    """Whether it looks at the segment's neighbours"""
    rendered: bool = False
    """Whether it looks at other translations of the segment's source"""

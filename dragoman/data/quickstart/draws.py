"""Draws of a whole file: every task in the numbers asked for, from one split, without repetition, shuffled.

Translation draws meanings first, because a meaning must stay within one split in all languages.
Each file has a random source of its own, named after its purpose, so that another size of one file leaves the others
as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import get_args

from dragoman.data.quickstart.directions import Direction
from dragoman.data.quickstart.examples import Example, Task, translation_example
from dragoman.data.quickstart.settings import TaskCounts
from dragoman.data.quickstart.streams import STREAMS
from dragoman.data.quickstart.templates import Split, draw_combinations, draw_new
from dragoman.text.wordings import Position

GENERAL_TASKS: tuple[Task, ...] = tuple(task for task in get_args(Task) if task != "translation")
MOST_WORDINGS = 2
"""New prompts ask for the same sum, program or list in at most so many ways: their split holds few of the short sums,
and thirty wordings of one of them are hardly more evidence than one, and hardly teach more."""


@dataclass(frozen=True)
class Draws:
    """What one run draws from: the seed that splits, and one random source for each file (files are independent)."""

    seed: int
    instruction: Position = "before"
    """Where the instruction of a translation stands"""

    def random(self, purpose: str) -> Random:
        """A random source that depends on the seed and the purpose only."""
        return Random(f"{self.seed}|{purpose}")

    def translations(
        self,
        split: Split,
        count: int,
        pairs: Sequence[Direction],
        purpose: str,
        templates: tuple[str, ...] | None = None,
    ) -> list[Example]:
        """`count` translations of different meanings, the directions taken in turn."""
        random = self.random(f"{purpose}|translation")
        combinations = draw_combinations(split, count, seed=self.seed, random=random, templates=templates)
        random.shuffle(combinations)
        turns = zip(combinations, cycle(pairs), strict=False)
        return [translation_example(*drawn, random, self.instruction) for drawn in turns]

    def general(
        self,
        task: Task,
        split: Split,
        count: int,
        purpose: str,
        *,
        exclude: frozenset[str] = frozenset(),
        held_out: bool = False,
        wordings: int | None = None,
    ) -> list[Example]:
        """`count` examples of a general task with different prompts, none of them in `exclude`.

        `held_out` draws what only evaluation has; at most `wordings` prompts ask for the same thing.
        """
        drafts = STREAMS[task](self.random(f"{purpose}|{task}|{split}|{held_out}"), held_out)
        return draw_new(
            drafts, split, count, seed=self.seed, task=task, text=lambda example: example.prompt,
            exclude=exclude, most=wordings,
        )  # fmt: skip

    def mixture(self, split: Split, counts: TaskCounts, pairs: Sequence[Direction], purpose: str) -> list[Example]:
        """Examples of every task, shuffled."""
        examples = self.translations(split, counts.translation, pairs, purpose)
        for task in GENERAL_TASKS:
            examples += self.general(task, split, counts.of(task), purpose)
        self.random(f"{purpose}|order").shuffle(examples)
        return examples

    def fresh_mixture(
        self, split: Split, counts: TaskCounts, pairs: Sequence[Direction], purpose: str, used: frozenset[str]
    ) -> list[Example]:
        """Prompts to sample from: half of the general ones are new, half are new wordings of trained ones.

        Translation sources are all new. No prompt is in `used`.
        """
        examples = self.translations(split, counts.translation, pairs, purpose)
        for task in GENERAL_TASKS:
            new = counts.of(task) // 2
            examples += self.general(task, split, new, purpose, exclude=used, wordings=MOST_WORDINGS)
            examples += self.general(task, "train", counts.of(task) - new, purpose, exclude=used)
        self.random(f"{purpose}|order").shuffle(examples)
        return examples

"""Examples drawn from a split, task by task, without repetition and without leakage between splits.

Every task has a stream of random drafts: a key (which question it is, docs/data.md), and how to put it into words.
`general_examples` words those whose key belongs to the split (a hash, see `templates.split_of`), keeps the prompts that
are new, and gives up with a message when the split is exhausted. Translation draws meanings first, because a meaning
must stay within one split in all languages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from random import Random
from typing import NamedTuple

from dragoman.data.quickstart import arithmetic, constrained, programs
from dragoman.data.quickstart.directions import Direction
from dragoman.data.quickstart.examples import (
    Example,
    Task,
    code_example,
    constraints_example,
    math_example,
    translation_example,
)
from dragoman.data.quickstart.templates import Split, draw_combinations, split_of

PATIENCE = 20_000
"""Draws in a row without a new example after which a split counts as exhausted."""


def translation_examples(
    split: Split,
    count: int,
    directions: Sequence[Direction],
    *,
    seed: int,
    random: Random,
    templates: tuple[str, ...] | None = None,
) -> list[Example]:
    """`count` translations of different meanings, the directions taken in turn."""
    combinations = draw_combinations(split, count, seed=seed, random=random, templates=templates)
    random.shuffle(combinations)
    return [
        translation_example(combination, direction, random)
        for combination, direction in zip(combinations, cycle(directions), strict=False)
    ]


class Draft(NamedTuple):
    """An example that is made only if its split is the one wanted: most drafts belong to another."""

    key: str
    make: Callable[[], Example]
    split: Split | None = None
    """The split of a question that is not dealt by its hash"""


def _math_stream(random: Random, held_out: bool) -> Iterator[Draft]:
    """Two and three steps in turn, a single one now and then, and the forms of each at random."""
    pools = {steps: [arithmetic.problems(form) for form in arithmetic.forms(steps)] for steps in arithmetic.STEPS}
    wordings = arithmetic.HELD_OUT_WORDINGS if held_out else arithmetic.WORDINGS
    for steps in cycle((1, 2, 3, 2, 3)):
        problem = random.choice(random.choice(pools[steps]))
        made = partial(math_example, problem, random.choice(wordings), random)
        yield Draft(problem.key, made, "train" if steps == 1 else None)


def _code_stream(random: Random, held_out: bool) -> Iterator[Draft]:
    pools: dict[str, list[programs.Program]] = {}
    for program in programs.programs():
        if (program.family.name in programs.HELD_OUT_FAMILIES) == held_out:
            pools.setdefault(program.family.name, []).append(program)
    while True:
        for family in random.sample(sorted(pools), len(pools)):
            program = random.choice(pools[family])
            made = partial(code_example, program, random.choice(programs.WORDINGS))
            yield Draft(program.key, made, "eval" if held_out else None)


def _constraints_stream(random: Random, held_out: bool) -> Iterator[Draft]:
    pairs = sorted(tuple(sorted(pair)) for pair in constrained.HELD_OUT_PAIRS)
    while True:
        ids = random.choice(pairs) if held_out else None
        asked = constrained.draw_request(random, ids)
        made = partial(constraints_example, asked, random.choice(constrained.WORDINGS))
        yield Draft(asked.key, made, "eval" if held_out else None)


_STREAMS = {"math": _math_stream, "code": _code_stream, "constraints": _constraints_stream}


def general_examples(
    task: Task,
    split: Split,
    count: int,
    *,
    seed: int,
    random: Random,
    exclude: frozenset[str] = frozenset(),
    held_out: bool = False,
    wordings: int | None = None,
) -> list[Example]:
    """`count` examples of a general task with different prompts, none of them in `exclude`.

    `held_out` draws the wordings, families or pairs of constraints that only evaluation has. A family or pair is all
    evaluation's; a held-out wording asks for a problem of evaluation. At most `wordings` prompts ask for the same thing
    (have the same key). Raises ValueError when the split holds fewer.
    """
    found: dict[str, Example] = {}
    asked: Counter[str] = Counter()
    misses = 0
    for draft in _STREAMS[task](random, held_out):
        if len(found) >= count:
            break
        misses += 1
        belongs = (draft.split or split_of(draft.key, seed)) == split
        if belongs and (wordings is None or asked[draft.key] < wordings):
            example = draft.make()
            if example.prompt not in found and example.prompt not in exclude:
                found[example.prompt] = example
                asked[draft.key] += 1
                misses = 0
        if misses > PATIENCE:
            raise ValueError(
                f"split {split!r} of {task} holds only {len(found)} prompts, {count} were asked for: lower that size"
            )
    return list(found.values())

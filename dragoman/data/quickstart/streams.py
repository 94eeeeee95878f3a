"""Examples drawn from a split, task by task, without repetition and without leakage between splits.

Every task has a stream of random drafts: a key, and how to put it into words. `general_examples` words those whose
key belongs to the split (a hash, see `templates.split_of`), keeps the prompts that are new, and gives up with
a message when the split is exhausted. Translation draws meanings first, because a meaning must stay within one split
in all languages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from random import Random

from dragoman.data.quickstart import arithmetic, constrained, programs
from dragoman.data.quickstart.examples import (
    Example,
    Task,
    code_example,
    constraints_example,
    math_example,
    translation_example,
)
from dragoman.data.quickstart.languages import Direction
from dragoman.data.quickstart.templates import Split, draw_combinations, split_of

PATIENCE = 5_000
"""Draws in a row without a new example after which a split counts as exhausted."""


def translation_examples(
    split: Split,
    count: int,
    directions: list[Direction],
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


Draft = tuple[str, Callable[[], Example]]
"""The key of an example, and the call that makes it: most drafts belong to another split and are never made"""


def _math_stream(random: Random, held_out: bool) -> Iterator[Draft]:
    """Two and three steps in turn, a single one now and then, and the forms of each at random."""
    pools = {steps: [arithmetic.problems(form) for form in arithmetic.forms(steps)] for steps in arithmetic.STEPS}
    wordings = arithmetic.HELD_OUT_WORDINGS if held_out else arithmetic.WORDINGS
    for steps in cycle((1, 2, 3, 2, 3)):
        problem = random.choice(random.choice(pools[steps]))
        yield problem.key, partial(math_example, problem, random.choice(wordings), random)


def _code_stream(random: Random, held_out: bool) -> Iterator[Draft]:
    pools: dict[str, list[programs.Program]] = {}
    for program in programs.programs():
        if (program.family.name in programs.HELD_OUT_FAMILIES) == held_out:
            pools.setdefault(program.family.name, []).append(program)
    while True:
        for family in random.sample(sorted(pools), len(pools)):
            program = random.choice(pools[family])
            yield program.key, partial(code_example, program, random.choice(programs.WORDINGS))


def _constraints_stream(random: Random, held_out: bool) -> Iterator[Draft]:
    pairs = sorted(tuple(sorted(pair)) for pair in constrained.HELD_OUT_PAIRS)
    while True:
        ids = random.choice(pairs) if held_out else None
        asked = constrained.draw_request(random, ids)
        yield asked.key, partial(constraints_example, asked, random.choice(constrained.WORDINGS))


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

    `held_out` draws the wordings, families or pairs of constraints that only evaluation has; as training has
    none of those, the whole of them is evaluation's. At most `wordings` prompts ask for the same thing (have the same
    key). Raises ValueError when the split holds fewer.
    """
    found: dict[str, Example] = {}
    asked: Counter[str] = Counter()
    misses = 0
    for key, make in _STREAMS[task](random, held_out):
        if len(found) >= count:
            break
        misses += 1
        belongs = held_out or split_of(key, seed) == split
        if belongs and (wordings is None or asked[key] < wordings):
            example = make()
            if example.prompt not in found and example.prompt not in exclude:
                found[example.prompt] = example
                asked[key] += 1
                misses = 0
        if misses > PATIENCE:
            raise ValueError(
                f"split {split!r} of {task} holds only {len(found)} prompts, {count} were asked for: lower that size"
            )
    return list(found.values())

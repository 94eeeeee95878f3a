"""Drafts of the general tasks, in random order and without end: a key (which question it is, docs/data.md), and how to
put it into words.
"""

from collections.abc import Iterator
from functools import partial
from itertools import cycle
from random import Random

from dragoman.data.quickstart import arithmetic, constrained, programs
from dragoman.data.quickstart.examples import Example, code_example, constraints_example, math_example
from dragoman.data.quickstart.templates import Draft


def _math(random: Random, held_out: bool) -> Iterator[Draft[Example]]:
    """Two and three steps in turn, a single one now and then, and the forms of each at random."""
    pools = {steps: [arithmetic.problems(form) for form in arithmetic.forms(steps)] for steps in arithmetic.STEPS}
    wordings = arithmetic.HELD_OUT_WORDINGS if held_out else arithmetic.WORDINGS
    for steps in cycle((1, 2, 3, 2, 3)):
        problem = random.choice(random.choice(pools[steps]))
        made = partial(math_example, problem, random.choice(wordings), random)
        yield Draft(problem.key, made, "train" if steps == 1 else None)


def _code(random: Random, held_out: bool) -> Iterator[Draft[Example]]:
    pools: dict[str, list[programs.Program]] = {}
    for program in programs.programs():
        if (program.family.name in programs.HELD_OUT_FAMILIES) == held_out:
            pools.setdefault(program.family.name, []).append(program)
    while True:
        for family in random.sample(sorted(pools), len(pools)):
            program = random.choice(pools[family])
            made = partial(code_example, program, random.choice(programs.WORDINGS))
            yield Draft(program.key, made, "eval" if held_out else None)


def _constraints(random: Random, held_out: bool) -> Iterator[Draft[Example]]:
    pairs = sorted(tuple(sorted(pair)) for pair in constrained.HELD_OUT_PAIRS)
    while True:
        ids = random.choice(pairs) if held_out else None
        asked = constrained.draw_request(random, ids)
        made = partial(constraints_example, asked, random.choice(constrained.WORDINGS))
        yield Draft(asked.key, made, "eval" if held_out else None)


STREAMS = {"math": _math, "code": _code, "constraints": _constraints}
"""By task; the second argument asks for the wordings, families or pairs of constraints that only evaluation has. A
family or pair is all evaluation's; a held-out wording asks for a problem of evaluation."""

r"""Small sums and word problems of one to three steps, worked step by step, with the result in \boxed{}.

A `Problem` is a first operand and its steps. Each step is one of some hundred small facts, and training shows them
all; what is held out is the combination: a held-out problem never occurs in training under any wording, and neither
does the same sum in another order (`Problem.key`). So an answer is right when every step is, which is what a verifier
of the result alone can teach. A problem of one step is nothing but a fact, so all of those are training's. (To hold
single sums out asks a small model to guess facts that it never saw: fine-tuning reached about a third of them, and
reinforcement learning then learned the trained facts by heart.) Wordings in `HELD_OUT_WORDINGS` are for evaluation
only.

Flow: `problems(form)` -> `templates.split_of` -> `question(problem, wording, random)` -> a prompt and its
`worked_answer`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, product
from operator import add, mul, sub
from random import Random

from dragoman.data.quickstart.slots import FIRST_NAMES
from dragoman.settings import Settings
from dragoman.text.tables import read_table

STEPS = (1, 2, 3)
OPERATIONS: dict[str, Callable[[int, int], int]] = {"+": add, "-": sub, "*": mul}
LARGEST = 12
"""No number on the way is larger, or less than 0"""


class Wording(Settings):
    """How a problem is put into words: a beginning, one phrase for each step, an end."""

    one: str
    """Beginning with the first operand"""
    each: str
    """Beginning with a product"""
    steps: dict[str, str]
    """The phrase that adds or takes away {n}"""
    joints: tuple[str, str]
    """Before a step that another follows, before the last step"""
    end: str


_TABLE = read_table(__file__)
OBJECTS: tuple[str, ...] = tuple(_TABLE["objects"])
WORDINGS, HELD_OUT_WORDINGS = (tuple(Wording(**entry) for entry in _TABLE[name]) for name in ("wordings", "held_out"))


@dataclass(frozen=True)
class Problem:
    """A first operand, then steps (operation, operand), worked from left to right."""

    first: int
    steps: tuple[tuple[str, int], ...]

    @property
    def key(self) -> str:
        """What is asked, in any order: 7 + 5 - 3, 5 + 7 - 3 and 7 - 3 + 5 have one key, and so have 2 * 4 and 4 * 2."""
        (operation, operand), *later = self.steps
        if operation == "*":
            return "math|" + "*".join(map(str, sorted((self.first, operand)))) + _terms(later)
        return "math|" + _terms([("+", self.first), *self.steps])

    @property
    def results(self) -> tuple[int, ...]:
        """What each step leaves; the last is the answer."""
        return tuple(accumulate(self.steps, lambda left, step: OPERATIONS[step[0]](left, step[1]), initial=self.first))[
            1:
        ]


def _terms(signed: Sequence[tuple[str, int]]) -> str:
    return "".join(f"{sign}{number}" for sign, number in sorted(signed))


def forms(steps: int) -> list[str]:
    """The operations of problems of so many steps: plus and minus in any order, or times and then those."""
    first, later = ["+", "-", "*"], ["+", "-"]
    return ["".join(signs) for signs in product(first, *[later] * (steps - 1))]


@cache
def problems(form: str) -> tuple[Problem, ...]:
    """Every problem with the operations of `form` that stays within 0 and `LARGEST`.

    First operands go to 9, later ones to 5; factors from 2 to 5. None whose answer is the question's last number: the
    verifier reads the last number of an answer without a box, and to repeat the question would be right.
    """
    operands = [range(2, 6) if operation == "*" else range(1, 6) for operation in form]
    every = (
        Problem(first, tuple(zip(form, rest, strict=True)))
        for first, *rest in product(range(2, 6) if form[0] == "*" else range(1, 10), *operands)
    )
    within = (problem for problem in every if all(0 <= result <= LARGEST for result in problem.results))
    return tuple(problem for problem in within if problem.results[-1] != problem.steps[-1][1])


def question(problem: Problem, wording: Wording, random: Random) -> str:
    """The prompt of a problem under a wording; names and objects are drawn."""
    multiplies = problem.steps[0][0] == "*"
    steps = problem.steps[1:] if multiplies else problem.steps
    text = wording.each if multiplies else wording.one
    for number, (operation, operand) in enumerate(steps, start=1):
        text += wording.joints[number == len(steps)] + wording.steps[operation].replace("{n}", str(operand))
    return (text + wording.end).format(
        a=problem.first, b=problem.steps[0][1], name=random.choice(FIRST_NAMES), objects=random.choice(OBJECTS)
    )


def worked_answer(problem: Problem) -> str:
    r"""The reference answer: each step on its own, the last result in \boxed{}."""
    lefts = (problem.first, *problem.results)
    sums = [
        f"{left} {operation} {operand} = " for left, (operation, operand) in zip(lefts, problem.steps, strict=False)
    ]
    shown = [str(result) for result in problem.results[:-1]] + [f"\\boxed{{{problem.results[-1]}}}"]
    return ", ".join(begun + result for begun, result in zip(sums, shown, strict=True))

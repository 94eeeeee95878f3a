r"""Sums and word problems in real sizes, worked step by step, with the result in \boxed{}.

Two to four numbers up to 60, results from 0 to 200; or a product of numbers up to 12 and one or two steps. A sum is the
same question in any order, wording and language (`Sum.key`); splits are made of it.
"""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

from dragoman.data.catalogs.items import Item

WORDINGS = {
    "en": ("What is {sum}?", "Calculate {sum}.", "Work out {sum}, step by step."),
    "de": ("Was ergibt {sum}?", "Berechne {sum}."),
    "fr": ("Combien font {sum} ?", "Calcule {sum}."),
    "es": ("¿Cuánto es {sum}?", "Calcula {sum}."),
    "cs": ("Kolik je {sum}?", "Vypočítej {sum}."),
}
STORIES = (
    ("A shop has {0} lamps", {"+": "gets {n} more", "-": "sells {n} of them"}, "How many lamps are in the shop now?"),
    (
        "A train starts with {0} people",
        {"+": "takes in {n}", "-": "lets {n} get off"},
        "How many people are on it now?",
    ),
    ("Maria has saved {0} euros", {"+": "earns {n} more", "-": "spends {n}"}, "How many euros does she have now?"),
    ("A file has {0} lines", {"+": "grows by {n}", "-": "loses {n}"}, "How many lines does it have now?"),
)
ENDINGS = {
    "en": " End with the answer in \\boxed{}.",
    "de": " Schreibe das Ergebnis in \\boxed{}.",
    "fr": " Écris le résultat dans \\boxed{}.",
    "es": " Escribe el resultado en \\boxed{}.",
    "cs": " Výsledek napiš do \\boxed{}.",
}
LARGEST = 200


@dataclass(frozen=True)
class Sum:
    """A first number, or a product, and signed steps."""

    factors: tuple[int, ...]
    """One number, or two to be multiplied"""
    steps: tuple[tuple[str, int], ...]

    @property
    def first(self) -> int:
        """What the steps begin from."""
        return self.factors[0] if len(self.factors) == 1 else self.factors[0] * self.factors[1]

    @property
    def results(self) -> tuple[int, ...]:
        """`first`, and what each step leaves."""
        found = [self.first]
        for sign, number in self.steps:
            found.append(found[-1] + number if sign == "+" else found[-1] - number)
        return tuple(found)

    @property
    def key(self) -> str:
        """The same for every order of the terms and of the factors."""
        lone = [("+", self.factors[0])] if len(self.factors) == 1 else []
        product = "*".join(map(str, sorted(self.factors))) if len(self.factors) == 2 else ""
        return f"math|{product}" + "".join(f"{sign}{number}" for sign, number in sorted([*lone, *self.steps]))

    @property
    def written(self) -> str:
        """In symbols."""
        return " * ".join(map(str, self.factors)) + "".join(f" {sign} {number}" for sign, number in self.steps)


def draw_sum(random: Random) -> Sum:
    """A sum within the bounds whose answer is not its last number, which a repeated question would give."""
    while True:
        multiplied = random.random() < 0.25
        factors = (random.randint(2, 12), random.randint(2, 12)) if multiplied else (random.randint(2, 60),)
        count = random.randint(1, 2) if multiplied else random.choice((1, 2, 2, 3))
        steps = tuple((random.choice("+-"), random.randint(2, 60)) for _ in range(count))
        drawn = Sum(factors, steps)
        if all(0 <= result <= LARGEST for result in drawn.results) and drawn.results[-1] != steps[-1][1]:
            return drawn


def sum_item(drawn: Sum, languages: tuple[str, ...], random: Random) -> Item:
    """A sum in symbols in one of the languages that have wordings, or as a story in English."""
    told = len(drawn.factors) == 1 and random.random() < 0.4
    code = "en" if told else random.choice([code for code in languages if code in WORDINGS])
    asked = story(drawn, random) if told else random.choice(WORDINGS[code]).format(sum=drawn.written)
    reward = {"kind": "math", "weight": 1, "args": {"gold": str(drawn.results[-1])}}
    return Item("math", drawn.key, asked + ENDINGS[code], worked(drawn), (reward,))


def story(drawn: Sum, random: Random) -> str:
    """The sum as something that happens."""
    beginning, phrases, question = random.choice(STORIES)
    steps = [phrases[sign].replace("{n}", str(number)) for sign, number in drawn.steps]
    joined = " and ".join([", ".join(steps[:-1]), steps[-1]] if len(steps) > 1 else steps)
    return f"{beginning.format(drawn.first)}, {joined}. {question}"


def worked(drawn: Sum) -> str:
    """Each step on its own, the last result in a box."""
    lines = [f"{drawn.written.split(' + ')[0].split(' - ')[0]} = {drawn.first}"] if len(drawn.factors) == 2 else []
    pairs = zip(drawn.steps, pairwise(drawn.results), strict=True)
    lines += [f"{before} {sign} {number} = {after}" for (sign, number), (before, after) in pairs]
    head, result = lines[-1].rsplit(" ", 1)
    return ", ".join([*lines[:-1], f"{head} \\boxed{{{result}}}"])

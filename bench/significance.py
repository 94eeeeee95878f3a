"""Do the p-values hold? Systems without any true difference, tested again and again.

    python bench/significance.py [--simulations 2000] [--rows 400] [--trials 500]

Two systems of equal skill answer the same rows; a right test calls 5 % of such pairs different at p < 0.05. Counted for
three kinds of figure: the mean of scores, the same where rows come in clusters of four that stand and fall together,
and corpus chrF of texts with errors at random. Also counted: what happens when clusters are ignored, and the p that
sacrebleu's bootstrap prints. Then trainings whose seeds differ by about as much as the choice of rows does: two and
three of each system, one against three, tested over rows and seeds, and one of each tested over rows alone, which is
what a comparison of two checkpoints does. The last line is JSON; exit code 1 when a rate that should be 5 % is further
off than one point, or that of a test over seeds, which may be careful, above 6 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from importlib import metadata
from random import Random

import numpy as np
from rich.console import Console
from rich.table import Table

from dragoman.evaluation.chrf import corpus_scores, segment_counts
from dragoman.evaluation.seeded import seeded_difference
from dragoman.evaluation.significance import Counts, Formula, PairedDifference, paired_difference

LEVEL, TOLERANCE = 0.05, 0.01
CLUSTER = 4
SEED_SPREAD = 0.01
"""Standard deviation of a training's mean score; that of the rows' choice is 0.0075"""
SEEDS = ((1, 1), (2, 2), (3, 3), (1, 3), (5, 5))
HELD = ("bootstrap", "randomisation")
SENTENCE = "Der Zug fährt am Montag um acht Uhr von Gleis zwei ab und kommt gegen Mittag an der Küste an wo es kalt ist"
TEXT = SENTENCE.split()
Drawn = tuple[Counts, Counts]


def mean_score(summed: Counts) -> Counts:
    """The mean from sums of values and of ones."""
    return np.asarray(summed[:, 0] / summed[:, 1])


def scores(generator: np.random.Generator, rows: int) -> Drawn:
    """Independent rows: a difficulty that both systems share, and luck of their own."""
    shared = generator.normal(0.6, 0.2, rows)
    return _counts(shared + generator.normal(0, 0.15, rows)), _counts(shared + generator.normal(0, 0.15, rows))


def clustered(generator: np.random.Generator, rows: int) -> Drawn:
    """Luck is drawn for a cluster: its rows are right or wrong together."""
    groups = np.arange(rows) // CLUSTER
    shared = generator.normal(0.6, 0.2, rows)
    luck = [generator.normal(0, 0.15, groups[-1] + 1)[groups] for _ in range(2)]
    return _counts(shared + luck[0]), _counts(shared + luck[1])


def _counts(values: Counts) -> Counts:
    return np.stack([values, np.ones(len(values))], axis=1)


def texts(generator: np.random.Generator, rows: int) -> Drawn:
    """Translations in which each word is lost with a chance of one in five."""
    random = Random(int(generator.integers(1 << 31)))
    references = [" ".join(random.sample(TEXT, random.randint(4, 12))) for _ in range(rows)]

    def answered(reference: str) -> str:
        return " ".join(word if random.random() > 0.2 else "xyz" for word in reference.split())

    first, second = ([answered(text) for text in references] for _ in range(2))
    return segment_counts(first, references), segment_counts(second, references)


def trainings(generator: np.random.Generator, rows: int, count: tuple[int, int]) -> list[list[Counts]]:
    """Models of two systems without a difference: each training is better or worse by chance, as a whole and by row."""
    shared = generator.normal(0.6, 0.2, rows)

    def trained() -> Counts:
        return _counts(shared + generator.normal(0, SEED_SPREAD) + generator.normal(0, 0.15, rows))

    return [[trained() for _ in range(number)] for number in count]


def simulate_seeds(count: tuple[int, int], asked: argparse.Namespace) -> float:
    """How often trainings of two equal systems are called different."""
    below = 0
    for number in range(asked.simulations):
        a, b = trainings(np.random.default_rng([asked.seed, 1, number]), asked.rows, count)
        if count == (1, 1):
            p = paired_difference(a[0], b[0], mean_score, trials=asked.trials, seed=number).p_randomised
        else:
            p = seeded_difference(a, b, mean_score, trials=asked.trials, seed=number).p
        below += p < LEVEL
    return below / asked.simulations


def simulate(
    draw: Callable[[np.random.Generator, int], Drawn], formula: Formula, asked: argparse.Namespace, in_clusters: bool
) -> dict[str, float]:
    """How often each p falls below the level."""
    below: Counter[str] = Counter()
    groups = [row // CLUSTER for row in range(asked.rows)] if in_clusters else None
    for number in range(asked.simulations):
        a, b = draw(np.random.default_rng([asked.seed, number]), asked.rows)
        test = paired_difference(a, b, formula, clusters=groups, trials=asked.trials, seed=number)
        below.update(name for name, p in _ps(test).items() if p < LEVEL)
    return {name: below[name] / asked.simulations for name in ("bootstrap", "randomisation", "sacrebleu")}


def _ps(test: PairedDifference) -> dict[str, float]:
    return {"bootstrap": test.p_bootstrap, "randomisation": test.p_randomised, "sacrebleu": test.p_sacrebleu}


def main() -> int:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=2_000)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    found = {
        "mean": simulate(scores, mean_score, asked, False),
        "mean, clusters": simulate(clustered, mean_score, asked, True),
        "mean, clusters ignored": simulate(clustered, mean_score, asked, False),
        "corpus chrF": simulate(texts, corpus_scores, asked, False),
    }
    title = f"share of p < {LEVEL} without a difference, {asked.simulations} simulations, {asked.rows} rows"
    table = Table("figure", "bootstrap", "randomisation", "sacrebleu's bootstrap", title=title, title_justify="left")
    for name, rates in found.items():
        table.add_row(name, *(f"{100 * rate:.1f} %" for rate in rates.values()))
    Console(width=100).print(table)
    seeds = {f"{a} against {b}": simulate_seeds((a, b), asked) for a, b in SEEDS}
    title = "the same where trainings differ by their seed"
    table = Table("trainings", "over rows and seeds", title=title, title_justify="left")
    for name, rate in seeds.items():
        table.add_row(name, f"{100 * rate:.1f} %" + (" (over rows alone)" if name == "1 against 1" else ""))
    Console(width=100).print(table)
    held = [
        rates[test] for name, rates in found.items() if "ignored" not in name for test in ("randomisation", "bootstrap")
    ]
    careful = all(rate <= LEVEL + TOLERANCE for name, rate in seeds.items() if name != "1 against 1")
    holds = careful and all(abs(rate - LEVEL) <= TOLERANCE for rate in held)
    versions = {name: metadata.version(name) for name in ("numpy", "sacrebleu", "scipy")}
    print(
        json.dumps(
            {"command": " ".join(sys.argv), "versions": versions, "rates": found, "seeds": seeds, "holds": holds}
        )
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())

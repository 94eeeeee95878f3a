"""Do the p-values hold? Systems without any true difference, tested again and again.

    python bench/significance.py [--simulations 8000] [--rows 400] [--trials 500]

Two systems of equal skill answer the same rows; a right test calls 5 % of such pairs different at p < 0.05. Of 2,000
simulations that share has a standard error of 0.5 points, of 8,000 one of 0.24. Counted for three kinds of figure: the
mean of scores, the same where rows come in clusters of four that stand and fall together, and corpus chrF of texts with
errors at random. Also counted: what happens when clusters are ignored, and the p that
sacrebleu's bootstrap prints. Then trainings whose seeds differ by about as much as the choice of rows does: two and
three of each system, one against three, tested over rows and seeds, and one of each tested over rows alone, which is
what a comparison of two checkpoints does. The last line is JSON; exit code 1 when a rate that should be 5 % is further
off than one point, or that of a test over seeds, which may be careful, above 6 %.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from importlib import metadata
from random import Random

import numpy as np
from rich.console import Console
from rich.table import Table

from cluster.progress import Progress
from dragoman.evaluation.chrf import corpus_scores, segment_counts
from dragoman.evaluation.seeded import seeded_difference
from dragoman.evaluation.significance import Counts, Formula, PairedDifference, paired_difference

LEVEL, TOLERANCE = 0.05, 0.01
CLUSTER = 4
SEED_SPREAD = 0.01
"""Standard deviation of a training's mean score; that of the rows' choice is 0.0075"""
SEEDS = ((1, 1), (2, 2), (3, 3), (1, 3), (5, 5))
HELD = ("bootstrap", "randomisation")
TESTS = (*HELD, "sacrebleu")
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


def seeds_below(count: tuple[int, int], asked: argparse.Namespace, number: int) -> Counter[str]:
    """Of one simulation: 1 where trainings of two equal systems are called different."""
    a, b = trainings(np.random.default_rng([asked.seed, 1, number]), asked.rows, count)
    if count == (1, 1):
        p = paired_difference(a[0], b[0], mean_score, trials=asked.trials, seed=number).p_randomised
    else:
        p = seeded_difference(a, b, mean_score, trials=asked.trials, seed=number).p
    return Counter(seeds=int(p < LEVEL))


def tests_below(
    draw: Callable[[np.random.Generator, int], Drawn], formula: Formula, in_clusters: bool,
    asked: argparse.Namespace, number: int,
) -> Counter[str]:  # fmt: skip
    """Of one simulation: 1 for each test whose p falls below the level."""
    groups = [row // CLUSTER for row in range(asked.rows)] if in_clusters else None
    a, b = draw(np.random.default_rng([asked.seed, number]), asked.rows)
    test = paired_difference(a, b, formula, clusters=groups, trials=asked.trials, seed=number)
    return Counter({name: int(p < LEVEL) for name, p in _ps(test).items()})


def rates(pool: Executor, title: str, one: Callable[[int], Counter[str]], simulations: int) -> dict[str, float]:
    """How often each test's p falls below the level, over all simulations."""
    found, bar = Counter[str](), Progress(title, simulations)
    for done, below in enumerate(pool.map(one, range(simulations), chunksize=20), start=1):
        found.update(below)
        bar.update(done)
    bar.close()
    return {name: count / simulations for name, count in found.items()}


def _ps(test: PairedDifference) -> dict[str, float]:
    return {"bootstrap": test.p_bootstrap, "randomisation": test.p_randomised, "sacrebleu": test.p_sacrebleu}


def main() -> int:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=8_000)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    kinds: dict[str, tuple[Callable[..., Drawn], Formula, bool]] = {
        "mean": (scores, mean_score, False),
        "mean, clusters": (clustered, mean_score, True),
        "mean, clusters ignored": (clustered, mean_score, False),
        "corpus chrF": (texts, corpus_scores, False),
    }
    with ProcessPoolExecutor(asked.processes) as pool:
        found = {
            name: rates(pool, name, partial(tests_below, *kind, asked), asked.simulations)
            for name, kind in kinds.items()
        }
        seeds = {
            f"{a} against {b}": rates(pool, f"{a} against {b}", partial(seeds_below, (a, b), asked), asked.simulations)[
                "seeds"
            ]
            for a, b in SEEDS
        }
    title = f"share of p < {LEVEL} without a difference, {asked.simulations} simulations, {asked.rows} rows"
    table = Table("figure", "bootstrap", "randomisation", "sacrebleu's bootstrap", title=title, title_justify="left")
    for name, shares in found.items():
        table.add_row(name, *(f"{100 * shares[test]:.1f} %" for test in TESTS))
    Console(width=100).print(table)
    title = "the same where trainings differ by their seed"
    table = Table("trainings", "over rows and seeds", title=title, title_justify="left")
    for name, rate in seeds.items():
        table.add_row(name, f"{100 * rate:.1f} %" + (" (over rows alone)" if name == "1 against 1" else ""))
    Console(width=100).print(table)
    held = [shares[test] for name, shares in found.items() if "ignored" not in name for test in HELD]
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

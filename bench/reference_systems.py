"""Systems whose order is known, on every translation suite: does the headline rank them so?

    python bench/reference_systems.py [SUITE …]     a shipped suite's name or a suite file; default: all shipped ones

| system | its answer to a row |
|---|---|
| oracle | the reference |
| half-noised | the reference with every second word replaced by a word of another row's reference |
| omission | the first half of the reference |
| random | the reference of another row of the same direction: fluent, right language, wrong meaning |
| copy | the source |
| off-target | the reference of a row of another target language |

Answers go through `dragoman evaluate`'s own path (`run_job` on outputs). Wanted for each suite and direction: oracle
above half-noised and omission, both above random; copy and off-target never above random. A direction of fewer than 20
rows is left out. Prints a table a suite, then one JSON line; ends with 1 where an order is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.table import Table

from dragoman.data.rows import Prompt
from dragoman.evaluation.answering import Decoding, OutputsAnswerer
from dragoman.evaluation.local_scorer import LocalScorer
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.standalone import Job, run_job
from dragoman.evaluation.suite_files import LoadedSuite, MetricEntry, load_suite_files
from dragoman.evaluation.suite_files.loading import shipped_names
from dragoman.files import write_lines

SYSTEMS = ("oracle", "half-noised", "omission", "random", "copy", "off-target")
ORDER = (
    ("oracle", "half-noised"), ("oracle", "omission"), ("half-noised", "random"), ("omission", "random"),
    ("random", "copy"), ("random", "off-target"),
)  # fmt: skip
"""(above, below)"""
HEADLINE = "gated_chrf"
LEAST = 20
NOT_PERMISSIVE = ("bible", "gnome_manuals")
"""Shipped suites whose package is under a licence that has to be accepted"""


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", help="default: every shipped suite of translations")
    parser.add_argument("--accept-licence", action="append", default=[], help="of a package, by name")
    options = parser.parse_args()
    named = options.suites or [name for name in shipped_names() if options.accept_licence or name not in NOT_PERMISSIVE]
    chosen = [loaded for loaded in load_suite_files(named, options.accept_licence) if translates(loaded)]
    wrong: list[str] = []
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for loaded in chosen:
        figures[loaded.name] = scores(loaded)
        wrong += show(loaded.name, figures[loaded.name])
    print(json.dumps({
        "bench": "reference_systems", "headline": HEADLINE, "directions": sum(map(len, figures.values())),
        "wrong": wrong, "figures": figures,
    }))  # fmt: skip
    raise SystemExit(bool(wrong))


def translates(loaded: LoadedSuite) -> bool:
    """Whether all its rows are translations with a reference and nothing else asked."""
    return all(prompt.task == "translation" and prompt.reference and prompt.pair for prompt in loaded.suite.prompts)


def answers_of(system: str, prompts: Sequence[Prompt]) -> list[str]:
    """A system's answer to each row."""
    random = Random(f"{system}")
    return [_answer(system, place, prompts, random) for place in range(len(prompts))]


def _answer(system: str, place: int, prompts: Sequence[Prompt], random: Random) -> str:
    prompt = prompts[place]
    assert prompt.pair is not None
    source, target = prompt.pair.direction
    if system == "oracle":
        return prompt.reference
    if system == "copy":
        return prompt.pair.source
    if system == "omission":
        return _halved(prompt.reference)
    same = [
        p.reference for p in prompts if p.pair and p.pair.direction[1] == target and p.reference != prompt.reference
    ]
    if system == "random":
        near = [text for text in same if abs(len(text) - len(prompt.reference)) <= len(prompt.reference) / 4]
        return random.choice(near or same)
    if system == "half-noised":
        return _noised(prompt.reference, random.choice(same), random)
    others = [p for p in prompts if p.pair and p.pair.direction[1] not in (source, target)]
    return random.choice(others).reference if others else prompt.pair.source


def _pieces(text: str) -> list[str]:
    """Words; letters where the script has no spaces."""
    return text.split(" ") if " " in text.strip() else list(text)


def _joined(text: str, pieces: Sequence[str]) -> str:
    return (" " if " " in text.strip() else "").join(pieces)


def _halved(text: str) -> str:
    pieces = _pieces(text)
    return _joined(text, pieces[: (len(pieces) + 1) // 2])


def _noised(text: str, other: str, random: Random) -> str:
    foreign = _pieces(other)
    pieces = [random.choice(foreign) if place % 2 else piece for place, piece in enumerate(_pieces(text))]
    return _joined(text, pieces)


def scores(loaded: LoadedSuite) -> dict[str, dict[str, float]]:
    """By direction ("all" for the suite), each system's headline."""
    found: dict[str, dict[str, float]] = {}
    prompts = loaded.suite.prompts
    sizes = Counter("-".join(prompt.pair.direction) for prompt in prompts if prompt.pair)
    with tempfile.TemporaryDirectory() as folder:
        for system in SYSTEMS:
            path = Path(folder) / f"{system}.jsonl"
            rows = zip(prompts, answers_of(system, prompts), strict=True)
            write_lines(path, ({"id": prompt.id, "response": answer} for prompt, answer in rows))
            for part, value in _headlines(_evaluated(path, loaded)).items():
                if part == "all" or sizes[part] >= LEAST:
                    found.setdefault(part, {})[system] = value
    return found


def _evaluated(path: Path, loaded: LoadedSuite) -> Evaluation:
    answerer = OutputsAnswerer(path, [prompt.id for prompt in loaded.suite.prompts])
    job = Job((loaded,), answerer, Decoding(), metrics=(MetricEntry(name=HEADLINE),))
    return asyncio.run(run_job(job, None, LocalScorer(), lambda title, done, total: None))


def _headlines(evaluation: Evaluation) -> dict[str, float]:
    (suite,) = evaluation.suites
    parts = {"all": suite.measured, **suite.measured_by_direction}
    return {part: float(values[0].value or 0.0) for part, values in parts.items()}


def show(name: str, found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """A table of a suite; returns what is in the wrong order."""
    table = Table("direction", *SYSTEMS, "order", title=name, title_justify="left")
    wrong = []
    for part, values in found.items():
        bad = [(a, b) for a, b in ORDER if not _above(values, a, b)]
        wrong += [f"{name} {part}: {a} {values[a]:.1f}, {b} {values[b]:.1f}" for a, b in bad]
        table.add_row(part, *(f"{values[system]:.1f}" for system in SYSTEMS), "as known" if not bad else "WRONG")
    Console(width=110).print(table)
    for sentence in wrong:
        print(sentence)
    return wrong


def _above(values: Mapping[str, float], above: str, below: str) -> bool:
    return values[above] >= values[below] if below in ("copy", "off-target") else values[above] > values[below]


if __name__ == "__main__":
    main()

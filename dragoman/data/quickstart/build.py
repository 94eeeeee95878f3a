"""The quickstart's data: every file of every stage, from a seed.

    build(folder, seed=0)

    meanings, problems, programs, requests --split by hash--> train | preference | rl | development | eval
    train      -> cpt_mono.jsonl, cpt_parallel.jsonl, cpt_instructions.jsonl, cpt_sums.jsonl, sft.jsonl, lat.jsonl
    preference -> preference.jsonl        rl -> rl.jsonl
    eval       -> eval/{translation_supervised,translation_zero_shot,math,code,constraints}.jsonl
    development -> development/ (the same suites, other rows: settings are chosen there, figures reported on eval)

Continued pretraining sees parallel text in all directions; instructions are only ever given for
English-centred ones, so that the remaining directions are zero-shot, as in arXiv 2403.14399. The mixture
follows Tower+ (arXiv 2506.17080): monolingual, parallel and a little instruction-like text; then
translation beside general tasks. The same seed and sizes give the same bytes. Files are written aside and
renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import get_args

from dragoman.data.quickstart.draws import general_examples, translation_examples
from dragoman.data.quickstart.examples import Example, Row, Task, evaluation_row, fine_tuning_row, prompt_row
from dragoman.data.quickstart.flaws import with_flaws
from dragoman.data.quickstart.languages import (
    LANGUAGES,
    Direction,
    DirectionSet,
    directions,
    supervised_directions,
    zero_shot_directions,
)
from dragoman.data.quickstart.templates import HELD_OUT_TEMPLATES, Split, draw_combinations, render
from dragoman.text.wordings import PARALLEL_LAYOUTS, parallel_text

GENERAL_TASKS: tuple[Task, ...] = tuple(task for task in get_args(Task) if task != "translation")
SUITES: dict[str, list[Direction]] = {
    "translation_supervised": supervised_directions(),
    "translation_zero_shot": zero_shot_directions(),
}

SUMS_PER_TEXT = 8
"""A text of cpt_sums.jsonl is the workings of so many problems."""
MOST_WORDINGS = 2
"""New prompts ask for the same sum, program or list in at most so many ways: their split holds few of the short sums,
and thirty wordings of one of them are hardly more evidence than one, and hardly teach more."""


@dataclass(frozen=True)
class TaskCounts:
    """How many rows of each task a file has."""

    translation: int
    math: int
    code: int
    constraints: int

    def __post_init__(self) -> None:
        for task in get_args(Task):
            if getattr(self, task) < 0:
                raise ValueError(f"count of {task} is {getattr(self, task)}: it must be 0 or more")


@dataclass(frozen=True)
class QuickstartSizes:
    """How many rows each file has; the defaults suit a model of a few million parameters."""

    mono: int = 6000
    parallel: int = 14000
    instructions: TaskCounts = TaskCounts(400, 400, 300, 400)
    sums: int = 300
    sft: TaskCounts = TaskCounts(4200, 2000, 1300, 1800)
    lat: int = 2400
    preference: TaskCounts = TaskCounts(360, 200, 150, 200)
    rl: TaskCounts = TaskCounts(600, 400, 300, 400)
    development_per_direction: int = 20
    development_general: TaskCounts = TaskCounts(0, 150, 50, 150)
    eval_per_direction: int = 30
    eval_general: TaskCounts = field(default=TaskCounts(0, 150, 120, 150))
    flawed_share: float = 0.2
    """Share of the programs, and of the sums of several steps, in sft.jsonl that are wrong (`corpora.flaws`)."""
    heldout_template_share: float = 0.2
    """Share of the evaluation rows whose template (not only its filling) training never saw."""

    def __post_init__(self) -> None:
        for name in ("flawed_share", "heldout_template_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be from 0 to 1")


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write JSON lines aside and rename: the file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.partial")
    with aside.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, path)


def _numbered(prefix: str, rows: Iterable[Row]) -> list[Row]:
    return [{"id": f"{prefix}-{number:06}", **row} for number, row in enumerate(rows)]


@dataclass(frozen=True)
class Draw:
    """Draws of one run: the seed that splits, and one random source for each file (files are independent)."""

    seed: int

    def random(self, purpose: str) -> Random:
        """A random source that depends on the seed and the purpose only."""
        return Random(f"{self.seed}|{purpose}")

    def translations(
        self,
        split: Split,
        count: int,
        pairs: list[Direction],
        purpose: str,
        templates: tuple[str, ...] | None = None,
    ) -> list[Example]:
        """Translation examples for a file."""
        random = self.random(f"{purpose}|translation")
        return translation_examples(split, count, pairs, seed=self.seed, random=random, templates=templates)

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
        """General examples for a file."""
        random = self.random(f"{purpose}|{task}|{split}|{held_out}")
        return general_examples(
            task, split, count, seed=self.seed, random=random, exclude=exclude, held_out=held_out, wordings=wordings
        )

    def mixture(self, split: Split, counts: TaskCounts, pairs: list[Direction], purpose: str) -> list[Example]:
        """Examples of every task, shuffled."""
        examples = self.translations(split, counts.translation, pairs, purpose)
        for task in GENERAL_TASKS:
            examples += self.general(task, split, getattr(counts, task), purpose)
        self.random(f"{purpose}|order").shuffle(examples)
        return examples

    def fresh_mixture(
        self, split: Split, counts: TaskCounts, pairs: list[Direction], purpose: str, used: frozenset[str]
    ) -> list[Example]:
        """Prompts to sample from: half of the general ones are new, half are new wordings of trained ones.

        Translation sources are all new. No prompt is in `used`.
        """
        examples = self.translations(split, counts.translation, pairs, purpose)
        for task in GENERAL_TASKS:
            new = getattr(counts, task) // 2
            examples += self.general(task, split, new, purpose, exclude=used, wordings=MOST_WORDINGS)
            examples += self.general(task, "train", getattr(counts, task) - new, purpose, exclude=used)
        self.random(f"{purpose}|order").shuffle(examples)
        return examples


def monolingual_rows(draw: Draw, count: int) -> list[Row]:
    """Sentences, the languages taken in turn."""
    codes = list(LANGUAGES)
    found = draw_combinations("train", count, seed=draw.seed, random=draw.random("cpt_mono"))
    draw.random("cpt_mono|order").shuffle(found)
    spread = [(combination, codes[number % len(codes)]) for number, combination in enumerate(found)]
    return _numbered("cpt-mono", ({"text": render(c, code), "language": code} for c, code in spread))


def parallel_rows(draw: Draw, count: int, which: DirectionSet) -> list[Row]:
    """Sentence pairs as text in several layouts, the directions taken in turn."""
    random = draw.random("cpt_parallel|layout")
    examples = draw.translations("train", count, directions(which), "cpt_parallel")
    columns = ("source_language", "source", "target_language", "reference")
    fields = [[example.extra[name] for name in columns] for example in examples]
    texts = [
        parallel_text(source, first, target, second, random.randrange(len(PARALLEL_LAYOUTS)))
        for source, first, target, second in fields
    ]
    pairs = [[source, target] for source, _, target, _ in fields]
    rows = ({"text": text, "languages": pair} for text, pair in zip(texts, pairs, strict=True))
    return _numbered("cpt-parallel", rows)


def instruction_rows(draw: Draw, counts: TaskCounts) -> list[Row]:
    """Instructions and answers as plain text."""
    examples = draw.mixture("train", counts, supervised_directions(), "cpt_instructions")
    return _numbered(
        "cpt-instructions",
        ({"text": f"Question: {example.prompt}\nAnswer: {example.answer}"} for example in examples),
    )


def sums_rows(draw: Draw, count: int) -> list[Row]:
    """Workings of training's problems without their questions: the facts of arithmetic, many to a text."""
    examples = draw.general("math", "train", count * SUMS_PER_TEXT, "cpt_sums")
    workings = [example.answer for example in examples]
    texts = ("\n".join(workings[start::count]) for start in range(count))
    return _numbered("cpt-sums", ({"text": text} for text in texts))


def evaluation_translations(draw: Draw, pairs: list[Direction], suite: str, sizes: QuickstartSizes) -> list[Row]:
    """Held-out translations, the same number for every direction."""
    by_template = round(sizes.eval_per_direction * sizes.heldout_template_share)
    by_slots = sizes.eval_per_direction - by_template
    slots = draw.translations("eval", by_slots * len(pairs), pairs, suite)
    template = draw.translations("eval", by_template * len(pairs), pairs, f"{suite}|template", HELD_OUT_TEMPLATES)
    return _suite_rows(suite, suite, slots, template)


def evaluation_general(draw: Draw, task: Task, sizes: QuickstartSizes) -> list[Row]:
    """Held-out prompts of a general task."""
    count = getattr(sizes.eval_general, task)
    by_template = round(count * sizes.heldout_template_share)
    slots = draw.general(task, "eval", count - by_template, "eval", wordings=MOST_WORDINGS)
    template = draw.general(task, "eval", by_template, "eval", held_out=True, wordings=MOST_WORDINGS)
    return _suite_rows(task, task, slots, template)


def _suite_rows(suite: str, prefix: str, slots: list[Example], template: list[Example]) -> list[Row]:
    labelled = [(example, "slots") for example in slots] + [(example, "template") for example in template]
    return [
        evaluation_row(example, f"{prefix}-{n:06}", suite, heldout) for n, (example, heldout) in enumerate(labelled)
    ]


def _training_files(
    draw: Draw, sizes: QuickstartSizes, parallel: DirectionSet, sampled: DirectionSet
) -> dict[str, list[Row]]:
    supervised = supervised_directions()
    sft = draw.mixture("train", sizes.sft, supervised, "sft")
    shown = with_flaws(sft, sizes.flawed_share, draw.random("sft|flaws"))
    lat = draw.translations("train", sizes.lat, supervised, "lat")
    used = frozenset(example.prompt for example in sft)
    preference = draw.fresh_mixture("preference", sizes.preference, directions(sampled), "preference", used)
    used |= {example.prompt for example in preference}
    rl = draw.fresh_mixture("rl", sizes.rl, directions(sampled), "rl", used)
    tuned = {"sft": shown, "lat": lat}
    prompts = {"preference": preference, "rl": rl}
    return {
        "cpt_mono": monolingual_rows(draw, sizes.mono),
        "cpt_parallel": parallel_rows(draw, sizes.parallel, parallel),
        "cpt_instructions": instruction_rows(draw, sizes.instructions),
        "cpt_sums": sums_rows(draw, sizes.sums),
        **{name: [fine_tuning_row(e, f"{name}-{n:06}") for n, e in enumerate(rows)] for name, rows in tuned.items()},
        **{name: [prompt_row(e, f"{name}-{n:06}") for n, e in enumerate(rows)] for name, rows in prompts.items()},
    }


def _evaluation_files(draw: Draw, sizes: QuickstartSizes) -> dict[str, list[Row]]:
    suites = {f"eval/{suite}": evaluation_translations(draw, pairs, suite, sizes) for suite, pairs in SUITES.items()}
    return suites | {f"eval/{task}": evaluation_general(draw, task, sizes) for task in GENERAL_TASKS}


def _development_files(draw: Draw, sizes: QuickstartSizes) -> dict[str, list[Row]]:
    """Suites to choose settings by: a split of their own, and none of evaluation's templates and wordings."""
    files: dict[str, list[Row]] = {}
    for suite, pairs in SUITES.items():
        count = sizes.development_per_direction * len(pairs)
        examples = draw.translations("development", count, pairs, f"development|{suite}")
        files[f"development/{suite}"] = _suite_rows(suite, f"development-{suite}", examples, [])
    for task in GENERAL_TASKS:
        count = getattr(sizes.development_general, task)
        examples = draw.general(task, "development", count, "development", wordings=MOST_WORDINGS)
        files[f"development/{task}"] = _suite_rows(task, f"development-{task}", examples, [])
    return files


def build(
    output: Path,
    *,
    seed: int = 0,
    sizes: QuickstartSizes | None = None,
    parallel_directions: DirectionSet = "all",
    sampled_directions: DirectionSet = "all",
) -> None:
    """Write every file of the quickstart under `output`.

    `parallel_directions` are those of cpt_parallel.jsonl; `sampled_directions` those of preference.jsonl and
    rl.jsonl. Raises ValueError when a size asks for more than the slots can make; nothing is written then.
    """
    draw, wanted = Draw(seed), sizes or QuickstartSizes()
    files = {
        **_training_files(draw, wanted, parallel_directions, sampled_directions),
        **_evaluation_files(draw, wanted),
        **_development_files(draw, wanted),
    }
    for name, rows in files.items():
        write_rows(output / f"{name}.jsonl", rows)

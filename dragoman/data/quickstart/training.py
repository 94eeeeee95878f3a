"""Files that training reads: cpt_*.jsonl, sft.jsonl, lat.jsonl, preference.jsonl, rl.jsonl."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from dragoman.data.quickstart.directions import Direction, directions
from dragoman.data.quickstart.draws import Draws
from dragoman.data.quickstart.examples import Example, Row, fine_tuning_row, prompt_row
from dragoman.data.quickstart.flaws import with_flaws
from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.settings import QuickstartSizes, TaskCounts
from dragoman.data.quickstart.templates import draw_combinations, render
from dragoman.text.wordings import PARALLEL_LAYOUTS, parallel_text

SUMS_PER_TEXT = 8
"""A text of cpt_sums.jsonl is the workings of so many problems."""


def training_files(draws: Draws, sizes: QuickstartSizes) -> dict[str, list[Row]]:
    """Rows of every file, by its name without the ending."""
    seen = sizes.directions
    supervised = directions(seen.sft)
    sft = draws.mixture("train", sizes.sft, supervised, "sft")
    shown = with_flaws(sft, sizes.flawed_share, draws.random("sft|flaws"))
    lat = draws.translations("train", sizes.lat, directions(seen.lat), "lat")
    used = frozenset(example.prompt for example in sft)
    preference = draws.fresh_mixture("preference", sizes.preference, directions(seen.preference), "preference", used)
    used |= {example.prompt for example in preference}
    rl = draws.fresh_mixture("rl", sizes.rl, directions(seen.rl), "rl", used)
    tuned = {"sft": shown, "lat": lat}
    prompts = {"preference": preference, "rl": rl}
    return {
        "cpt_mono": monolingual_rows(draws, sizes.mono),
        "cpt_parallel": parallel_rows(draws, sizes.parallel, directions(seen.cpt)),
        "cpt_instructions": instruction_rows(draws, sizes.instructions, supervised),
        "cpt_sums": sums_rows(draws, sizes.sums),
        **{name: [fine_tuning_row(e, f"{name}-{n:06}") for n, e in enumerate(rows)] for name, rows in tuned.items()},
        **{name: [prompt_row(e, f"{name}-{n:06}") for n, e in enumerate(rows)] for name, rows in prompts.items()},
    }


def _numbered(prefix: str, rows: Iterable[Row]) -> list[Row]:
    return [{"id": f"{prefix}-{number:06}", **row} for number, row in enumerate(rows)]


def monolingual_rows(draws: Draws, count: int) -> list[Row]:
    """Sentences, the languages taken in turn."""
    codes = list(LANGUAGES)
    found = draw_combinations("train", count, seed=draws.seed, random=draws.random("cpt_mono"))
    draws.random("cpt_mono|order").shuffle(found)
    spread = [(combination, codes[number % len(codes)]) for number, combination in enumerate(found)]
    return _numbered("cpt-mono", ({"text": render(c, code), "language": code} for c, code in spread))


def parallel_rows(draws: Draws, count: int, pairs: Sequence[Direction]) -> list[Row]:
    """Sentence pairs as text in several layouts, the directions taken in turn; `languages` is source and target."""
    random = draws.random("cpt_parallel|layout")
    examples = draws.translations("train", count, pairs, "cpt_parallel")
    return _numbered("cpt-parallel", (_parallel_row(example, pairs, random) for example in examples))


def _parallel_row(example: Example, pairs: Sequence[Direction], random: Random) -> Row:
    source, target = example.extra["source_language"], example.extra["target_language"]
    layouts = _layouts((target, source) in pairs)
    text = parallel_text(source, example.extra["source"], target, example.answer, random.choice(layouts))
    return {"text": text, "languages": [source, target]}


def _layouts(both_ways: bool) -> list[int]:
    """Layouts of parallel text; one that brings the first sentence back shows the other direction, too."""
    return [n for n, layout in enumerate(PARALLEL_LAYOUTS) if both_ways or layout.count("{first}") == 1]


def instruction_rows(draws: Draws, counts: TaskCounts, pairs: Sequence[Direction]) -> list[Row]:
    """Instructions and answers as plain text."""
    examples = draws.mixture("train", counts, pairs, "cpt_instructions")
    return _numbered(
        "cpt-instructions",
        ({"text": f"Question: {example.prompt}\nAnswer: {example.answer}"} for example in examples),
    )


def sums_rows(draws: Draws, count: int) -> list[Row]:
    """Workings of training's problems without their questions: the facts of arithmetic, many to a text."""
    examples = draws.general("math", "train", count * SUMS_PER_TEXT, "cpt_sums")
    workings = [example.answer for example in examples]
    texts = ("\n".join(workings[start::count]) for start in range(count))
    return _numbered("cpt-sums", ({"text": text} for text in texts))

"""Files that training reads: cpt_*.jsonl, sft.jsonl, lat.jsonl, preference.jsonl, rl.jsonl."""

from __future__ import annotations

from collections.abc import Iterable

from dragoman.data.quickstart.draws import Draws
from dragoman.data.quickstart.examples import Row, fine_tuning_row, prompt_row
from dragoman.data.quickstart.flaws import with_flaws
from dragoman.data.quickstart.languages import LANGUAGES, DirectionSet, directions, supervised_directions
from dragoman.data.quickstart.settings import QuickstartSizes, TaskCounts
from dragoman.data.quickstart.templates import draw_combinations, render
from dragoman.text.wordings import PARALLEL_LAYOUTS, parallel_text

SUMS_PER_TEXT = 8
"""A text of cpt_sums.jsonl is the workings of so many problems."""


def training_files(
    draws: Draws, sizes: QuickstartSizes, parallel: DirectionSet, sampled: DirectionSet
) -> dict[str, list[Row]]:
    """Rows of every file, by its name without the ending."""
    supervised = supervised_directions()
    sft = draws.mixture("train", sizes.sft, supervised, "sft")
    shown = with_flaws(sft, sizes.flawed_share, draws.random("sft|flaws"))
    lat = draws.translations("train", sizes.lat, supervised, "lat")
    used = frozenset(example.prompt for example in sft)
    preference = draws.fresh_mixture("preference", sizes.preference, directions(sampled), "preference", used)
    used |= {example.prompt for example in preference}
    rl = draws.fresh_mixture("rl", sizes.rl, directions(sampled), "rl", used)
    tuned = {"sft": shown, "lat": lat}
    prompts = {"preference": preference, "rl": rl}
    return {
        "cpt_mono": monolingual_rows(draws, sizes.mono),
        "cpt_parallel": parallel_rows(draws, sizes.parallel, parallel),
        "cpt_instructions": instruction_rows(draws, sizes.instructions),
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


def parallel_rows(draws: Draws, count: int, which: DirectionSet) -> list[Row]:
    """Sentence pairs as text in several layouts, the directions taken in turn."""
    random = draws.random("cpt_parallel|layout")
    examples = draws.translations("train", count, directions(which), "cpt_parallel")
    columns = ("source_language", "source", "target_language", "reference")
    fields = [[example.extra[name] for name in columns] for example in examples]
    texts = [
        parallel_text(source, first, target, second, random.randrange(len(PARALLEL_LAYOUTS)))
        for source, first, target, second in fields
    ]
    pairs = [[source, target] for source, _, target, _ in fields]
    rows = ({"text": text, "languages": pair} for text, pair in zip(texts, pairs, strict=True))
    return _numbered("cpt-parallel", rows)


def instruction_rows(draws: Draws, counts: TaskCounts) -> list[Row]:
    """Instructions and answers as plain text."""
    examples = draws.mixture("train", counts, supervised_directions(), "cpt_instructions")
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

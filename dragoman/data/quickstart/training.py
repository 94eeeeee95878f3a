"""Files that training reads: cpt_*.jsonl, sft.jsonl, lat.jsonl, preference.jsonl, rl.jsonl."""

from collections.abc import Sequence
from itertools import cycle

from dragoman.data.quickstart.directions import Direction, directions
from dragoman.data.quickstart.draws import Draws
from dragoman.data.quickstart.examples import Example
from dragoman.data.quickstart.file_rows import ChatRow, FileRow, PromptRow, TextRow
from dragoman.data.quickstart.flaws import with_flaws
from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.settings import QuickstartSizes, TaskCounts
from dragoman.data.quickstart.templates import draw_combinations, render
from dragoman.text.wordings import PARALLEL_LAYOUTS, parallel_text

SUMS_PER_TEXT = 8
"""A text of cpt_sums.jsonl is the workings of so many problems."""


def training_files(draws: Draws, sizes: QuickstartSizes) -> dict[str, Sequence[FileRow]]:
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
        **{name: [ChatRow(f"{name}-{n:06}", e) for n, e in enumerate(rows)] for name, rows in tuned.items()},
        **{name: [PromptRow(f"{name}-{n:06}", e) for n, e in enumerate(rows)] for name, rows in prompts.items()},
    }


def monolingual_rows(draws: Draws, count: int) -> list[TextRow]:
    """Sentences, the languages taken in turn."""
    found = draw_combinations("train", count, seed=draws.seed, random=draws.random("cpt_mono"))
    draws.random("cpt_mono|order").shuffle(found)
    spread = zip(found, cycle(LANGUAGES), strict=False)
    return [TextRow(f"cpt-mono-{n:06}", render(c, code), language=code) for n, (c, code) in enumerate(spread)]


def parallel_rows(draws: Draws, count: int, pairs: Sequence[Direction]) -> list[TextRow]:
    """Sentence pairs as text in several layouts, the directions taken in turn; `languages` is source and target."""
    random = draws.random("cpt_parallel|layout")
    examples = draws.translations("train", count, pairs, "cpt_parallel")
    once = [n for n, layout in enumerate(PARALLEL_LAYOUTS) if layout.count("{first}") == 1]
    rows = []
    for n, example in enumerate(examples):
        source, target = _languages(example)
        # a layout that brings the first sentence back shows the other direction, too
        layout = random.choice(range(len(PARALLEL_LAYOUTS)) if (target, source) in pairs else once)
        text = parallel_text(source, example.extra["source"], target, example.answer, layout)
        rows.append(TextRow(f"cpt-parallel-{n:06}", text, languages=(source, target)))
    return rows


def _languages(example: Example) -> tuple[str, ...]:
    """Source and target of a translation; none of another task."""
    return tuple(example.extra[name] for name in ("source_language", "target_language") if name in example.extra)


def instruction_rows(draws: Draws, counts: TaskCounts, pairs: Sequence[Direction]) -> list[TextRow]:
    """Instructions and answers as plain text."""
    examples = draws.mixture("train", counts, pairs, "cpt_instructions")
    texts = [(f"Question: {example.prompt}\nAnswer: {example.answer}", _languages(example)) for example in examples]
    return [TextRow(f"cpt-instructions-{n:06}", text, languages=pair) for n, (text, pair) in enumerate(texts)]


def sums_rows(draws: Draws, count: int) -> list[TextRow]:
    """Workings of training's problems without their questions: the facts of arithmetic, many to a text."""
    examples = draws.general("math", "train", count * SUMS_PER_TEXT, "cpt_sums")
    workings = [example.answer for example in examples]
    texts = ("\n".join(workings[start::count]) for start in range(count))
    return [TextRow(f"cpt-sums-{n:06}", text) for n, text in enumerate(texts)]

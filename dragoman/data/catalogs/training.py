"""Files that training reads: cpt_*.jsonl, sft.jsonl, lat.jsonl, preference.jsonl, rl.jsonl."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from dragoman.data.catalogs.drawing import Pool, draw_mixture, pairs_of, take, translations
from dragoman.data.catalogs.items import Item, chat_row, prompt_row, text_row
from dragoman.data.catalogs.meanings import Meaning
from dragoman.data.catalogs.settings import PIVOT, Direction, directions
from dragoman.text.wordings import PARALLEL_LAYOUTS, parallel_text

Rows = list[dict[str, Any]]
LINES = 6
"""Most texts of one place that make one document of cpt_mono.jsonl"""


def training_files(pool: Pool) -> dict[str, Rows]:
    """Rows of every file, by its name without the ending."""
    sizes = pool.sizes
    pool = limited(pool)
    sft = draw_mixture(pool, "train", sizes.sft_shares, sizes.sft, "sft")
    lat = translations(pool.of("train"), sizes, pool.random("lat"), english_only=True)
    prompts = {
        "preference": draw_mixture(pool, "preference", sizes.sampled_shares, sizes.preference, "preference"),
        "rl": draw_mixture(pool, "rl", sizes.sampled_shares, sizes.rl, "rl"),
    }
    return {
        "cpt_mono": monolingual_rows(pool),
        "cpt_parallel": parallel_rows(pool),
        "cpt_instructions": instruction_rows(pool),
        "sft": _numbered("sft", sft, chat_row),
        "lat": _numbered("lat", take(lat, sizes.lat, "lat"), chat_row),
        **{name: _numbered(name, items, prompt_row) for name, items in prompts.items()},
    }


def limited(pool: Pool) -> Pool:
    """The pool with at most `sizes.pairs` training texts of each language, drawn alike whatever else is asked for."""
    train = pool.of("train")
    order = pool.random("pairs").sample(range(len(train)), len(train))
    kept: dict[str, set[int]] = {}
    for code in pool.sizes.others:
        kept[code] = set([place for place in order if train[place].has(code)][: pool.sizes.pairs])
    chosen = []
    for place, meaning in enumerate(train):
        texts = {c: text for c, text in meaning.texts.items() if c == PIVOT or place in kept.get(c, ())}
        if len(texts) > 1:
            chosen.append(replace(meaning, texts=texts))
    return replace(pool, meanings=(*chosen, *(m for m in pool.meanings if m.split != "train")))


def monolingual_rows(pool: Pool) -> Rows:
    """Documents of up to `LINES` texts from one place in one language, the languages taken in turn."""
    random = pool.random("cpt_mono")
    texts = [*pool.of("train"), *pool.documents("train")]
    by_language = {code: random.sample(found := documents(texts, code), len(found)) for code in pool.sizes.languages}
    rows: Rows = []
    for turn in range(max(map(len, by_language.values()), default=0)):
        for code, found in by_language.items():
            if turn < len(found) and len(rows) < pool.sizes.mono:
                text, first = found[turn]
                rows.append(text_row(f"cpt-mono-{len(rows):06}", text, first.provenance, first.licence, code))
    return rows


def documents(meanings: Sequence[Meaning], language: str) -> list[tuple[str, Meaning]]:
    """Texts in one language as documents, each with the first of its meanings."""
    found = []
    for _, group in groupby((m for m in meanings if m.has(language)), key=lambda meaning: meaning.provenance):
        members = list(group)
        for start in range(0, len(members), LINES):
            part = members[start : start + LINES]
            found.append(("\n".join(meaning.texts[language] for meaning in part), part[0]))
    return found


def parallel_rows(pool: Pool) -> Rows:
    """Sentence pairs as text in several layouts, the directions taken in turn; at most `sizes.parallel`."""
    shown = (*pool.sizes.supervised, *directions(pool.sizes.read))
    random = pool.random("cpt_parallel")
    rows: Rows = []
    for meaning, direction in pairs_of(pool.of("train"), shown, random):
        if len(rows) >= pool.sizes.parallel:
            break
        source, target = direction
        layout = random.choice(_layouts(direction, shown))
        text = parallel_text(source, meaning.texts[source], target, meaning.texts[target], layout)
        identifier = f"cpt-parallel-{len(rows):06}"
        rows.append(text_row(identifier, text, meaning.provenance, meaning.licence, source, target))
    return rows


def _layouts(direction: Direction, shown: Sequence[Direction]) -> list[int]:
    """A layout that brings the first sentence back shows the other direction, too."""
    back = (direction[1], direction[0]) in shown
    return [n for n, layout in enumerate(PARALLEL_LAYOUTS) if back or layout.count("{first}") == 1]


def instruction_rows(pool: Pool) -> Rows:
    """Questions and answers of every task as plain text."""
    items = draw_mixture(pool, "train", pool.sizes.sft_shares, pool.sizes.instructions, "cpt_instructions")
    return [_instruction_row(f"cpt-instructions-{n:06}", item) for n, item in enumerate(items)]


def _instruction_row(identifier: str, item: Item) -> dict[str, Any]:
    pair = [item.columns[name] for name in ("source_language", "target_language") if name in item.columns]
    text = f"Question: {item.prompt}\nAnswer: {item.answer}"
    return text_row(identifier, text, item.provenance, item.licence, *pair)


def _numbered(name: str, items: Sequence[Item], row: Any) -> Rows:
    return [row(f"{name}-{number:06}", item) for number, item in enumerate(items)]

"""The files of every stage from segments of any languages.

train      -> cpt_mono, cpt_parallel, sft (post-editing where a draft is known), lat
preference -> preference          rl -> rl          drafts of train and preference -> pairs
eval, development -> the suites translation_*, mt_instructions, terms_none, terms_proper, terms_random

A share of sft, preference and rl asks for instructed localisation (dragoman.data.localisation). Its terms are those of
the training split, and of a glossary. Of sft and rl, `tasks` gives shares to other tasks (dragoman.data.corpora.tasks);
of sft `general` does, of rl `reasoning` (general.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from random import Random
from types import MappingProxyType
from typing import Any

import numpy as np

from dragoman.data.catalogs.identity import Split
from dragoman.data.catalogs.items import Item, chat_row, prompt_row, suite_row, text_row
from dragoman.data.corpora.entities import TASK as ENTITIES
from dragoman.data.corpora.entities import Tagged, entity_items
from dragoman.data.corpora.general import TRANSLATION, counts_of, reasoning_suite, with_general, with_reasoning
from dragoman.data.corpora.instructed import Asked, instructed_suites, termbase
from dragoman.data.corpora.ordinary import Ordinary, translation_item
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.store import Stored
from dragoman.data.corpora.tasks.mixing import Files, mixed
from dragoman.data.corpora.workers import FEW
from dragoman.data.localisation import Termbase
from dragoman.text.wordings import PARALLEL_LAYOUTS, Position, parallel_text

Row = dict[str, Any]
Rows = Iterable[Row]
Pool = Mapping[Split, Stored]
Annotated = Mapping[Split, Sequence[Tagged]]
NONE: Annotated = MappingProxyType({})


def stage_files(
    pool: Pool, sizes: CorpusSizes, seed: int, glossary: Iterable[Segment] = (), entities: Annotated = NONE
) -> dict[str, Rows]:
    """Rows of every file, by its name without the ending; each is made as it is read."""
    shown = {split: _shown(found, sizes) for split, found in pool.items()}
    train = _shuffled(shown["train"], f"{seed}|corpus|train")
    base = termbase(shown["train"], glossary) if sizes.instructed else Termbase()

    def random(name: str) -> Random:
        return Random(f"{seed}|corpus|{name}|wordings")

    def items_of(name: str, chosen: Stored, limit: int, *, post_editing: bool = False) -> Iterator[Item]:
        edited = post_editing and "post_editing" not in sizes.tasks
        ordinary = Ordinary(base, sizes.instructed, sizes.instruction, edited)
        if name == "preference" or not sizes.tasks:
            processes = sizes.processes if limit > FEW else 1
            return islice(ordinary.items(chosen, f"{seed}|corpus|{name}|wordings", processes), limit)
        rows = partial(ordinary.rows, random=random(name))
        files = Files.of([pool["train"], pool["rl"]] if name == "rl" else [pool["train"]])
        annotated = entities.get("rl" if name == "rl" else "train", ())
        beside = {ENTITIES: entity_items(annotated, random(f"{name}|entities"))} if sizes.entities else {}
        return mixed(chosen, files, sizes.tasks, limit, rows, random(f"{name}|tasks"), name, beside)

    files: dict[str, Rows] = {
        "cpt_mono": monolingual_rows(train, sizes.mono),
        "cpt_parallel": parallel_rows(train, sizes, random("cpt_parallel")),
        "sft": _sft(partial(items_of, "sft", train, post_editing=True), len(train), sizes, seed),
        "lat": _chats(
            "lat", islice(_translations(train, random("lat"), sizes.instruction, english_only=True), sizes.lat)
        ),
    }
    sampled: tuple[tuple[Split, int], ...] = (("preference", sizes.preference), ("rl", sizes.rl))
    for name, limit in sampled:
        items = items_of(name, _shuffled(shown[name], f"{seed}|corpus|{name}"), limit)
        if name == "rl" and sizes.reasoning:
            items = islice(with_reasoning(items, sizes.reasoning, sizes.reasoning_tasks, seed), limit)
        files[name] = (prompt_row(f"{name}-{n:06}", item) for n, item in enumerate(items))
    files["pairs"] = pair_rows([pool["train"], pool["preference"]], random("pairs"), sizes.instruction)
    measured: tuple[tuple[Split, int], ...] = (
        ("eval", sizes.eval_per_direction), ("development", sizes.development_per_direction),
    )  # fmt: skip
    for split, limit in measured:
        files |= suite_files(split, pool[split], sizes, limit, seed)
        if sizes.reasoning:
            asked = reasoning_suite(split, sizes.reasoning_tasks, limit, seed)
            files[f"{split}/reasoning"] = suite_rows(split, "reasoning", asked)
        if sizes.entities:
            drawn = Random(f"{seed}|corpus|{split}|entities")
            found_entities = islice(entity_items(entities.get(split, ()), drawn, english_only=True), limit)
            files[f"{split}/{ENTITIES}"] = suite_rows(split, ENTITIES, found_entities)
        if sizes.instructed:
            found = instructed_suites(_shown(pool[split], sizes), base, limit, Random(f"{seed}|corpus|{split}|rules"))
            files |= {f"{split}/{suite}": suite_rows(split, suite, items) for suite, items in found.items()}
    return files


def suite_files(split: str, found: Stored, sizes: CorpusSizes, limit: int, seed: int) -> dict[str, Rows]:
    """A suite of the directions that training sees, and one of those it does not; at most `limit` rows a direction."""
    random = Random(f"{seed}|corpus|{split}")
    both = _both_ways(found) if sizes.both_ways else found
    suites: dict[str, list[Item]] = {}
    for direction, places in sorted(both.by_direction().items()):
        suite = "translation_zero_shot" if sizes.hides(direction) else "translation_supervised"
        chosen = both.at(places[random.sample(range(len(places)), min(limit, len(places)))])
        suites.setdefault(suite, []).extend(_translations(chosen, random, sizes.instruction, english_only=True))
    return {f"{split}/{suite}": suite_rows(split, suite, items) for suite, items in suites.items()}


def suite_rows(split: str, suite: str, items: Iterable[Item]) -> list[Row]:
    """The rows of a suite."""
    return [suite_row(f"{split}-{suite}-{n:06}", item, suite) for n, item in enumerate(items)]


def pair_row(identifier: str, asked: Asked, random: Random, position: Position) -> Row:
    """The edited translation preferred to its draft."""
    item = translation_item(asked, random, position)
    messages = [{"role": "user", "content": item.prompt}]
    sides = {"chosen": item.answer, "rejected": asked[1].draft}
    return {"id": identifier, "cluster": item.cluster, "messages": messages, **sides, **item.columns, **item.origin}


def pair_rows(pools: Sequence[Stored], random: Random, position: Position) -> Iterator[Row]:
    """A pair for each segment with a draft that was changed."""
    drafted = ((q, s) for pool in pools for q, s in pool if s.draft and s.draft != s.target)
    return (pair_row(f"pair-{n:06}", asked, random, position) for n, asked in enumerate(drafted))


def monolingual_rows(train: Stored, limit: int) -> Iterator[Row]:
    """Each text once, in the order of the segments."""
    seen: set[int] = set()
    for s in (side for _, segment in train for side in (segment, segment.turned())):
        if len(seen) == limit:
            return
        content = f"{s.source_language}\t{s.source}".encode("utf-8", "replace")
        mark = int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")
        if mark not in seen:
            yield text_row(f"cpt-mono-{len(seen):07}", s.source, s.provenance, s.licence, s.source_language)
            seen.add(mark)


def parallel_rows(train: Stored, sizes: CorpusSizes, random: Random) -> Iterator[Row]:
    """Pairs as text in several layouts; only those that show one direction where the other is not shown."""
    layouts = [n for n, text in enumerate(PARALLEL_LAYOUTS) if sizes.both_ways or text.count("{first}") == 1]
    for number, (_, s) in enumerate(islice(train, sizes.parallel)):
        text = parallel_text(s.source_language, s.source, s.target_language, s.target, random.choice(layouts))
        languages = (s.source_language, s.target_language)
        yield text_row(f"cpt-parallel-{number:07}", text, s.provenance, s.licence, *languages)


def _translations(
    asked: Iterable[Asked], random: Random, position: Position, *, english_only: bool = False
) -> Iterator[Item]:
    return (translation_item(one, random, position, english_only=english_only) for one in asked)


def _chats(name: str, items: Iterable[Item]) -> Iterator[Row]:
    return (chat_row(f"{name}-{n:07}", item) for n, item in enumerate(items))


def _sft(items_of: Callable[..., Iterator[Item]], segments: int, sizes: CorpusSizes, seed: int) -> Iterator[Row]:
    """Translations and, if wanted, rows of other tasks among them. Every segment is at least one item, unless it is no
    row of a task that `tasks` gives it to: then they are made first, and counted."""
    if not sizes.general:
        return _chats("sft", items_of(limit=sizes.sft))
    items: Iterable[Item] = items_of(limit=counts_of(sizes.general, segments, sizes.sft)[TRANSLATION])
    if sizes.tasks:
        items = made = list(items)
        segments = len(made)
    return with_general(items, segments, sizes.general, sizes.sft, seed)


def _both_ways(found: Stored) -> Stored:
    """Each segment, and behind it the opposite direction."""
    turned = np.tile(np.array([False, True]), len(found))
    return Stored(found.store, np.repeat(found.numbers, 2), turned, found.questions)


def _shown(found: Stored, sizes: CorpusSizes) -> Stored:
    """The segments that training sees, in both directions if that is wanted; none of a zero-shot one."""
    both = _both_ways(found) if sizes.both_ways else found
    hidden = [places for direction, places in both.by_direction().items() if sizes.hides(direction)]
    return both.at(np.delete(np.arange(len(both)), np.concatenate(hidden) if hidden else []))


def _shuffled(found: Stored, purpose: str) -> Stored:
    places = list(range(len(found)))
    Random(purpose).shuffle(places)
    return found.at(np.array(places, np.int64))

"""The files of every stage from segments of any languages.

train      -> cpt_mono, cpt_parallel, sft (post-editing where a draft is known), lat
preference -> preference          rl -> rl          drafts of train and preference -> pairs
eval, development -> eval/translation_*.jsonl, development/translation_*.jsonl
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from dragoman.data.catalogs.identity import Split
from dragoman.data.catalogs.items import Item, chat_row, prompt_row, suite_row, text_row
from dragoman.data.catalogs.translating import chrf_reward, direction_gate
from dragoman.data.catalogs.wordings import translation_prompt
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.splits import Pool
from dragoman.text.languages import language_name
from dragoman.text.wordings import PARALLEL_LAYOUTS, parallel_text

Rows = list[dict[str, Any]]
Asked = tuple[str, Segment]
"""A question and one of its segments"""
POST_EDITING = (
    "Improve this draft of a translation from {source_language} into {target_language}. Answer with the improved "
    "translation only.\n{source}\n\n{draft}"
)


def stage_files(pool: Pool, sizes: CorpusSizes, seed: int) -> dict[str, Rows]:
    """Rows of every file, by its name without the ending."""
    trained = {split: _shown(found, sizes) for split, found in pool.items()}
    train, random = _shuffled(trained.get("train", ()), f"{seed}|corpus|train"), Random(f"{seed}|corpus|wordings")
    sft = [item for asked in train for item in _items(asked, random)]
    lat = [translation_item(asked, random, english_only=True) for asked in train[: sizes.lat]]
    files = {
        "cpt_mono": monolingual_rows(train, sizes.mono),
        "cpt_parallel": parallel_rows(train, sizes, random),
        "sft": [chat_row(f"sft-{n:07}", item) for n, item in enumerate(sft[: sizes.sft])],
        "lat": [chat_row(f"lat-{n:06}", item) for n, item in enumerate(lat)],
    }
    sampled: tuple[tuple[Split, int], ...] = (("preference", sizes.preference), ("rl", sizes.rl))
    for name, limit in sampled:
        asked = _shuffled(trained.get(name, ()), f"{seed}|corpus|{name}")[:limit]
        items = (translation_item(one, random) for one in asked)
        files[name] = [prompt_row(f"{name}-{n:06}", item) for n, item in enumerate(items)]
    measured: tuple[tuple[Split, int], ...] = (
        ("eval", sizes.eval_per_direction), ("development", sizes.development_per_direction),
    )  # fmt: skip
    edited: tuple[Split, ...] = ("train", "preference")
    drafted = [(q, s) for split in edited for q, s in pool.get(split, ()) if s.draft and s.draft != s.target]
    files["pairs"] = [pair_row(f"pair-{n:06}", asked, random) for n, asked in enumerate(drafted)]
    for split, limit in measured:
        files |= suite_files(split, pool.get(split, ()), sizes, limit, seed)
    return {name: rows for name, rows in files.items() if rows}


def suite_files(split: str, found: Sequence[Asked], sizes: CorpusSizes, limit: int, seed: int) -> dict[str, Rows]:
    """A suite of the directions that training sees, and one of those it does not; at most `limit` rows a direction."""
    random = Random(f"{seed}|corpus|{split}")
    by_direction: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for question, segment in found:
        for one in (segment, turned(segment)) if sizes.both_ways else (segment,):
            by_direction[one.direction].append((question, one))
    suites: dict[str, list[Item]] = defaultdict(list)
    for direction, asked in sorted(by_direction.items()):
        suite = "translation_zero_shot" if "-".join(direction) in sizes.zero_shot else "translation_supervised"
        chosen = random.sample(asked, min(limit, len(asked)))
        suites[suite] += [translation_item(one, random, english_only=True) for one in chosen]
    return {
        f"{split}/{suite}": [suite_row(f"{split}-{suite}-{n:06}", item, suite) for n, item in enumerate(items)]
        for suite, items in suites.items()
    }


def translation_item(asked: Asked, random: Random, *, english_only: bool = False) -> Item:
    """A segment to be translated, under a wording drawn at random."""
    question, s = asked
    prompt = translation_prompt(s.direction, s.source, random, english_only=english_only)
    return _item(question, s, "translation", prompt)


def pair_row(identifier: str, asked: Asked, random: Random) -> dict[str, Any]:
    """The edited translation preferred to its draft."""
    item = translation_item(asked, random)
    messages = [{"role": "user", "content": item.prompt}]
    sides = {"chosen": item.answer, "rejected": asked[1].draft}
    return {"id": identifier, "cluster": item.cluster, "messages": messages, **sides, **item.columns, **item.origin}


def turned(segment: Segment) -> Segment:
    """The opposite direction; its draft is one of the other text, so it goes."""
    return replace(
        segment, source=segment.target, target=segment.source, source_language=segment.target_language,
        target_language=segment.source_language, draft="",
    )  # fmt: skip


def monolingual_rows(train: Sequence[Asked], limit: int) -> Rows:
    """Each text once, in the order of the segments."""
    texts = ((side.source, side) for _, segment in train for side in (segment, turned(segment)))
    seen: set[tuple[str, str]] = set()
    rows: Rows = []
    for text, s in texts:
        key = (s.source_language, text)
        if len(rows) < limit and key not in seen:
            seen.add(key)
            rows.append(text_row(f"cpt-mono-{len(rows):07}", text, s.provenance, s.licence, s.source_language))
    return rows


def parallel_rows(train: Sequence[Asked], sizes: CorpusSizes, random: Random) -> Rows:
    """Pairs as text in several layouts; only those that show one direction where the other is not shown."""
    rows: Rows = []
    layouts = [n for n, text in enumerate(PARALLEL_LAYOUTS) if sizes.both_ways or text.count("{first}") == 1]
    for number, (_, s) in enumerate(train[: sizes.parallel]):
        text = parallel_text(s.source_language, s.source, s.target_language, s.target, random.choice(layouts))
        languages = (s.source_language, s.target_language)
        rows.append(text_row(f"cpt-parallel-{number:07}", text, s.provenance, s.licence, *languages))
    return rows


def _items(asked: Asked, random: Random) -> Iterator[Item]:
    """The translation; and the post-editing of its draft."""
    yield translation_item(asked, random)
    question, s = asked
    if s.draft and s.draft != s.target:
        prompt = POST_EDITING.format(
            source_language=language_name(s.source_language), target_language=language_name(s.target_language),
            source=s.source, draft=s.draft,
        )  # fmt: skip
        yield _item(question, s, "post_editing", prompt)


def _item(question: str, s: Segment, task: str, prompt: str) -> Item:
    columns = {
        "source_language": s.source_language, "target_language": s.target_language, "source": s.source,
        "reference": s.target, **({"domain": s.domain} if s.domain else {}),
    }  # fmt: skip
    rewards = (chrf_reward(s.target), direction_gate(s.direction))
    return Item(task, question, prompt, s.target, rewards, columns, s.provenance, s.licence, "segment")


def _shown(found: Sequence[Asked], sizes: CorpusSizes) -> list[Asked]:
    """The segments that training sees, in both directions if that is wanted; none of a zero-shot one."""
    both = [(q, one) for q, s in found for one in ((s, turned(s)) if sizes.both_ways else (s,))]
    return [(q, s) for q, s in both if "-".join(s.direction) not in sizes.zero_shot]


def _shuffled(items: Iterable[Asked], purpose: str) -> list[Asked]:
    found = list(items)
    Random(purpose).shuffle(found)
    return found

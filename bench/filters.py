"""Filters on real pairs with injected noise: what each kind of noise is caught by, and what clean pairs are lost.

    python bench/filters.py [--pairs 6000] [--languages de fr es cs ja ru]

Pairs are interface texts of Home Assistant and Horizon (packages), the clean half as they are, the other half damaged
in twelve ways. The clean half was written by people and not checked: what the filters call a fault there is counted as
lost, and some of it is one (the samples are printed). Repetitions among the clean pairs are taken out first, by exact
comparison. Precision: of the pairs that are left out (by all filters; by each), the share that was damaged. Recall: of
the damaged, the share that is left out. One line of JSON at the end has the worst of both, and the pairs a second of
the cheap filters (all but near_duplicates, language).
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rich.console import Console
from rich.table import Table

from dragoman.data.catalogs.catalog_files import read_catalog
from dragoman.data.corpora.filters import FILTERS
from dragoman.data.corpora.funnel import Funnel
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.packages.fetching import fetch
from dragoman.packages.table import PACKAGES

SLOW = ("near_duplicates", "language", "quality")


def real_pairs(languages: tuple[str, ...]) -> Iterator[Segment]:
    """English texts of four words or more with their translations."""
    for name in ("homeassistant", "horizon"):
        package = PACKAGES[name]
        entries, _ = read_catalog(package, fetch(package, ()), languages)
        for number, entry in enumerate(entries):
            if len(entry.english.split()) >= 4 and "[%key:" not in entry.english and entry.text:
                yield Segment(entry.english, entry.text, "en", entry.language, f"{name}:{number}")


def without_near(segments: list[Segment], near: float, count: int) -> list[Segment]:
    """The first `count` of which no two sources of a language are nearly the same, by exact Jaccard similarity: the
    catalogs repeat themselves, and a repetition that is left out is no loss."""
    kept: dict[str, list[set[str]]] = defaultdict(list)
    found = []
    for s in segments:
        words = " ".join(re.findall(r"[^\W_]+", s.source.casefold()))
        pieces = {words[i : i + 5] for i in range(max(1, len(words) - 4))}
        held = kept[s.target_language]
        if not any(len(pieces & other) >= (near - 0.1) * len(pieces | other) for other in held):
            held.append(pieces)
            found.append(s)
        if len(found) == count:
            break
    return found


def damages(random: Random, others: list[Segment]) -> dict[str, Callable[[Segment], Segment | None]]:
    """Kinds of noise: a damaged segment, or None where a segment offers no place for it."""

    def other(s: Segment, language: str | None = None) -> Segment:
        found = random.choice(others)
        while found.source == s.source or (language and found.target_language != language):
            found = random.choice(others)
        return found

    def changed_number(s: Segment) -> Segment | None:
        places = [i for i, c in enumerate(s.target) if c.isdecimal()]
        if not places or not any(c.isdecimal() for c in s.source):
            return None
        i = random.choice(places)
        digit = str((int(s.target[i]) + random.randint(1, 8)) % 10)
        return replace(s, target=s.target[:i] + digit + s.target[i + 1 :])

    def lost_placeholder(s: Segment) -> Segment | None:
        start, end = s.target.find("{"), s.target.find("}")
        return replace(s, target=s.target[:start] + s.target[end + 1 :]) if 0 <= start < end else None

    def wrong_table(s: Segment) -> Segment | None:
        try:
            text = s.target.encode("utf-8").decode("cp1252")
        except UnicodeDecodeError:
            return None
        return replace(s, target=text) if text != s.target else None

    def other_language(s: Segment) -> Segment:
        found = other(s)
        while found.target_language == s.target_language:
            found = other(s)
        return replace(s, target=found.target)

    def near_duplicate(s: Segment) -> Segment | None:
        return replace(s, source=s.source + random.choice([" now", "!", " again"])) if len(s.source) > 50 else None

    return {
        "copy of the source": lambda s: replace(s, target=s.source),
        "empty target": lambda s: replace(s, target=random.choice(["", " ", "—", "..."])),
        "decoded by the wrong table": wrong_table,
        "control character": lambda s: replace(s, target=s.target[:5] + random.choice("\0\ufffd\x1b") + s.target[5:]),
        "another language": other_language,
        "sides swapped": lambda s: replace(s, source=s.target, target=s.source),
        "changed number": changed_number,
        "lost placeholder": lost_placeholder,
        "cut to a quarter": lambda s: replace(s, target=s.target[: len(s.target) // 4]) if len(s.target) > 60 else None,
        "three times over": lambda s: replace(s, target=" ".join([s.target] * 3)),
        "exact duplicate": lambda s: s,
        "near duplicate": near_duplicate,
    }  # fmt: skip


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6000, help="clean pairs")
    parser.add_argument("--languages", nargs="+", default=["de", "fr", "es", "cs", "ja", "ru"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = Random(options.seed)
    everything = list({(s.source, s.target_language): s for s in real_pairs(tuple(options.languages))}.values())
    clean = without_near(random.sample(everything, len(everything)), CorpusSizes().limits.near, options.pairs)
    kinds = damages(random, everything)
    noisy = []
    for kind, damage in kinds.items():
        drawn = (damage(s) for s in random.sample(clean, len(clean)))
        found = [s for _, s in zip(range(len(clean) // len(kinds)), filter(None, drawn), strict=False)]
        noisy += [(kind, replace(s, place=f"{kind}#{n}")) for n, s in enumerate(found)]
    random.shuffle(noisy)
    sizes = CorpusSizes()
    funnel = Funnel(sizes)
    kept = {s.place for s in funnel.run([*clean, *(s for _, s in noisy)])}
    report(clean, noisy, kept, funnel, options, speed(clean))


def speed(clean: list[Segment]) -> float:
    """Clean pairs a second through the cheap filters, in one process."""
    cheap = CorpusSizes(filters=tuple(name for name in FILTERS if name not in SLOW))
    began = time.perf_counter()
    sum(1 for _ in Funnel(cheap).run(clean))
    return len(clean) / (time.perf_counter() - began)


def report(
    clean: list[Segment], noisy: list[tuple[str, Segment]], kept: set[str], funnel: Funnel,
    options: argparse.Namespace, pairs_per_s: float,
) -> None:  # fmt: skip
    """Tables, and the JSON."""
    lost = [s for s in clean if s.place not in kept]
    both = {p.name: [p.went] for p in funnel.passages}
    caught, total = Counter(k for k, s in noisy if s.place not in kept), Counter(k for k, _ in noisy)
    table = Table("noise", "pairs", "recall")
    for kind, count in total.items():
        table.add_row(kind, str(count), f"{caught[kind] / count:.3f}")
    Console(width=100).print(table)
    alone = Funnel(CorpusSizes())
    list(alone.run(clean))
    table = Table("filter", "of clean pairs", "for instance")
    for passage in alone.passages:
        both[passage.name].append(passage.went)
        example = passage.samples[0] if passage.samples else None
        said = (example.source, example.target, example.reason) if example else ()
        table.add_row(passage.name, str(passage.went), " | ".join(text[:40] for text in said))
    Console(width=160).print(table)
    precisions = {name: round(1 - clean_part / whole, 4) for name, (whole, clean_part) in both.items() if whole}
    precision = sum(caught.values()) / (sum(caught.values()) + len(lost))
    recalls = {kind: round(caught[kind] / count, 4) for kind, count in total.items()}
    print(
        json.dumps(
            {
                "bench": "filters", "clean": len(clean), "damaged": len(noisy), "clean_lost": len(lost),
                "precision": round(precision, 4), "recall": round(sum(caught.values()) / len(noisy), 4),
                "worst_recall": min(recalls.values()), "recalls": recalls,
                "worst_precision": min(precisions.values()), "precisions": precisions,
                "pairs_per_s": round(pairs_per_s),
                "versions": {"python": platform.python_version()},
                "command": f"python bench/filters.py --pairs {options.pairs} --languages {' '.join(options.languages)}",
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()

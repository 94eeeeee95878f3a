"""Which stage sees which direction, read from every text that a file holds: a zero-shot direction is in none."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from dragoman.data.quickstart.build import build
from dragoman.data.quickstart.directions import directions
from dragoman.data.quickstart.languages import LANGUAGES
from dragoman.data.quickstart.settings import QuickstartSizes, StageDirections
from dragoman.data.sources import SourceError, find_source, parse_settings

SUPERVISED = {(a, b) for a, b in (*combinations(("en", "de", "fr", "es"), 2),) if a == "en"}
SUPERVISED |= {(b, a) for a, b in SUPERVISED}
PARALLEL_ONLY = {("de", "fr"), ("fr", "de")}
ZERO_SHOT = {("de", "es"), ("es", "de"), ("fr", "es"), ("es", "fr")}
STAGES = ("sft", "lat", "preference", "rl")
NONE = {"math": 0, "code": 0, "constraints": 0}
SMALL: dict[str, Any] = {
    "mono": 4, "parallel": 240, "sums": 0, "lat": 60, "eval_per_direction": 5, "development_per_direction": 2,
    **{name: {"translation": 60, **NONE} for name in ("instructions", "sft", "preference", "rl")},
    "eval_general": NONE, "development_general": NONE,
}  # fmt: skip
SENTENCES = [
    (code, re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(sentence))))
    for code, language in LANGUAGES.items()
    for sentence in language.sentences.values()
]


def written(folder: Path, **directions: Any) -> dict[str, list[dict[str, Any]]]:
    """Every file of a small quickstart, by its name."""
    build(folder, sizes=QuickstartSizes.model_validate({**SMALL, "directions": directions}))
    paths = sorted(folder.rglob("*.jsonl"))
    return {
        str(path.relative_to(folder).with_suffix("")): [json.loads(line) for line in path.open(encoding="utf-8")]
        for path in paths
    }


def shown(row: dict[str, Any]) -> set[tuple[str, str]]:
    """Directions in which a row says one thing after another, in its text, messages or references."""
    texts = [row.get("text", ""), *(message["content"] for message in row.get("messages", ()))]
    texts += [reward["args"].get("reference", "") for reward in row.get("rewards", ())]
    lines = [re.sub(r"^([A-Z]\w+|Answer): ", "", line) for text in texts for line in text.split("\n")]
    codes = [code for line in lines for code, sentence in SENTENCES if sentence.fullmatch(line)]
    return {pair for pair in combinations(codes, 2) if pair[0] != pair[1]}


def seen(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return set().union(*map(shown, rows))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    return written(tmp_path_factory.mktemp("directions"))


def test_no_stage_sees_a_zero_shot_direction(files: dict[str, list[dict[str, Any]]]) -> None:
    assert seen(files["cpt_parallel"]) == SUPERVISED | PARALLEL_ONLY
    for name in (*STAGES, "cpt_instructions"):
        assert seen(files[name]) == SUPERVISED, name
    assert seen(files["cpt_mono"]) == set()


def test_each_suite_measures_its_directions(files: dict[str, list[dict[str, Any]]]) -> None:
    for split in ("eval", "development"):
        for suite, wanted in (
            ("supervised", SUPERVISED),
            ("parallel_only", PARALLEL_ONLY),
            ("zero_shot", ZERO_SHOT),
        ):
            rows = files[f"{split}/translation_{suite}"]
            assert {(row["source_language"], row["target_language"]) for row in rows} == wanted
            assert {row["suite"] for row in rows} == {f"translation_{suite}"}


def test_parallel_documents_name_source_and_target(files: dict[str, list[dict[str, Any]]]) -> None:
    for row in files["cpt_parallel"]:
        assert tuple(row["languages"]) in shown(row)


def test_a_layout_that_returns_does_not_show_the_direction_that_was_left_out(tmp_path: Path) -> None:
    one_way = {("en", "de"), ("de", "fr")}
    found = written(tmp_path, cpt=["en-de", "de-fr"])
    assert seen(found["cpt_parallel"]) == one_way


def test_the_suites_follow_what_a_recipe_shows(tmp_path: Path) -> None:
    found = written(tmp_path / "rl", cpt="all", rl=["de-es"])
    assert seen(found["rl"]) == {("de", "es")}
    names = {name for name in found if name.startswith("eval/translation")}
    assert names == {"eval/translation_supervised", "eval/translation_parallel_only"}  # nothing is zero-shot
    assert ("de", "es") in seen(found["eval/translation_supervised"])
    narrow = StageDirections(cpt="supervised").suites()
    assert set(narrow) == {"translation_supervised", "translation_zero_shot"}
    assert set(narrow["translation_zero_shot"]) == ZERO_SHOT | PARALLEL_ONLY


def test_sets_are_parts_of_all_twelve() -> None:
    assert set(directions("all")) == SUPERVISED | PARALLEL_ONLY | ZERO_SHOT
    assert set(directions("seen")) == SUPERVISED | PARALLEL_ONLY
    assert directions(["de-en", "de-en"]) == (("de", "en"),)


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (
            "english",
            "directions.rl = 'english' is not allowed: unknown set of directions 'english': choose supervised, ",
        ),
        (["en-xx"], r"directions.rl = \['en-xx'\] is not allowed: unknown direction 'en-xx'"),
        ([], "list one direction or more of en-de, "),
    ],
)
def test_an_unknown_direction_is_refused_with_the_recipe(choice: object, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        parse_settings(find_source("quickstart"), {"directions": {"rl": choice}})

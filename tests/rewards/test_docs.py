"""The example rows of the documentation are rows that load."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rewards import RewardSettings, RewardSpec, Score, known_kinds, registry, validate_rows
from rewards.calling import call
from rewards.doors.check import probes_of
from rewards.mixing import credited_spans
from rewards.records import specs_of
from rewards.registry import find_kind

PAGES = sorted((Path(__file__).parents[2] / "docs" / "rewards").glob("*.md"))
_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)
_NAMED = re.compile(r"`((?:rewards|dragoman)(?:\.\w+)+)[`(]")
_IMPORTED = re.compile(r"^from ((?:rewards|dragoman)[\w.]*) import", re.MULTILINE)
_RUN = re.compile(r"python -m ((?:rewards|dragoman)[\w.]+)")


def rows_of(page: Path) -> list[dict[str, Any]]:
    blocks = [json.loads(text) for text in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [block for block in blocks if "rewards" in block]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_example_rows_load(page: Path) -> None:
    rows = rows_of(page)
    assert rows, f"{page.name} has no example row"
    validate_rows(rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_modules_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {*_NAMED.findall(text), *_IMPORTED.findall(text), *_RUN.findall(text)}
    settings = {f"rewards.{field}" for field in RewardSettings.model_fields}  # keys of a recipe look like modules
    missing = [name for name in named if ".".join(name.split(".")[:2]) not in settings and not _exists(name)]
    assert not missing


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or a name in one."""
    module, _, attribute = name.rpartition(".")
    try:
        if importlib.util.find_spec(name) is not None:
            return True
    except ModuleNotFoundError:
        pass
    return hasattr(importlib.import_module(module), attribute)


def test_the_example_of_a_reward_with_spans_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PAGES[0].parent / "spans.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    exec(compile(block, "spans.md", "exec"), {"__name__": "untranslated_reward"})
    response = "<think>the dog</think>Der dog und the cat"
    row = {"id": "1", "response": response}
    result = call(find_kind("untranslated"), RewardSpec("untranslated", args={"words": ["the", "dog"]}), row)
    assert (result.status, result.value) == ("ok", 0.0)
    assert [(response[s.start : s.end], s.start, s.value) for s in result.spans] == [
        ("the", 34, -1.0),
        ("dog", 26, -1.0),
    ]


def test_the_example_row_with_spans_marks_what_the_page_says() -> None:
    (row,) = rows_of(PAGES[0].parent / "spans.md")
    spec = specs_of(row)[1]
    result = call(find_kind(spec.kind), spec, row)
    credited = credited_spans([spec], Score("s1", 0.0, (result,)))
    assert [(row["response"][s.start : s.end], s.value) for s in credited] == [("18", -2.0), ("{nom}", -2.0)]


def test_the_example_of_an_own_reward_with_gold_and_cheats_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PAGES[0].parent / "README.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "@reward" in block]
    monkeypatch.setattr(registry, "_KINDS", dict(registry._KINDS))
    names: dict[str, Any] = {"__name__": "my_rewards"}
    for block in blocks:
        exec(block, names)
    row = {"id": "n", "source": "2 cats, 3 dogs", "rewards": [{"kind": "keeps_numbers"}]}
    probes = {probe.name: probe for probe in probes_of(row)}
    assert len(blocks) == 2 and probes["gold"].response == "2 cats, 3 dogs"
    assert probes["counts to a hundred"].response.startswith("0 1 2")


def test_every_built_in_kind_is_in_the_overview() -> None:
    text = (PAGES[0].parent / "README.md").read_text(encoding="utf-8")
    built_in = [kind for kind in known_kinds() if find_kind(kind).function.__module__.startswith("rewards.")]
    assert len(built_in) > 20 and not [kind for kind in built_in if f"`{kind}`" not in text]

"""The example rows of the documentation are rows that load."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rewards import known_kinds, validate_rows
from rewards.registry import find_kind

PAGES = sorted((Path(__file__).parents[2] / "docs" / "rewards").glob("*.md"))
_BLOCK = re.compile(r"```json\n(.*?)```", re.DOTALL)


def rows_of(page: Path) -> list[dict[str, Any]]:
    blocks = [json.loads(text) for text in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [block for block in blocks if "rewards" in block]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_example_rows_load(page: Path) -> None:
    rows = rows_of(page)
    assert rows, f"{page.name} has no example row"
    validate_rows(rows)


def test_every_built_in_kind_is_in_the_overview() -> None:
    text = (PAGES[0].parent / "README.md").read_text(encoding="utf-8")
    built_in = [kind for kind in known_kinds() if find_kind(kind).function.__module__.startswith("rewards.")]
    assert len(built_in) > 20 and not [kind for kind in built_in if f"`{kind}`" not in text]

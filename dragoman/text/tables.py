"""Tables of words: YAML beside the module that reads it, for people to edit who do not program; or one text in code."""

from pathlib import Path
from typing import Any

import yaml


def read_table(module: str, name: str | None = None) -> Any:
    """The YAML file called `name` beside a module (its `__file__`), or the one called like the module."""
    path = Path(module).with_suffix(".yaml") if name is None else Path(module).with_name(f"{name}.yaml")
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def listed(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())

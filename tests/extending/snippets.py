"""The code that CONTRIBUTING.md shows, so that what the tests run is what a reader copies."""

import re
from pathlib import Path

import yaml

PAGE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"
_PYTHON = re.compile(r"```python\n# (\w+\.py)\n(.*?)```", re.DOTALL)
_YAML = re.compile(r"```yaml\n(extensions: \[(\w+\.py)\]\n.*?)```", re.DOTALL)


def files():
    """File name -> code."""
    return dict(_PYTHON.findall(PAGE.read_text(encoding="utf-8")))


def recipes():
    """File name of an extension -> keys of the recipe that uses it."""
    return {file: yaml.safe_load(text) for text, file in _YAML.findall(PAGE.read_text(encoding="utf-8"))}

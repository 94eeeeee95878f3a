"""Take the program out of a response: raw code as it is, or the right fenced block of a text."""

from __future__ import annotations

import re

_FENCE = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_PYTHON = ("", "python", "python3", "py", "Python")


def extract_program(response: str, entry: str = "") -> str:
    """The last fenced Python block that defines `entry`, else the last one, else the whole response."""
    blocks = [match.group(3) for match in _FENCE.finditer(response) if match.group(2) in _PYTHON]
    if not blocks:
        return response
    name = entry.split(".")[0]
    defining = [block for block in blocks if name and _defines(block, name)]
    return (defining or blocks)[-1]


def _defines(block: str, name: str) -> bool:
    return re.search(rf"^\s*(?:async\s+)?(?:def|class)\s+{re.escape(name)}\b", block, re.MULTILINE) is not None

"""Show a model text that someone else wrote without letting that text pass for anything but data.

Each text stands between two marks with a random number that does not occur in any of the texts, so no text can close
its own quotation. The number is also what a verdict must repeat: a verdict copied from a quoted text cannot know it.
"""

import secrets
from collections.abc import Mapping


def fresh_mark(*texts: str) -> str:
    """A random mark that none of the texts contains."""
    while True:
        mark = secrets.token_hex(8)
        if not any(mark in text for text in texts):
            return mark


def quoted(fields: Mapping[str, str], mark: str) -> str:
    """Each text under its name, between marks."""
    return "\n\n".join(f"{name.upper()}\n<<<{mark}\n{text}\n{mark}>>>" for name, text in fields.items())

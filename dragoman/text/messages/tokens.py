"""Placeholders that are one token: what they look like in two dozen frameworks, and the one form in which each is
compared.

The first pattern that fits at a place wins. printf's placeholders are compared by their position, so `%2$s … %1$d` is a
right translation of `%d … %s`, and `%d … %s` for `%s … %d`, which crashes, is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FLAGS = r"[-+#0'I]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh?|ll?|[Lqjzt])?"
_FORMS = {
    "template": r"\{%.*?%\}|\{\{\{[^{}]*\}\}\}|\{\{[^{}]*\}\}",
    "code": r"<%.*?%>|\[%.*?%\]",
    "brace": r"[#$%@]?\{[^{}\n]*\}",
    "nested": r"\$t\([^()]*\)",
    "named": r"%\(\w+\)[-+#0]*\d*(?:\.\d+)?[sdiufFeEgGxXocr]|%<\w+>[-+#0]*\d*(?:\.\d+)?[sdiufeEgGxXoc]",
    "stringsdict": r"%(?:\d+\$)?#@\w+@",
    "bounded": r"(?<!\w)%[A-Za-z_][A-Za-z_.-]{2,}%(?![%\w])|(?<![\w_])__[A-Za-z]\w*?__(?![\w_])",
    "printf": rf"(?<![\d%])%(?P<position>\d+\$)?(?P<format>{_FLAGS}[sdiufFeEgGxXoc@aAp])",
    "percent": r"%%",
    "qt": r"(?<![\d%])%L?\d{1,2}(?!\d*\$)|(?<![\d%])%L?n(?![A-Za-z])",
    "letter": r"(?<![\d%])(?<!\d\s)%[A-Za-z](?![A-Za-z])",
    "variable": r"(?<![\w$])\$[A-Za-z_]\w*",
    "colon": r"(?<![\w:/])@?:[A-Za-z_]\w+:?",
    "unknown": r"(?<!\w)(?P<mark>##|@@|~|\^|#)[A-Za-z_]\w*(?P=mark)(?!\w)|\[\[[^\[\]]*\]\]",
}
_TOKEN = re.compile("|".join(f"(?P<{form}>{pattern})" for form, pattern in _FORMS.items()))
_SPACES_INSIDE = re.compile(r"\s+")
_CASE = re.compile(r"\s*(?:\{-?\d+\}|[\[\]](?:\d+|-?Inf|\*),(?:\d+|\+?Inf|\*)[\[\]])\s*\S")
_STRAY = re.compile(r"[#$%@]?\{+\s?[\w.-]*|[\w.-]*\}+|(?<!\d)(?<!\d\s)%\(?\w*")
_SECTION = re.compile(r"\{\{\s*([#^/])\s*([\w.-]+)[^{}]*\}\}")


@dataclass(frozen=True)
class Token:
    """A placeholder of a text."""

    form: str
    text: str
    label: str
    """By which it is compared: without white space inside braces, printf's with its position"""
    start: int
    """Where it stands in the text"""


def find_placeholders(text: str) -> list[str]:
    """Placeholders as they stand in the text, in order."""
    return [token.text for token in tokens(text)]


def tokens(text: str) -> list[Token]:
    """Placeholders in order."""
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    dated = len(re.findall(r"(?<!%)%[YmHMSyBbjZpI](?![A-Za-z])", text)) > 1
    for match in _TOKEN.finditer(text):
        form, label = str(match.lastgroup if match.lastgroup in _FORMS else _form(match)), match[0]
        if form in ("brace", "template"):
            label = _SPACES_INSIDE.sub("", label)
        elif form == "printf" and not dated:
            position += not match["position"]
            label = f"%{match['position'] or f'{position}$'}{match['format']}"
        yield Token(form, match[0], label, match.start())


def _form(match: re.Match[str]) -> str:
    return next(form for form in _FORMS if match[form] is not None)


def without_tokens(text: str) -> str:
    """The text around the placeholders."""
    return _TOKEN.sub("", text)


def token_places(text: str) -> list[tuple[int, int]]:
    """Where each placeholder begins and ends, in order."""
    return [match.span() for match in _TOKEN.finditer(text)]


def stray_marks(text: str) -> list[tuple[int, int]]:
    """Braces and per cent signs outside of placeholders, with the name written onto them: pieces of broken ones."""
    blank = _TOKEN.sub(lambda match: " " * len(match[0]), text)
    return [match.span() for match in _STRAY.finditer(blank)]


def mixes_positions(text: str) -> bool:
    """Whether some of printf's placeholders have a number and others have none, which no program accepts."""
    kinds = {match["position"] is not None for match in _TOKEN.finditer(text) if match["format"] is not None}
    return len(kinds) == 2


def sections_nest(text: str) -> bool:
    """Whether Mustache's sections are closed in their order."""
    opened: list[str] = []
    for mark, name in _SECTION.findall(text):
        if mark != "/":
            opened.append(name)
        elif not opened or opened.pop() != name:
            return False
    return not opened


def keeps_cases(source: str, response: str) -> bool:
    """Whether the cases of Laravel's and Symfony's choices (`{0} none|[1,*] some`) still are cases; more may be."""
    wanted, given = ([_CASE.match(part) for part in text.split("|")] for text in (source, response))
    return len(wanted) < 2 or not all(wanted) or (all(given) and len(given) >= len(wanted))


def as_in_java(text: str) -> str:
    """Without what Java's MessageFormat quotes: an apostrophe opens a quotation, two are one."""
    return re.sub(r"'[^']*(?:'|\Z)", "", text.replace("''", "\u02bc"))

"""`several_answers`: a gate that fails when the response is more than the one translation that was asked for.

Alternatives, notes, explanations and announcements raise overlap metrics and please judges; a user wants the
translation. What is said around a translation is found by dragoman/text/additions.py; here its form is compared with
the source's, so that a source which is itself a list or has parentheses is no reason to fail:

- more lines of text than the source has (one more for each three: hard-wrapped text);
- lines that open like a list item when the source has no such line;
- alternatives between slashes or bars (`Haus / Gebäude`) when the source has no slash;
- a parenthesis of four words and more beyond those of the source.

Wording that none of these catches passes ("either X or Y" in one sentence): `length_band` and `alignment` see some.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate

from dragoman.text.addition_places import Addition, locate_addition
from dragoman.text.scripts import is_spaceless
from rewards.records import RewardResult, Span
from rewards.registry import reward
from rewards.spans import SEVERITY

_ITEM = re.compile(r"\s*(?:[-*•‣◦]\s|\(?\d{1,2}[.)]\s|[a-eA-E][.)]\s)")
_ALTERNATIVE = re.compile(r"\w[ ]+[/|][ ]+\w|\s\|\|\s")
_SLASH = re.compile(r"[/|]")
_PARENTHESIS = re.compile(r"[(（\[]([^()（）\[\]]{1,400})[)）\]]")
_LONG_REMARK = 4
_Found = tuple[str, int, int]
"""A piece of a text, where it begins and where it ends"""


@reward("several_answers", timeout_s=5, gate=True)
def several_answers(response: str, source: str) -> RewardResult:
    """1.0 when the response looks like one translation of the source; `detail` says what else it looks like, a span
    marks it.
    """
    found = surplus(response, source)
    if found is None:
        return RewardResult("several_answers", 1.0)
    return RewardResult("several_answers", 0.0, "ok", found.reason, spans=(surplus_span(found),))


def surplus(response: str, source: str) -> Addition | None:
    """What the response has beyond one translation, and where; None when there is nothing."""
    lines, source_lines = _lines(response), _lines(source)
    items = [line for line in lines if _ITEM.match(line[0])]
    counts = (
        ("lines of text", lines, len(source_lines) + len(source_lines) // 3),
        ("list items", items, sum(1 for line, *_ in source_lines if _ITEM.match(line))),
        ("alternatives between slashes", _matches(_ALTERNATIVE.finditer(response)), len(_SLASH.findall(source))),
        ("remarks in parentheses", _remarks(response, source), len(_PARENTHESIS.findall(source))),
    )
    by_words = locate_addition(response, source)
    for what, found, allowed in counts:
        if len(found) > allowed:
            reason, further = f"{len(found)} {what}, the source allows {allowed}", found[allowed:]
            if by_words and by_words.end - by_words.start < len(response):
                return replace(by_words, reason=reason)
            return Addition(reason, further[0][1], further[-1][2])
    return by_words


def surplus_span(found: Addition) -> Span:
    """A major fault where the surplus stands."""
    return Span(found.start, found.end, SEVERITY["major"], found.reason)


def _lines(text: str) -> list[_Found]:
    """Lines with something written in them."""
    starts = accumulate(map(len, text.splitlines(keepends=True)), initial=0)
    lines = zip(text.splitlines(), starts, strict=False)
    return [(line, start, start + len(line)) for line, start in lines if any(map(str.isalnum, line))]


def _remarks(text: str, other: str) -> list[_Found]:
    """Parentheses of four words and more that stand apart, or beside a text that is whole without them."""
    whole = len(_PARENTHESIS.sub("", text)) >= len(_PARENTHESIS.sub("", other))
    found = [match for match in _PARENTHESIS.finditer(text) if _is_long(match[1])]
    return _matches(match for match in found if whole or _stands_apart(text, match))


def _matches(found: Iterable[re.Match[str]]) -> list[_Found]:
    return [(match[0], *match.span()) for match in found]


def _is_long(words: str) -> bool:
    return len(words.split()) >= _LONG_REMARK or (is_spaceless(words) and len(words) > 15)


def _stands_apart(text: str, match: re.Match[str]) -> bool:
    before, after = text[: match.start()].rstrip(), text[match.end() :].strip()
    return not after and before[-1:] not in ("", *",;:")

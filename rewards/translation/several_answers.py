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

from dragoman.text.additions import find_addition
from dragoman.text.scripts import is_spaceless
from rewards.records import RewardResult
from rewards.registry import reward

_ITEM = re.compile(r"\s*(?:[-*•‣◦]\s|\(?\d{1,2}[.)]\s|[a-eA-E][.)]\s)")
_ALTERNATIVE = re.compile(r"\w[ ]+[/|][ ]+\w|\s\|\|\s")
_SLASH = re.compile(r"[/|]")
_PARENTHESIS = re.compile(r"[(（\[]([^()（）\[\]]{1,400})[)）\]]")
_LONG_REMARK = 4


@reward("several_answers", timeout_s=5, gate=True)
def several_answers(response: str, source: str) -> RewardResult:
    """1.0 when the response looks like one translation of the source; `detail` says what else it looks like."""
    reason = surplus(response, source)
    return RewardResult("several_answers", float(reason is None), "ok", reason or "")


def surplus(response: str, source: str) -> str | None:
    """What the response has beyond one translation, or None."""
    lines, source_lines = _lines(response), _lines(source)
    counts = (
        ("lines of text", len(lines), len(source_lines) + len(source_lines) // 3),
        ("list items", len(list(filter(_ITEM.match, lines))), len(list(filter(_ITEM.match, source_lines)))),
        ("alternatives between slashes", len(_ALTERNATIVE.findall(response)), len(_SLASH.findall(source))),
        ("remarks in parentheses", _remarks(response, source), len(_PARENTHESIS.findall(source))),
    )
    for what, found, allowed in counts:
        if found > allowed:
            return f"{found} {what}, the source allows {allowed}"
    return find_addition(response, source)


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if any(map(str.isalnum, line))]


def _remarks(text: str, other: str) -> int:
    """Parentheses of four words and more that stand apart, or beside a text that is whole without them."""
    whole = len(_PARENTHESIS.sub("", text)) >= len(_PARENTHESIS.sub("", other))
    found = [match for match in _PARENTHESIS.finditer(text) if _is_long(match[1])]
    return len(found) if whole else sum(1 for match in found if _stands_apart(text, match))


def _is_long(words: str) -> bool:
    return len(words.split()) >= _LONG_REMARK or (is_spaceless(words) and len(words) > 15)


def _stands_apart(text: str, match: re.Match[str]) -> bool:
    before, after = text[: match.start()].rstrip(), text[match.end() :].strip()
    return not after and before[-1:] not in ("", *",;:")

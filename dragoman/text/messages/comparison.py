"""Whether a translated message has what its source has, in every way through its choices."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dragoman.text.messages.fluent import is_fluent, parse_fluent
from dragoman.text.messages.icu import is_icu, parse_icu
from dragoman.text.messages.records import Message, MessageError, Selection, choices, variants
from dragoman.text.messages.resources import is_android, is_stringsdict, parse_android, parse_stringsdict
from dragoman.text.messages.tokens import (
    Token,
    as_in_java,
    keeps_cases,
    mixes_positions,
    sections_nest,
    tokens,
    without_tokens,
)
from dragoman.text.plurals import is_one_number, plural_gap

GRAMMARS: tuple[tuple[str, Callable[[str], bool], Callable[[str], Message]], ...] = (
    ("stringsdict", is_stringsdict, parse_stringsdict),
    ("Android", is_android, parse_android),
    ("ICU", is_icu, parse_icu),
    ("Fluent", is_fluent, parse_fluent),
)
_PLURALS = ("plural", "selectordinal")
_NUMBER = re.compile(r"%\d+\$[-+#0'I]*\d*(?:hh?|ll?|[Lqjzt])?[diu]")


@dataclass(frozen=True)
class Comparison:
    """Whether a message has its source's placeholders."""

    same: bool | None
    """None when the source has nothing to keep"""
    note: str = ""
    """What is wrong, or what could not be read by a grammar"""
    lost: tuple[Token, ...] = ()
    """The source's placeholders that the response lacks, where each is one token"""
    added: tuple[Token, ...] = ()
    """The response's that the source lacks"""


def compare(source: str, response: str, locale: str | None = None) -> Comparison:
    """Compare a translation with its source; with the target's locale also what CLDR asks of plurals."""
    unread = ""
    for name, is_it, parse in GRAMMARS:
        if is_it(source):
            try:
                wanted = parse(source)
            except MessageError as error:
                unread = f"the source is no {name} ({error}), so its form is unknown"
                continue
            try:
                given = parse(response)
            except MessageError as error:
                return Comparison(False, f"would crash as {name}: {error}")
            return _compare_messages(wanted, given, locale)
    found = _compare_tokens(source, response)
    return replace(found, note="; ".join(filter(None, (found.note, unread))))


def _compare_messages(wanted: Message, given: Message, locale: str | None) -> Comparison:
    if {choice.key for choice in choices(wanted)} != {choice.key for choice in choices(given)}:
        return Comparison(False, "another plural or select than the source's")
    for choice in choices(given) if locale else ():
        ordinal = choice.kind == "selectordinal"
        gap = choice.kind in _PLURALS and plural_gap(
            choice.branches, str(locale), ordinal=ordinal, offset=choice.offset
        )
        if gap:
            return Comparison(False, gap)
    selectors = {key: {s for c in choices(wanted) if c.key == key for s in c.branches} for key in _keys(wanted)}
    offered = {key: {s for c in choices(given) if c.key == key for s in c.branches} for key in selectors}
    for key, names in selectors.items():
        if key[1] not in _PLURALS and names != offered[key]:
            return Comparison(False, f"the selectors of {key[0]!r} differ: {', '.join(sorted(names ^ offered[key]))}")
    return _compare_variants(wanted, given, selectors, locale)


def _keys(message: Message) -> set[tuple[str, str]]:
    return {choice.key for choice in choices(message)}


def _compare_variants(
    wanted: Message, given: Message, selectors: dict[tuple[str, str], set[str]], locale: str | None
) -> Comparison:
    originals = variants(wanted)
    for taken, labels in variants(given):
        match = next((item for item in originals if _fits(item[0], taken, selectors)), None)
        if match is None:
            return Comparison(False, "a branch that the source does not have")
        lost = _kept(match[1] - labels, _may_be_words(taken, locale))
        added = _kept(labels - match[1], _may_be_words(match[0], None))
        if lost or added:
            way = ", ".join(taken.values())
            what = f"lost {lost[0]}" if lost else f"added {added[0]}"
            return Comparison(False, f"{what} in the branch {way}" if way else what)
    return Comparison(True)


def _fits(original: Selection, taken: Selection, selectors: dict[tuple[str, str], set[str]]) -> bool:
    return all(
        selector == (chosen if (chosen := taken.get(key, selector)) in selectors[key] else "other")
        for key, selector in original.items()
    )


def _may_be_words(taken: Selection, locale: str | None) -> frozenset[str]:
    """The numbers that a branch need not show: "one file"."""
    return frozenset(
        variable for (variable, kind), selector in taken.items() if kind in _PLURALS and is_one_number(selector, locale)
    )


def _kept(labels: Counter[str], optional: frozenset[str]) -> list[str]:
    names = {f"{{{name}{kind}}}" for name in optional for kind in ("", ",number")}
    return [label for label in labels if label not in names and not (optional and _NUMBER.fullmatch(label))]


def _compare_tokens(source: str, response: str) -> Comparison:
    if re.search(r"\w''\w", source) and re.search(r"\{\d", source):
        plain = _compare_tokens(as_in_java(source), as_in_java(response))
        return replace(plain, lost=(), added=())  # their places are those of another text
    found = tokens(source)
    if not found:
        return Comparison(None)
    loose = {token.form for token in found} | {"brace", "template", "printf", "percent", "named", "stringsdict"}
    given = [token for token in tokens(response) if token.form in loose]
    unknown = [token.text for token in found if token.form == "unknown"]
    note = f"unknown form {unknown[0]}, compared letter by letter" if unknown else ""
    lost, added = _surplus(found, given), _surplus(given, found)
    if lost or added:
        what = f"lost {lost[0].label}" if lost else f"added {added[0].label}"
        return Comparison(False, "; ".join(filter(None, (what, note))), tuple(lost), tuple(added))
    return _compare_marks(source, response, {token.form for token in found}, note)


def _surplus(found: Sequence[Token], others: Sequence[Token]) -> list[Token]:
    """Those that the others do not have, or not so often: the last ones of a label."""
    left = Counter(token.label for token in found) - Counter(token.label for token in others)
    surplus = []
    for token in reversed(found):
        if left[token.label]:
            left[token.label] -= 1
            surplus.append(token)
    return surplus[::-1]


def _compare_marks(source: str, response: str, forms: set[str], note: str) -> Comparison:
    """What is left of marks outside of placeholders: a brace too many, a lone per cent sign."""
    before, after = without_tokens(source), without_tokens(response)
    for mark in "{}" if forms & {"brace", "template"} else "":
        if before.count(mark) != after.count(mark):
            return Comparison(False, f"a {mark!r} that belongs to no placeholder")
    if forms & {"printf", "percent", "named"} and after.count("%") > before.count("%"):
        return Comparison(False, "a lone '%', which has to be '%%'")
    if mixes_positions(response) and not mixes_positions(source):
        return Comparison(False, "placeholders with and without a number")
    if sections_nest(source) and not sections_nest(response):
        return Comparison(False, "a section that is not closed in its order")
    if not keeps_cases(source, response):
        return Comparison(False, "a case without what it is for")
    if r"\'" in source and re.search(r"(?<!\\)'", response) and not re.search(r"(?<!\\)'", source):
        return Comparison(False, "an apostrophe without its backslash")
    return Comparison(True, note)

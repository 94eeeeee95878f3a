"""`error_spans`: the response marks the errors of a translation; F1 over characters, as tower-eval counts it.

    response -> read_marks (JSON, <minor>…</minor>, or "…" - minor) -> characters -> Tally -> F1

A marked character is right where the annotators marked it, and half right where they said another severity
(tower-eval's `severity_mismatch_penalty`; WMT's shared task on quality estimation 2023). A span without length is its
one character. `critical` counts as major, since tower-eval knows two. A text that the translation does not have is no
mark; one that is quoted again is its next occurrence.

Where tower-eval fails, this goes on: nothing marked anywhere is no division by 0, and a tag counts where its text
stands (there, a refused tag shifts all later ones). An answer that marks nothing must say so, or an empty answer
would be right wherever there is no error.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from rewards.annotation.tallies import Tally
from rewards.records import Probe, RewardResult, RewardSpec, Row, Span
from rewards.registry import reward
from rewards.spans import SEVERITY, final_part

SEVERITIES = {"minor": "minor", "major": "major", "critical": "major"}
MISMATCH = 0.5
MOST_MARKS, LONGEST_ANSWER = 1_000, 200_000
NO_ERRORS = "No errors."
_TAG = re.compile(r"<(/?)(minor|major|critical)>")
_CLOSING = re.compile(r'" - (minor|major|critical)')
_FENCE = re.compile(r"^```\w*\n(.*)\n```$", re.DOTALL)
_NONE = re.compile(r"\W*(?:there (?:are|is) )?(?:no errors?|none|keine fehler|no-error)\W*", re.IGNORECASE)
_LISTS = ("annotations", "errors", "error_spans", "spans")


class Mark(NamedTuple):
    """An error in the translation."""

    start: int
    end: int
    severity: str
    place: tuple[int, int] | None = None
    """Where the response says so, for spans"""


class Reading(NamedTuple):
    """What a response says."""

    marks: tuple[Mark, ...]
    fault: str = ""
    """Why it is no answer at all"""


def gold_marks(spans: Any, length: int) -> list[Mark]:
    """Annotated spans, `{start, end, severity}` each; ValueError says which one is none."""
    if not isinstance(spans, (list, tuple)):
        raise ValueError(f"spans is {spans!r:.60}; give a list of {{start, end, severity}}")
    found = [_gold(number, span, length) for number, span in enumerate(spans)]
    return [mark for mark in found if mark is not None]


def _gold(number: int, span: Any, length: int) -> Mark | None:
    given = (span.get("start"), span.get("end"), span.get("severity")) if isinstance(span, Mapping) else (None,) * 3
    start, end, severity = given
    if type(start) is not int or type(end) is not int or not isinstance(severity, str):
        raise ValueError(f"span {number} is {span!r:.80}; it must be {{'start': 3, 'end': 9, 'severity': 'minor'}}")
    if severity.lower() not in SEVERITIES:
        raise ValueError(f"span {number} has severity {severity!r:.40}; known are {', '.join(SEVERITIES)}")
    if -1 in (start, end):  # WMT's mark for an omission, which has no place
        return None
    if not 0 <= start <= end or start > length:
        raise ValueError(f"span {number} is {start} to {end} in a translation of {length} characters; correct it")
    return Mark(start, end, severity.lower())


def read_marks(response: str, translation: str) -> Reading:
    """The marks of a response in any of its forms."""
    text, offset = final_part(response)
    if len(text) > LONGEST_ANSWER:
        return Reading((), f"more than {LONGEST_ANSWER} characters")
    listed = _json_list(text)
    if listed is not None:
        found = list(_listed(listed, translation))
    else:
        found = list(_tagged(text, translation, offset)) or list(_quoted(text, translation, offset))
    if len(found) > MOST_MARKS:
        return Reading((), f"more than {MOST_MARKS} marks")
    says_none = listed == [] or _NONE.fullmatch(text[:200]) or text.strip() == translation.strip() != ""
    return Reading(tuple(found), "" if found or says_none else "neither marks an error nor says that there is none")


def _json_list(text: str) -> list[Any] | None:
    bare = text.strip()
    fenced = _FENCE.match(bare)
    bare = fenced[1].strip() if fenced else bare
    if not bare.startswith(("[", "{")):
        return None
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return None  # no JSON after all: the other forms are looked for
    if isinstance(value, dict):
        value = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
    return value if isinstance(value, list) else None


def _listed(entries: Sequence[Any], translation: str) -> Iterator[Mark]:
    places = _Occurrences(translation)
    for entry in entries[: MOST_MARKS + 1]:
        severity = entry.get("severity") if isinstance(entry, dict) else None
        if not isinstance(severity, str) or severity.lower() not in SEVERITIES:
            continue
        start, end, quoted = entry.get("start"), entry.get("end"), entry.get("text")
        if type(start) is int and type(end) is int:
            if 0 <= start <= end and start <= len(translation):
                yield Mark(start, end, severity.lower())
        elif isinstance(quoted, str) and (place := places.next(quoted)) is not None:
            yield Mark(*place, severity.lower())


def _tagged(text: str, translation: str, offset: int) -> Iterator[Mark]:
    """<minor>…</minor>: one pass, so that nesting and tags without an end cost nothing."""
    places = _Occurrences(translation)
    plain, pieces, length, after = _TAG.sub("", text), list[tuple[str, int, int]](), 0, 0
    for tag in _TAG.finditer(text):
        length, after = length + tag.start() - after, tag.end()
        if not tag[1]:
            pieces.append((tag[2], length, tag.end()))
        elif pieces and pieces[-1][0] == tag[2]:
            severity, start, inside = pieces.pop()
            quoted = plain[start:length]
            there = translation[start:length] == quoted
            place = (start, length) if there and quoted else places.next(quoted)
            if place is not None:
                yield Mark(*place, severity, (offset + inside, offset + tag.start()))


def _quoted(text: str, translation: str, offset: int) -> Iterator[Mark]:
    """`"…" - minor`: from the first quotation mark of a line, or behind the mark before, to the closing one."""
    places, after = _Occurrences(translation), 0
    for closing in _CLOSING.finditer(text):
        line = max(after, text.rfind("\n", after, closing.start()) + 1)
        opening = text.find('"', line, closing.start())
        if opening < 0 or opening + 1 == closing.start():
            continue
        after = closing.end()
        place = places.next(text[opening + 1 : closing.start()])
        if place is not None:
            yield Mark(*place, closing[1], (offset + opening + 1, offset + closing.start()))


class _Occurrences:
    """Where quoted texts stand: the first time its first occurrence, then the next."""

    def __init__(self, text: str) -> None:
        self._text, self._after = text, dict[str, int]()

    def next(self, quoted: str) -> tuple[int, int] | None:
        """None when the text does not have it, or not so often."""
        start = self._text.find(quoted, self._after.get(quoted, 0)) if quoted else -1
        if start < 0:
            return None
        self._after[quoted] = start + len(quoted)
        return start, start + len(quoted)


def tally_marks(marks: Sequence[Mark], gold: Sequence[Mark], length: int) -> Tally:
    """Characters marked rightly, marked, and marked by the annotators."""
    ours, theirs = _characters(marks, length), _characters(gold, length)
    right = sum(
        1.0 if one & other else MISMATCH for one, other in zip(ours, theirs, strict=True) if one and other
    )  # fmt: skip
    return Tally(right, float(sum(map(bool, ours))), float(sum(map(bool, theirs))))


def _characters(marks: Sequence[Mark], length: int) -> list[int]:
    """For each character, and the place behind the last: 1 minor, 2 major, 3 both."""
    turns = {name: [0] * (length + 2) for name in ("minor", "major")}
    for mark in marks:
        end = max(min(mark.end, length), mark.start)
        end = end + 1 if end == mark.start else end
        turns[SEVERITIES[mark.severity]][mark.start] += 1
        turns[SEVERITIES[mark.severity]][end] -= 1
    minor, major = (list(accumulate(turns[name]))[: length + 1] for name in ("minor", "major"))
    return [bool(a) + 2 * bool(b) for a, b in zip(minor, major, strict=True)]


def judge_marks(response: str, translation: str, spans: Any) -> tuple[Tally, Reading]:
    """What a response is worth; one that cannot be an answer marks everything wrongly where it is too much."""
    gold, reading = gold_marks(spans, len(translation)), read_marks(response, translation)
    tally = tally_marks(reading.marks, gold, len(translation))
    if reading.fault.startswith("more"):
        return Tally(0, len(translation) + 1, tally.wanted), reading
    return tally, reading


def check_args(args: Mapping[str, Any]) -> None:
    """ValueError when the translation or its spans are malformed."""
    if not isinstance(args.get("translation"), str) or not args["translation"]:
        raise ValueError("argument 'translation' must be the translation whose errors are marked, and not empty")
    gold_marks(args.get("spans"), len(args["translation"]))


def gold(spec: RewardSpec, row: Row) -> str:
    """The annotation as JSON."""
    spans = gold_marks(spec.argument("spans", row), len(spec.argument("translation", row)))
    return json.dumps([{"start": s.start, "end": s.end, "severity": s.severity} for s in spans])


def cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """The whole translation as one error, and far too many marks."""
    whole = {"start": 0, "end": len(spec.argument("translation", row)), "severity": "major"}
    return [Probe("everything", json.dumps([whole])), Probe("brackets", "[" * 10_000), Probe("both", "<minor>" * 9_000)]


@reward("error_spans", timeout_s=5, validate=check_args, gold=gold, cheats=cheats)
def error_spans(response: str, translation: str, spans: list[Any]) -> RewardResult:
    """F1 over the marked characters; a quoted text without any right character is marked as a fault."""
    tally, reading = judge_marks(response, translation, spans)
    if reading.fault:
        return RewardResult("error_spans", 0.0, "ok", reading.fault)
    theirs = _characters(gold_marks(spans, len(translation)), len(translation))
    wrong = [
        Span(*mark.place, SEVERITY["major"], "no error here")
        for mark in reading.marks
        if mark.place and not any(theirs[mark.start : max(mark.end, mark.start + 1)])
    ]
    return RewardResult("error_spans", tally.f(), "ok", tally.in_words("characters"), spans=tuple(wrong))

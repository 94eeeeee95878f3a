"""Which constraints cannot be asked for together, and why.

`find_conflict(instructions)` gives the reason as a text, or None. It compares what each constraint demands
(demands.py): bounds on the same count that leave no number, two languages, a text that is asked for and
forbidden, a text with a comma where commas are forbidden, and so on. What does not follow from such facts
stands in exclusions.yaml. Used when rows are loaded and by the generator of prompts.

A conflict is a contradiction between the instructions as a reader understands them: `cat` asked for and
forbidden is one, although "concatenate" would pass both checks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

from dragoman.text.languages import base_code, same_language
from dragoman.text.scripts import scripts_of_language
from dragoman.text.segmentation import word_runs
from dragoman.text.tables import listed, read_table
from rewards.constraints.demands import Demands, demands_of
from rewards.constraints.keywords import occurrences
from rewards.constraints.registry import find_instruction, given_kwargs
from rewards.constraints.wording import COMMAS

LOWER, CAPITAL = "change_case:english_lowercase", "change_case:english_capital"
_LETTERS = listed("words:vowel words:consonants words:alphabet")


@dataclass(frozen=True)
class Exclusion:
    """Every id of `first` excludes every other id of `second`."""

    first: frozenset[str]
    second: frozenset[str]
    reason: str


EXCLUSIONS = tuple(
    Exclusion(listed(entry["first"]), listed(entry["second"]), entry["reason"])
    for entry in read_table(__file__, "exclusions")
)

Checked = tuple[str, dict[str, Any], Demands]
Rule = Callable[[Checked, Checked], str]


def find_conflict(instructions: Iterable[Mapping[str, Any]]) -> str | None:
    """Why `[{"id", "kwargs"}, ...]` cannot all be followed; None when nothing speaks against it."""
    given = [(item["id"], given_kwargs(item.get("kwargs"))) for item in instructions]
    checked = [(id, kwargs, demands_of(id, kwargs)) for id, kwargs in given]
    for item in checked:
        reason = _impossible_alone(*item)
        if reason:
            return f"{item[0]} cannot be followed: {reason}"
    for first, second in combinations(checked, 2):
        reason = _pair_conflict(first, second)
        if reason:
            return f"{first[0]} and {second[0]} cannot be combined: {reason}"
    return None


def _impossible_alone(id: str, kwargs: Mapping[str, Any], demands: Demands) -> str:
    for bounds in demands.bounds:
        needed = 1 if bounds.what in ("words", "sentences") else 0
        if bounds.high < max(bounds.low, needed):
            return f"no number of {bounds.what} is at least {max(bounds.low, needed):g} and at most {bounds.high:g}"
    if id == "length_constraints:nth_paragraph_first_word" and kwargs["nth_paragraph"] > kwargs["num_paragraphs"]:
        return f"there is no paragraph {kwargs['nth_paragraph']} of {kwargs['num_paragraphs']}"
    if id == "repeat:repeat_span" and not any(demands.answers):
        return "the span holds no words"
    return ""


def _pair_conflict(first: Checked, second: Checked) -> str:
    for exclusion in EXCLUSIONS:
        for one, other in permutations((first[0], second[0])):
            if one != other and one in exclusion.first and other in exclusion.second:
                return exclusion.reason
    return next((found for rule in _RULES for pair in permutations((first, second)) if (found := rule(*pair))), "")


def _counts(first: Checked, second: Checked) -> str:
    for one in first[2].bounds:
        for other in second[2].bounds:
            if one.what == other.what and max(one.low, other.low) > min(one.high, other.high):
                return f"no number of {one.what} satisfies both"
            if one.what == "words" and other.what == "sentences" and other.low > one.high:
                return f"{other.low:g} sentences need more than {one.high:g} words"
    return ""


def _words_for_texts(first: Checked, second: Checked) -> str:
    most = min((bounds.high for bounds in first[2].bounds if bounds.what == "words"), default=None)
    for text in (*second[2].texts, *second[2].exact):
        if most is not None and len(word_runs(text)) > most:
            return f"{_shown(text)} has more than {most:g} words"
    return ""


def _languages(first: Checked, second: Checked) -> str:
    one, other = first[2].language, second[2].language
    if one and other and not same_language(one, other):
        return f"the response cannot be in {one} and in {other}"
    if one and not scripts_of_language(base_code(one)) & {"LATIN", "CYRILLIC", "GREEK"}:
        if second[0] in _LETTERS:
            return f"{one} is written without the letters that the other is about"
        if second[0] == "format:title_case":
            return f"{one} has no capitals"
    return ""


def _case(first: Checked, second: Checked) -> str:
    change = {LOWER: str.lower, CAPITAL: str.upper}.get(first[0])
    for text in second[2].exact if change else ():
        if change and change(text) != text:
            return f"{_shown(text)} is asked for in this case"
    if first[0] == LOWER and any(b.what == "words in capitals" and b.low > 0 for b in second[2].bounds):
        return "one forbids the capitals that the other asks for"
    if first[0] == CAPITAL and any(b.what == "words in capitals" and b.high < 1 for b in second[2].bounds):
        return "one forbids the capitals that the other asks for"
    return ""


def _forbidden_texts(first: Checked, second: Checked) -> str:
    """Texts that one demands and the other forbids: commas, spaces, words."""
    id, kwargs, _ = first
    for text in (*second[2].texts, *second[2].exact):
        if id == "punctuation:no_comma" and set(text) & set(COMMAS):
            return f"{_shown(text)} has a comma"
        if id == "format:no_whitespace" and any(map(str.isspace, text)):
            return f"{_shown(text)} has a space"
        if id == "format:newline" and len(text.split()) > 1:
            return f"{_shown(text)} has several words on one line"
        for word in kwargs["forbidden_words"] if id == "keywords:forbidden_words" else ():
            if occurrences(text, word):
                return f"{_shown(text)} is asked for and {word!r} is forbidden"
        for bounds in first[2].bounds:
            if bounds.high < 1 and bounds.what.startswith("occurrences") and _quoted(bounds.what) in text.lower():
                return f"{_shown(text)} is asked for and {_quoted(bounds.what)!r} is forbidden"
    return ""


def _lines(first: Checked, second: Checked) -> str:
    """Counts of lines and bullets against what allows none or several."""
    bounds = {b.what: b for b in second[2].bounds}
    several = max(
        (b.low for what, b in bounds.items() if what in ("bullets", "blocks divided by blank lines")), default=0
    )
    if first[0] in ("format:no_whitespace", "words:vowel") and several > 1:
        return "one allows a single line, the other needs several"
    if "bullets" in bounds:
        if first[0] == "detectable_format:json_format" and bounds["bullets"].low:
            return "the response would not be JSON"
        if first[0] in ("format:sub-bullets", "format:no_bullets_bullets") and bounds["bullets"].high < 2:
            return "one asks for at least two bullets"
    return ""


def _ends(first: Checked, second: Checked) -> str:
    """Two beginnings or two endings that differ."""
    one, other = first[2], second[2]
    if one.end and other.end and not _one_in_other(one.end.lower()[::-1], other.end.lower()[::-1]):
        return "the response cannot end with both"
    if one.start and other.start and not _one_in_other(one.start.lower(), other.start.lower()):
        return "the response cannot start with both"
    if first[0] == "startend:quotation" and other.start and not other.start.startswith('"'):
        return f"the response cannot start with a quotation mark and with {_shown(other.start)}"
    if {first[0], second[0]} == {"length_constraints:nth_paragraph_first_word"}:
        (place, word), (other_place, other_word) = (
            (k["nth_paragraph"], k["first_word"].strip().lower()) for _, k, _ in (first, second)
        )
        if place == other_place and word != other_word:
            return "the same paragraph cannot start with both"
    return ""


def _only_answers(first: Checked, second: Checked) -> str:
    answers = [text for text in first[2].answers if text]
    check = find_instruction(second[0]).check
    if answers and not any(check(text, **second[1]) for text in answers):
        return f"the only answers to the first are such as {_shown(answers[0])}"
    return ""


_RULES: Sequence[Rule] = (_counts, _words_for_texts, _languages, _case, _forbidden_texts, _lines, _ends, _only_answers)


def _one_in_other(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _quoted(what: str) -> str:
    return what.split("'", 1)[-1].rsplit("'", 1)[0]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")

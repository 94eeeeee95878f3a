"""Translation instruction about how the reader is addressed: `mt:formality`.

Heuristics: each language has patterns that only familiar or only polite address uses (formality.yaml). Forms that may
mean something else are left out or count only where they are unambiguous (German `Sie` and Italian `Lei` inside a
sentence, with a capital). A text without any marker tells nothing and
does not apply; one with markers of both kinds is followed by neither level.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dragoman.text.languages import base_code
from dragoman.text.normalisation import normalised
from dragoman.text.segmentation import sentences
from dragoman.text.tables import read_table
from rewards.constraints.registry import must_be, one_of
from rewards.translation.instruction_table import translation_instruction

LEVELS = ("formal", "informal")


@dataclass(frozen=True)
class Markers:
    """Patterns of one language."""

    informal: str
    formal: str
    formal_inside: str
    """Case-sensitive, and not counted as the first word of a sentence."""
    ends: bool
    """The patterns describe the end of a sentence; polite ones are asked first."""


def _pattern(entry: Mapping[str, str] | None) -> str:
    """What matches an entry's words, each as a whole, and its pattern; nothing where there is no entry."""
    if entry is None:
        return r"(?!)"
    words = "|".join(entry.get("words", "").split())
    return "|".join(filter(None, [words and rf"(?<!\w)(?:{words})(?!\w)", entry.get("pattern")]))


MARKERS = {
    language: Markers(
        _pattern(entry.get("informal")), _pattern(entry.get("formal")), _pattern(entry.get("formal_inside")),
        ends="ends" in entry,
    )
    for language, entry in read_table(__file__).items()
}  # fmt: skip


a_formality_language = must_be(
    f"one of {', '.join(MARKERS)}", lambda value: isinstance(value, str) and base_code(value) in MARKERS
)


@translation_instruction("mt:formality", language=a_formality_language, level=one_of(*LEVELS))
def formality(response: str, source: str, language: str, level: str) -> bool | None:
    """The reader is addressed at this level and never at the other; None without any marker."""
    found = address_levels(normalised(response), base_code(language))
    return None if not found else found == {level}


def address_levels(text: str, language: str) -> set[str]:
    """Which of the two levels have a marker in the text."""
    markers = MARKERS[language]
    if markers.ends:
        return {level for sentence in sentences(text) if (level := _level_of_end(sentence, markers))}
    found = set()
    if re.search(markers.informal, text, re.IGNORECASE):
        found.add("informal")
    if re.search(markers.formal, text, re.IGNORECASE) or _stands_inside(markers.formal_inside, text):
        found.add("formal")
    return found


def _level_of_end(sentence: str, markers: Markers) -> str:
    body = re.sub(r"[\W_]+\Z", "", sentence)
    if re.search(markers.formal, body):
        return "formal"
    return "informal" if re.search(markers.informal, body) else ""


def _stands_inside(pattern: str, text: str) -> bool:
    """Whether it occurs after the first word of a sentence; a line or a colon begins one, too."""
    pieces = (
        piece for line in text.split("\n") for sentence in sentences(line) for piece in re.split(r":\s", sentence)
    )
    return any(re.search(pattern, re.sub(r"\A\W*\w+", "", piece, count=1)) for piece in pieces)

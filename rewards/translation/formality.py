"""Translation instruction about how the reader is addressed: `mt:formality`.

Heuristics: each language has patterns that only familiar or only polite address uses. Forms that may mean
something else are left out (German `ihr`, Spanish `su`, Italian `voi`) or count only where they are unambiguous
(German `Sie` and Italian `Lei` inside a sentence, with a capital). A text without any marker tells nothing and
does not apply; one with markers of both kinds is followed by neither level.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dragoman.text.languages import base_code
from dragoman.text.segmentation import sentences
from rewards.translation.instruction_table import one_of, translation_instruction

LEVELS = ("formal", "informal")


@dataclass(frozen=True)
class Markers:
    """Patterns of one language."""

    informal: str
    formal: str
    formal_inside: str = ""
    """Case-sensitive, and not counted as the first word of a sentence."""
    ends: bool = False
    """The patterns describe the end of a sentence; polite ones are asked first."""


def _words(text: str) -> str:
    return rf"(?<!\w)(?:{'|'.join(text.split())})(?!\w)"


MARKERS: dict[str, Markers] = {
    "de": Markers(
        _words("du dich dir dein deine deinen deinem deiner deines euch euer eure euren eurem eurer"),
        r"(?!)",
        _words("Sie Ihnen Ihr Ihre Ihren Ihrem Ihrer Ihres"),
    ),
    "fr": Markers(
        _words("tu te toi ton ta tes") + r"|(?<!\w)t['’](?=\w)", _words("vous votre vos vôtre vôtres") + r"|-vous(?!\w)"
    ),
    "es": Markers(
        _words("tú te ti tu tus tuyo tuya contigo vosotros vosotras os vuestro vuestra vuestros vuestras"),
        _words("usted ustedes ud uds vd vds"),
    ),
    "it": Markers(
        _words("tu te ti tuo tua tuoi tue") + r"|(?<!\w)t['’](?=\w)",
        r"(?!)",
        _words("Lei La Le Suo Sua Suoi Sue"),
    ),
    "pt": Markers(
        _words("tu te ti teu tua teus tuas contigo"),
        r"(?<!\w)(?:o senhor|a senhora|os senhores|as senhoras|ao senhor|à senhora|do senhor|da senhora)(?!\w)",
    ),
    "nl": Markers(_words("je jij jou jouw jullie jezelf"), _words("u uw uzelf")),
    "ru": Markers(
        _words("ты тебя тебе тобой твой твоя твоё твое твои твоего твоей твоему твоих твоим твоими твоём твою"),
        _words("вы вас вам вами ваш ваша ваше ваши вашего вашей вашему ваших вашим вашими вашем вашу"),
    ),
    "pl": Markers(
        _words("ty ciebie cię tobie tobą twój twoja twoje twojego twojej twojemu twoim twoich twoimi twoją"),
        r"(?!)",
        _words("Pan Pani Pana Panu Panem Panią Państwo Państwa Państwu Państwem"),
    ),
    "ja": Markers(
        r"(?:だ|だった|だろう|[うくすつぬふむゆるぐずぶぷ]|[^しで]た|ない|[^な]い|だよ|だね|るよ|るね)[よねぞさ]?$",
        r"(?:です|ます|ました|ません|でした|でしょう|ましょう|ください|下さい|ませ)[かねよ]*$",
        ends=True,
    ),
    "ko": Markers(
        r"(?:[다야어아해지니냐자라게네군걸까])$",
        r"(?:니다|니까|시오|요|세요|죠)$",
        ends=True,
    ),
}


def a_formality_language(value: object) -> str:
    """A language whose markers of formality are known."""
    known = isinstance(value, str) and base_code(value) in MARKERS
    return "" if known else f"it must be one of {', '.join(MARKERS)}"


@translation_instruction("mt:formality", language=a_formality_language, level=one_of(*LEVELS))
def formality(response: str, source: str, language: str, level: str) -> bool | None:
    """The reader is addressed at this level and never at the other; None without any marker."""
    found = address_levels(response, base_code(language))
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
    if not pattern:
        return False
    pieces = (
        piece for line in text.split("\n") for sentence in sentences(line) for piece in re.split(r":\s", sentence)
    )
    return any(re.search(pattern, re.sub(r"\A\W*\w+", "", piece, count=1)) for piece in pieces)

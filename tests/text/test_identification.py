"""Languages told apart: by hand, and on generated sentences (template, country, number or date) in twelve languages."""

from __future__ import annotations

import datetime
import random
import sys
from pathlib import Path

import pytest
from babel import Locale
from babel.dates import format_date
from num2words import num2words

sys.path.insert(0, str(Path(__file__).parent))
from sentences import SENTENCES

from dragoman.text.identification import is_on_target, posteriors

TEMPLATES = {
    "de": ("Gestern haben wir {n} Briefe nach {c} geschickt.", "Am {d} fliegt unser Chef nach {c}."),
    "fr": ("Hier nous avons envoyé {n} lettres vers {c}.", "Le {d} notre chef partira vers {c}."),
    "es": ("Ayer enviamos {n} cartas a {c}.", "El {d} nuestro jefe viajará a {c}."),
    "it": ("Ieri abbiamo spedito {n} lettere verso {c}.", "Il {d} il nostro capo partirà per {c}."),
    "pt": ("Ontem enviamos {n} cartas para {c}.", "No dia {d} o nosso chefe viajará para {c}."),
    "nl": ("Gisteren hebben wij {n} brieven naar {c} gestuurd.", "Op {d} vliegt onze baas naar {c}."),
    "en": ("Yesterday we sent {n} letters to {c}.", "On {d} our boss will fly to {c}."),
    "pl": ("Wczoraj wysłaliśmy {n} listów do kraju {c}.", "Dnia {d} nasz szef poleci do kraju {c}."),
    "sv": ("Igår skickade vi {n} brev till {c}.", "Den {d} flyger vår chef till {c}."),
    "hu": ("Tegnap elküldtünk {n} levelet ide: {c}.", "A főnökünk ekkor utazik: {d}, célja pedig {c}."),
    "ru": ("Вчера мы отправили {n} писем в страну {c}.", "Наш начальник вылетает {d} в страну {c}."),
    "uk": ("Вчора ми надіслали {n} листів до країни {c}.", "Наш керівник вилітає {d} до країни {c}."),
}


def sentences(language: str, count: int = 40) -> list[str]:
    draw = random.Random(language)
    countries = [name for code, name in Locale.parse(language).territories.items() if len(code) == 2]
    return [
        draw.choice(TEMPLATES[language]).format(
            n=num2words(draw.randint(2, 99), lang=language),
            c=draw.choice(sorted(countries)),
            d=format_date(datetime.date(2024, draw.randint(1, 12), draw.randint(1, 28)), "long", language),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("language", TEMPLATES)
def test_right_and_wrong_languages_are_told_apart_in_97_of_100_sentences(language: str) -> None:
    others = [code for code in TEMPLATES if code != language]
    draw = random.Random(0)
    right = wrong = 0
    texts = sentences(language)
    for text in texts:
        wanted, source = draw.sample(others, 2)
        right += is_on_target(text, language, source).on_target is True
        wrong += is_on_target(text, wanted, source).on_target is False
    assert right >= 0.97 * len(texts)
    assert wrong >= 0.97 * len(texts)


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_on_target_in_its_own_language_only(code: str) -> None:
    source = "en" if code != "en" else "de"
    assert is_on_target(SENTENCES[code], code, source).on_target is True
    assert posteriors(SENTENCES[code], None)[0][0] == code
    for other in SENTENCES:
        if other != code:
            assert is_on_target(SENTENCES[code], other, code).on_target is False, other


def test_dialects_of_one_group_count_as_the_target() -> None:
    assert is_on_target("Jeg har kjøpt en ny bil i dag", "nb", "en").on_target is True
    assert is_on_target("Kuća je velika i stara, a vrt je lijep", "sr", "en").on_target is True


def test_short_text_is_off_target_only_when_a_rival_is_certain() -> None:
    assert is_on_target("Guten Tag", "de", "en").on_target is True
    assert is_on_target("Paris", "de", "en").on_target is True
    assert is_on_target("Привет", "de", "ru").on_target is False


def test_candidates_narrow_the_choice() -> None:
    assert posteriors("Bom dia", ("pt", "en", "de"))[0][0] == "pt"


@pytest.mark.parametrize(
    ("answer", "source_text", "expected"),
    [
        ("12.3.2024", "on March 12", False),
        ("12.3.2024", "3/12/2024", None),
        ("12.3.2024", None, False),
        ("", "3/12/2024", False),
        (" \n", None, False),
        ("Am 12. März", "3/12/2024", True),
    ],
)
def test_an_answer_without_letters(answer: str, source_text: str | None, expected: bool | None) -> None:
    found = is_on_target(answer, "de", "en", source_text=source_text)
    assert found.on_target is expected
    assert (found.detected == "und") == (expected is not True)

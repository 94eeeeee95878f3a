"""What is said around a translation is found in thirty languages, and a translation that is only one is left alone.

announcements.yaml was composed apart from the detector's table. bench/announcements.py counts on real translations,
too.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dragoman.text.additions import find_addition

SETS = ("announcements", "further_announcements")
TABLES = {name: yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")) for name in SETS}
SOURCE = "The library opens at nine."


@pytest.mark.parametrize(("name", "language"), [(name, language) for name in SETS for language in TABLES[name]])
def test_additions_are_found_in_every_language_and_the_bare_translation_has_none(name: str, language: str) -> None:
    entry = TABLES[name][language]
    source = entry.get("source", SOURCE)
    assert find_addition(entry["translation"], source) is None
    responses = [text.replace("{}", entry["translation"]).replace("{s}", source) for text in entry["additions"]]
    assert len(responses) >= 5
    assert [text for text in responses if find_addition(text, source) is None] == []


# What the source says itself is no addition, in whatever language it says so
OF_THE_SOURCE = [
    ("Here is the translation: a book.", "Hier ist die Übersetzung: ein Buch."),
    ("Note: the house is old.", "Примечание: дом старый."),
    ("Please note that the house is old.", "Bitte beachten Sie, dass das Haus alt ist."),
    ("Sure! The house is old.", "Bien sûr ! La maison est vieille."),
    ("Let me know if you need anything.", "Sag mir Bescheid, wenn du etwas brauchst."),
    ("In German: Haus", "En allemand : Haus"),
    ('The word "house" is old.', "Das Wort „Haus“ ist alt."),
    ("Attention! The house is old.", "Achtung: Das Haus ist alt."),
    ("Well, the house is old.", "Nun gut, das Haus ist alt."),
    ("He said the house is old.", "Er sagte: Das Haus ist alt."),
    ("I verbally agreed.", "Ich habe mündlich zugestimmt."),
]


@pytest.mark.parametrize(("source", "response"), OF_THE_SOURCE)
def test_what_the_source_says_is_no_addition(source: str, response: str) -> None:
    assert find_addition(response, source) is None


def test_the_kind_of_addition_and_its_words_are_said() -> None:
    assert find_addition("Sure! Das Haus ist alt.", "The house is old.") == "a courtesy before the translation: 'sure!'"
    assert find_addition("Das Haus ist alt. Hinweis: so.", "The house is old.") == (
        "a note, explanation or alternative: 'hinweis:'"
    )


def test_without_a_source_the_tables_alone_speak() -> None:
    assert find_addition("Das Haus ist alt.\n\nEs steht am Fluss.") is None
    assert find_addition("Hier ist die Übersetzung: Das Haus ist alt.") is not None

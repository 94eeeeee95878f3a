"""Messages by their grammars: what a translator may change, and what would crash the program or lose what it says.

Grammars: ICU (unicode-org.github.io/icu/userguide/format_parse/messages), java.text.MessageFormat, projectfluent.org,
printf(3), Qt's QString::arg, Android's string resources, Apple's stringsdict, Mustache(5), Laravel's localisation.
"""

from __future__ import annotations

import pytest

from dragoman.text.messages import compare
from dragoman.text.plurals import plural_gap


def _plurals(**items: str) -> str:
    inside = "".join(f'<item quantity="{name}">{text}</item>' for name, text in items.items())
    return f'<plurals name="f">{inside}</plurals>'


CASES: list[tuple[str, str, str | None, bool | None]] = [
    ("Hello {name}", "Hallo {name}", None, True),
    ("Hello {name}", "Hallo { name }", None, True),
    ("Hello {name}", "Hallo name", None, False),
    (
        "{n, plural, one {# file} other {# files}}",
        "{n, plural, one {# файл} few {# файла} many {# файлов} other {# файла}}",
        "ru",
        True,
    ),
    ("{n, plural, one {# file} other {# files}}", "{n, plural, one {# файл} other {# файлов}}", "ru", False),
    ("{n, plural, one {# file} other {# files}}", "{n, plural, one {Ein Datei} other {# Dateien}}", "de", True),
    (
        "{n, plural, one {# file} other {# files}}",
        "{n, plural, one {файл} few {# файла} many {# файлов} other {# файла}}",
        "ru",
        False,
    ),
    ("{n, plural, one {# file} other {# files}}", "{n, plural, other {#個のファイル}}", "ja", True),
    ("{n, plural, one {# file} other {# files}}", "{n, plural, one {#個} other {#個のファイル}}", "ja", False),
    ("{n, plural, one {# file} other {# files}}", "{n, plural, one {# fichier} other {# fichiers}}", "fr", True),
    (
        "{n, plural, =0 {none} one {# file} other {# files}}",
        "{n, plural, =0 {keine} =1 {eine} other {# Dateien}}",
        "de",
        True,
    ),
    ("{n, plural, one {# file} other {# files}}", "{n, plural, one {# Datei} other {Dateien}}", "de", False),
    (
        "{n, plural, one {{name} has # file} other {{name} has # files}}",
        "{n, plural, one {{name} hat # Datei} other {hat # Dateien}}",
        "de",
        False,
    ),
    (
        "{name} has {n, plural, one {# file} other {# files}}",
        "{n, plural, one {{name} hat # Datei} other {{name} hat # Dateien}}",
        "de",
        True,
    ),
    ("{n, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}", "{n, selectordinal, other {#.}}", "de", True),
    (
        "{g, select, male {He} female {She} other {They}} left",
        "{g, select, male {Er} female {Sie} other {Sie}} ging",
        None,
        True,
    ),
    (
        "{g, select, male {He} female {She} other {They}} left",
        "{g, select, männlich {Er} weiblich {Sie} other {Sie}} ging",
        None,
        False,
    ),
    (
        "{count, plural, =0 {none} =1 {one} other {{{count}} items}}",
        "{count, plural, =0 {keine} =1 {eins} other {{{count}} Dinge}}",
        None,
        True,
    ),
    ("It''s {0}", "C''est {0}", None, True),
    ("It''s {0}", "L'état {0}", None, False),
    (
        "{0,choice,0#no files|1#one file|1<{0} files}",
        "{0,choice,0#keine Dateien|1#eine Datei|1<{0} Dateien}",
        None,
        True,
    ),
    ("{0,choice,0#no files|1#one file|1<{0} files}", "{0,choice,0#keine Dateien|1#eine Datei|1<Dateien}", None, False),
    ("On {0,date,short} at {1,time}", "Am {0,date,short} um {1,time}", None, True),
    ("On {0,date,short} at {1,time}", "Am {0,Datum,kurz} um {1,time}", None, False),
    ("%d of %s", "%2$s: %1$d", None, True),
    ("%d of %s", "%s: %d", None, False),
    ("%s and %s", "%s", None, False),
    ("%1$s has %2$d", "%2$d hat %1$s", None, True),
    ("%1$s has %2$d", "%1$s hat %d", None, False),
    ("Hello, { $name }", "Hallo, { $name }", None, True),
    ("Hello, { $name }", "Hallo, { $nombre }", None, False),
    (
        "{ $n ->\n    [one] one file\n   *[other] { $n } files\n}",
        "{ $n ->\n    [one] { $n } файл\n    [few] { $n } файла\n    [many] { $n } файлов\n   *[other] { $n } файла\n}",
        "ru",
        True,
    ),
    (
        "{ $n ->\n    [one] one file\n   *[other] { $n } files\n}",
        "{ $n ->\n    [one] eine Datei\n    [other] { $n } Dateien\n}",
        "de",
        False,
    ),
    ("welcome = Welcome to { -brand }", "welcome = Willkommen bei { -brand }", None, True),
    ("welcome = Welcome to { -brand }", "willkommen = Willkommen bei { -brand }", None, False),
    ("welcome = Welcome to { -brand }", "welcome = Willkommen bei { -marke }", None, False),
    ("Hi {{user}}, {{#items}}{{name}}{{/items}}", "Hallo {{user}}, {{#items}}{{name}}{{/items}}", None, True),
    ("Hi {{#items}}{{name}}{{/items}}", "Hallo {{/items}}{{name}}{{#items}}", None, False),
    ("Page %1 of %2", "Seite %1 von %2", None, True),
    ("%n file(s)", "%n Datei(en)", None, True),
    ("%n file(s)", "Datei(en)", None, False),
    ("%L1 items", "%L1 Teile", None, True),
    ("Price: {0:C2}", "Preis: {0:C2}", None, True),
    ("Price: {0:C2}", "Preis: {0:C}", None, False),
    ("Hi <%= name %>", "Hallo <%= name %>", None, True),
    ("%#@files@ found", "%#@files@ gefunden", None, True),
    ("%#@files@ found", "%#@dateien@ gefunden", None, False),
    (
        _plurals(one="%d file", other="%d files"),
        _plurals(one="%d plik", few="%d pliki", many="%d plików", other="%d pliku"),
        "pl",
        True,
    ),
    (
        _plurals(one="%d file", other="%d files"),
        _plurals(one="%d plik", other="%d pliku"),
        "pl",
        False,
    ),
    ("Don\\'t delete %s", "Ne supprimez pas l\\'élément %s", None, True),
    ("Don\\'t delete %s", "Ne supprimez pas l'élément %s", None, False),
    ("##user## logged in", "##user## hat sich angemeldet", None, True),
    ("##user## logged in", "##benutzer## hat sich angemeldet", None, False),
    ("Hi %name%!", "Hallo %name%!", None, True),
    ("Hi %name%!", "Hallo %nom%!", None, False),
    ("Created on %Y-%m-%d", "Erstellt am %d.%m.%Y", None, True),
    ("{count} item|{count} items", "{count} Ding|{count} Dinge", None, True),
    ("Hello ${user.name}", "Hallo ${user.name}", None, True),
    ("Hello #{name}", "Hallo {name}", None, False),
    ("{user.name} and {items[0]}", "{user.name} und {items[0]}", None, True),
    ("{n} items", "{n, plural, one {# x} other {# y}}", None, False),
    ("__count__ items", "__count__ Elemente", None, True),
    ("__count__ items", "__anzahl__ Elemente", None, False),
    ("No placeholder", "Kein", None, None),
    ("100% sure", "100 % sicher", None, None),
    ("Hello, %s. 50%% off", "Hallo, %s. 50 %% Rabatt", None, True),
    ("Hello, %s. 50%% off", "Hallo, %s. 50 % Rabatt", None, False),
    ("%.2f km", "%.2f km", None, True),
    ("%.2f km", "%,2f km", None, False),
    ("%s %", "%s %", None, True),
    ("%@ sent %lu", "%@ hat %lu gesendet", None, True),
    ("%@ sent %lu", "%lu von %@", None, False),
    ("Hi :Name, :count left", "Hallo :Name, noch :count", None, True),
]


@pytest.mark.parametrize(("source", "response", "locale", "same"), CASES)
def test_a_message_has_what_its_source_has(source: str, response: str, locale: str | None, same: bool | None) -> None:
    assert compare(source, response, locale).same is same


def test_what_is_wrong_is_said() -> None:
    source = "{n, plural, one {# file} other {# files}}"
    assert "would crash as ICU" in compare(source, "{n, plural, one {# Datei} other {# Dateien}").note
    assert "'few'" in compare(source, "{n, plural, one {# plik} many {# plików} other {# pliku}}", "pl").note
    assert "lost {n} in the branch other" in compare(source, "{n, plural, one {# Datei} other {Dateien}}").note


def test_a_form_that_is_not_known_is_said_to_be_unknown() -> None:
    assert "unknown form ##user##" in compare("Hi ##user##", "Hallo ##user##").note
    found = compare("{n, plural, one {# file}", "{n, plural, one {# Datei}")
    assert "its form is unknown" in found.note


# Cardinal rules for whole numbers as in Unicode's chart "Language Plural Rules"
ASKED = {
    "ja": "other", "de": "one other", "fr": "one other", "ru": "one few many other", "uk": "one few many other",
    "pl": "one few many other", "cs": "one few other", "ar": "zero one two few many other", "sl": "one two few other",
    "lv": "zero one other", "lt": "one few other", "cy": "zero one two few many other", "pt-BR": "one other",
    "sr-Latn": "one few other", "he": "one two other", "zh-Hant": "other", "ro": "one few other",
}  # fmt: skip


@pytest.mark.parametrize("locale", ASKED)
def test_a_locale_asks_for_its_categories_and_no_others(locale: str) -> None:
    asked = {*ASKED[locale].split(), "other"}
    assert plural_gap(asked, locale) is None
    for category in set(ASKED[locale].split()) - {"other"}:
        assert plural_gap(asked - {category}, locale) == f"{locale} asks for the plural category {category!r}"


def test_exact_numbers_stand_for_the_categories_they_make_up() -> None:
    assert plural_gap({"=1", "other"}, "en") is None
    assert plural_gap({"=1", "other"}, "fr") is not None  # nought is `one`, too
    assert plural_gap({"=0", "=1", "other"}, "fr") is None
    assert plural_gap({"=1", "few", "many", "other"}, "ru") is not None  # and so is 21
    assert plural_gap({"one", "few", "other"}, "de") == "de has no plural category 'few'"
    assert plural_gap({"other"}, "xx-nonsense") is None

"""Language codes and their names."""

from __future__ import annotations

import pytest

from dragoman.text.languages import (
    LanguageError,
    base_code,
    canonical_code,
    covers,
    language_name,
    parse_direction,
    same_language,
)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("pt_BR", "pt", True),
        ("pt-BR", "pt_PT", True),
        ("zh-Hant", "zh-Hans", True),
        ("zh_Hant_TW", "yue", True),
        ("nb", "nn", True),
        ("no", "nb-NO", True),
        ("sr-Latn", "hr", True),
        ("iw", "he", True),
        ("DE", "de", True),
        ("de", "nl", False),
        ("uk", "ru", False),
        ("pt-BR", "es", False),
        ("ja", "zh", False),
        ("tlh", "tlh", True),
    ],
)
def test_which_codes_are_one_language(first: str, second: str, same: bool) -> None:
    assert same_language(first, second) is same
    assert same_language(second, first) is same


def test_regions_and_old_codes_give_the_base_code() -> None:
    assert [base_code(code) for code in ("pt_BR", "zh-Hant", "nb", "iw", "fil", "cmn")] == [
        "pt", "zh", "no", "he", "tl", "zh",
    ]  # fmt: skip


def test_names_are_english_and_an_unknown_code_is_refused() -> None:
    assert (language_name("pt_BR"), language_name("de")) == ("Portuguese (Brazil)", "German")
    with pytest.raises(ValueError, match="unknown language code"):
        language_name("not a code")


@pytest.mark.parametrize(
    ("written", "code"),
    [("DE", "de"), ("en-us", "en_US"), ("ZH-hant-tw", "zh_Hant_TW"), ("es-419", "es_419"), ("SR_LATN", "sr_Latn")],
)
def test_a_code_has_one_spelling(written, code):
    assert canonical_code(written) == code


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("de-fr", ("de", "fr")), ("pt-BR-es", ("pt_BR", "es")), ("EN-zh-hant", ("en", "zh_Hant")),
        ("cs-de_AT", ("cs", "de_AT")),
    ],
)  # fmt: skip
def test_a_direction_is_two_codes(text, direction):
    assert parse_direction(text) == direction


@pytest.mark.parametrize("text", ["de", "de_fr", "german-french", "de-fr-es-it", ""])
def test_what_is_no_direction_is_refused(text):
    with pytest.raises(LanguageError, match="is no direction: join two language codes with -, such as de-fr"):
        parse_direction(text)


def test_a_hidden_direction_hides_every_region_unless_it_names_one():
    assert covers(("de", "fr"), ("DE-AT", "fr_CA")) and covers(("pt_BR", "en"), ("pt-br", "en_US"))
    assert not covers(("pt_BR", "en"), ("pt", "en")) and not covers(("de", "fr"), ("fr", "de"))

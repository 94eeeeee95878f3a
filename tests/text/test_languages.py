"""Language codes and their names."""

from __future__ import annotations

import pytest

from dragoman.text.languages import base_code, language_name, same_language


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

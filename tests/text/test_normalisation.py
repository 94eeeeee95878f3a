"""What a reader cannot tell apart compares as equal, and what means something else does not."""

from __future__ import annotations

import unicodedata

import pytest

from dragoman.text.normalisation import normalised

SAME = {
    "NFD": (unicodedata.normalize("NFD", "Thư viện café"), "Thư viện café"),
    "Hangul letters": (unicodedata.normalize("NFD", "도서관"), "도서관"),
    "full-width Latin": ("ＡＢＣ１２３", "ABC123"),
    "half-width kana": ("ｶﾞｲﾄﾞ", "ガイド"),
    "Arabic presentation forms": ("\ufef3\ufee8", "ين"),
    "ligature": ("ofﬁce", "office"),
    "zero-width space": ("Ha\u200bus", "Haus"),
    "soft hyphen": ("Donau\u00addampf", "Donaudampf"),
    "byte order mark": ("\ufeffHaus", "Haus"),
    "direction marks": ("\u200fשלום\u200e \u2067abc\u2069", "שלום abc"),
    "word joiner": ("a\u2060b", "ab"),
    "joiner between Latin letters": ("of\u200cfice", "office"),
    "no-break spaces": ("10\u00a0000\u202fkg", "10 000 kg"),
    "ideographic space": ("東京\u3000大阪", "東京 大阪"),
    "no-break hyphen": ("e\u2011mail", "e-mail"),
}
OTHER = {
    "superscript": ("x²", "x2"),
    "fraction": ("½", "1/2"),
    "Chinese comma": ("好，", "好,"),
    "Persian non-joiner": ("می\u200cشود", "میشود"),
    "Indic joiner": ("क्\u200dष", "क्ष"),
    "family emoji": ("👩\u200d👧", "👩👧"),
    "dotless i": ("ı", "i"),
    "Cyrillic a": ("а", "a"),
    "sharp s": ("Maße", "Masse"),
    "trademark": ("Foo™", "FooTM"),
}


@pytest.mark.parametrize("name", SAME)
def test_what_looks_the_same_is_the_same(name: str) -> None:
    first, second = SAME[name]
    assert normalised(first) == normalised(second) == second


@pytest.mark.parametrize("name", OTHER)
def test_what_means_something_else_stays_apart(name: str) -> None:
    first, second = OTHER[name]
    assert normalised(first) != normalised(second)


def test_line_ends_and_case_stay() -> None:
    assert normalised("Ä\r\nB\tc\u2028d") == "Ä\r\nB\tc\u2028d"

"""Shares of languages in a text."""

from __future__ import annotations

import pytest

from dragoman.text.language_mixing import language_shares

HALVES = {
    "en": ("The train to the old harbour leaves at eight", "and we should buy the tickets before that"),
    "de": ("Der Zug zum alten Hafen fährt um acht ab", "und wir sollten vorher noch die Fahrkarten kaufen"),
    "fr": ("Le train pour le vieux port part à huit heures", "et nous devrions acheter les billets avant cela"),
    "es": ("El tren al puerto viejo sale a las ocho", "y deberíamos comprar los billetes antes de eso"),
    "it": ("Il treno per il porto vecchio parte alle otto", "e dovremmo comprare i biglietti prima di allora"),
    "nl": ("De trein naar de oude haven vertrekt om acht uur", "en we moeten van tevoren de kaartjes kopen"),
    "pl": ("Pociąg do starego portu odjeżdża o godzinie ósmej", "i powinniśmy wcześniej kupić bilety na dworcu"),
    "ru": ("Поезд в старый порт отправляется в восемь часов", "и нам надо до этого купить билеты на вокзале"),
    "uk": ("Потяг до старого порту вирушає о восьмій годині", "і нам треба до цього купити квитки на вокзалі"),
    "zh": ("开往老港口的火车八点出发", "我们应该在那之前买好车票"),
    "ja": ("古い港へ行く列車は八時に出発します", "その前に切符を買っておくべきです"),
    "ko": ("오래된 항구로 가는 기차는 여덟 시에 출발합니다", "그 전에 표를 사 두어야 합니다"),
    "ar": ("يغادر القطار إلى الميناء القديم في الساعة الثامنة", "ويجب أن نشتري التذاكر قبل ذلك"),
}
PAIRS = [(a, b) for a in HALVES for b in HALVES if a != b]


@pytest.mark.parametrize("language", HALVES)
def test_a_text_in_one_language_is_not_mixed(language: str) -> None:
    text = ", ".join(HALVES[language]) + "."
    for source in HALVES:
        if source != language:
            shares = language_shares(text, language, source)
            assert shares is not None and shares.target == 1.0


def test_a_half_in_the_source_language_is_found_in_95_of_100_pairs() -> None:
    found = 0
    for target, source in PAIRS:
        shares = language_shares(f"{HALVES[target][0]}. {HALVES[source][1]}.", target, source)
        assert shares is not None
        found += 0.25 <= shares.source <= 0.75
    assert found >= 0.95 * len(PAIRS)


def test_a_half_in_english_is_the_pivot_s_share() -> None:
    for target in HALVES:
        if target not in ("en", "fr"):
            shares = language_shares(f"{HALVES[target][0]}. {HALVES['en'][1]}.", target, "fr")
            assert shares is not None and shares.source == 0.0
            assert 0.25 <= shares.pivot <= 0.75


def test_the_shares_by_hand() -> None:
    # "Привет" 6 letters, "one two three" 11 letters, Russian words in between 9
    shares = language_shares("Привет one two three это я здесь", "ru", "en")
    assert shares is not None
    assert shares.source == pytest.approx(11 / (6 + 11 + 9))
    assert shares.target + shares.source + shares.pivot + shares.other == pytest.approx(1.0)


def test_one_or_two_foreign_words_are_names() -> None:
    shares = language_shares("Мой iPhone Pro лежит на столе", "ru", "en")
    assert shares is not None and shares.target == 1.0
    third = language_shares("Мой дом γεια σου κόσμε лежит", "ru", "en")
    assert third is not None and third.other > 0.3


def test_text_without_letters_has_no_shares_and_an_unknown_language_is_refused() -> None:
    assert language_shares("12.3.", "de", "en") is None
    with pytest.raises(ValueError, match="tlh"):
        language_shares("Guten Tag", "tlh", "en")

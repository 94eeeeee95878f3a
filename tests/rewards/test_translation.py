"""Translation quality equals sacrebleu's figures; the gates hold honest translations and stop the known
cheats.
"""

from __future__ import annotations

import pytest
import sacrebleu

from dragoman.text.identification import identify, is_on_target
from rewards.records import RewardResult
from rewards.translation.guards import (
    containment,
    direction,
    length_band,
    repeated_share,
    repetition,
    source_copy,
)
from rewards.translation.quality import bleu, chrf, chrf_plus_plus, exact_match, ter

HYPOTHESIS = "Das kleine Haus steht am Waldrand."
REFERENCE = "Das kleine Haus steht am Rand des Waldes."


def test_quality_is_sacrebleu_s_figure() -> None:
    assert chrf(HYPOTHESIS, REFERENCE) * 100 == pytest.approx(sacrebleu.sentence_chrf(HYPOTHESIS, [REFERENCE]).score)
    plus = sacrebleu.sentence_chrf(HYPOTHESIS, [REFERENCE], word_order=2).score
    assert chrf_plus_plus(HYPOTHESIS, REFERENCE) * 100 == pytest.approx(plus)
    assert bleu(HYPOTHESIS, REFERENCE) * 100 == pytest.approx(sacrebleu.sentence_bleu(HYPOTHESIS, [REFERENCE]).score)


def test_ter_is_sacrebleu_s_figure_turned_round_and_cut_off() -> None:
    assert ter(HYPOTHESIS, REFERENCE) == pytest.approx(1 - sacrebleu.sentence_ter(HYPOTHESIS, [REFERENCE]).score / 100)
    assert ter("a b c d", "a b x d") == pytest.approx(0.75)  # one of four words substituted
    assert ter("c d a b", "a b c d") == pytest.approx(0.75)  # one shift
    assert ter("one two three four five six", "eins") == 0.0  # six edits for one word


def test_chrf_of_the_reference_is_one_and_of_nothing_zero() -> None:
    assert chrf(REFERENCE, REFERENCE) == pytest.approx(1.0)
    assert chrf("", REFERENCE) == 0.0


def test_several_references_count() -> None:
    assert chrf(REFERENCE, ["etwas ganz anderes", REFERENCE]) == pytest.approx(1.0)
    assert exact_match(" b  c ", ["a", "b c"]) == 1.0
    assert exact_match("B c", "b c") == 0.0
    assert exact_match("B c", "b c", ignore_case=True) == 1.0


SENTENCES = {
    "de": "Der Zug nach München fährt heute um acht Uhr ab.",
    "en": "The train to Munich leaves today at eight o'clock.",
    "fr": "Le train pour Munich part aujourd'hui à huit heures.",
    "es": "El tren a Múnich sale hoy a las ocho de la mañana.",
    "pt": "O trem para Munique parte hoje às oito horas da manhã.",
    "it": "Il treno per Monaco parte oggi alle otto di mattina.",
    "nl": "De trein naar München vertrekt vandaag om acht uur.",
    "cs": "Vlak do Mnichova dnes odjíždí v osm hodin ráno.",
    "pl": "Pociąg do Monachium odjeżdża dziś o godzinie ósmej.",
    "ru": "Поезд в Мюнхен отправляется сегодня в восемь часов.",
    "uk": "Потяг до Мюнхена відправляється сьогодні о восьмій годині.",
    "ja": "ミュンヘン行きの列車は今日の八時に出発します。",
    "zh": "开往慕尼黑的火车今天早上八点出发。",
    "ko": "뮌헨행 기차는 오늘 여덟 시에 출발합니다.",
    "ar": "يغادر القطار المتجه إلى ميونيخ اليوم في الساعة الثامنة.",
    "hi": "म्यूनिख जाने वाली ट्रेन आज सुबह आठ बजे रवाना होगी।",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_on_target_in_its_own_language_only(code: str) -> None:
    source = "en" if code != "en" else "de"
    assert is_on_target(SENTENCES[code], code, source).on_target is True
    assert identify(SENTENCES[code]).language == code
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


def test_text_without_letters_is_not_judged() -> None:
    assert is_on_target("12.3.2024", "de", "en").on_target is None
    assert direction("12.3.2024", "de", "en").status == "not_applicable"


def test_the_gate_names_what_it_detected() -> None:
    result = direction(SENTENCES["en"], "de", "en")
    assert result.value == 0.0 and "detected en" in result.detail
    assert direction("   ", "de").value == 0.0


def test_candidates_narrow_the_choice() -> None:
    assert identify("Bom dia", ["pt", "en", "de"]).language == "pt"


def value(result: RewardResult | None) -> float | None:
    assert result is not None
    return result.value


def test_copying_the_source_fails_and_shared_names_do_not() -> None:
    source = "Angela Merkel met Emmanuel Macron in Aachen."
    assert value(source_copy(source, source)) == 0.0
    assert value(source_copy(source + "!", source)) == 0.0
    assert (
        value(
            source_copy(
                "Angela Merkel traf Emmanuel Macron in Aachen.",
                source,
                "Angela Merkel hat Emmanuel Macron in Aachen getroffen.",
            )
        )
        == 1.0
    )
    assert value(source_copy("Berlin", "Berlin", "Berlin")) == 1.0


def test_containment_by_hand() -> None:
    # "abcde" has the 4-grams abcd, bcde; only abcd is in "xabcd"
    assert containment("abcde", "xabcd") == pytest.approx(0.5)


def test_loops_fail_and_ordinary_text_does_not() -> None:
    assert value(repetition("Das ist gut. " * 8)) == 0.0
    assert value(repetition("哈" * 30)) == 0.0
    assert value(repetition("one two three four " * 4 + "five")) == 0.0
    assert value(repetition(" ".join(SENTENCES[c] for c in ("de", "fr", "nl")))) == 1.0
    assert value(repetition("1000000000000 Euro .........")) == 1.0


def test_repeated_share_by_hand() -> None:
    # 16 words give 14 word 3-grams; "a b c d" four times has 4 distinct ones
    assert repeated_share("a b c d " * 4) == pytest.approx(1 - 4 / 14)


def test_the_length_band() -> None:
    reference = "x" * 100
    assert value(length_band("y" * 27, reference=reference)) == 0.0  # 0.4 * 100 - 12 = 28
    assert value(length_band("y" * 28, reference=reference)) == 1.0
    assert value(length_band("y" * 262, reference=reference)) == 1.0  # 2.5 * 100 + 12
    assert value(length_band("y" * 263, reference=reference)) == 0.0
    assert value(length_band("", source="short")) == 0.0
    assert length_band("text") is None

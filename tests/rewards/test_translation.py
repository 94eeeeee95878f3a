"""Translation quality equals sacrebleu's figures; the gates hold honest translations and stop the known
cheats.
"""

from __future__ import annotations

import pytest
import sacrebleu

from rewards import RewardError, validate_rows
from rewards.calling import call
from rewards.records import RewardResult, RewardSpec
from rewards.registry import find_kind
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
    "nl": "De trein naar München vertrekt vandaag om acht uur.",
}


def test_an_answer_without_letters_is_right_only_when_the_source_has_none_either() -> None:
    assert direction("12.3.2024", "de", "en").value == 0.0
    assert direction("12.3.2024", "de", "en", row={"source": "on March 12"}).value == 0.0
    assert direction("12.3.2024", "de", "en", row={"source": "3/12/2024"}).status == "not_applicable"
    assert direction("", "de", "en", row={"source": "3/12/2024"}).value == 0.0


def test_the_gate_reads_the_source_text_from_the_row_and_its_language_from_the_arguments() -> None:
    spec = RewardSpec("direction", args={"source": "en", "target": "de"})
    kind = find_kind("direction")
    for source, status in (("3/12/2024", "not_applicable"), ("March 12", "ok")):
        assert call(kind, spec, {"id": "d", "source": source, "response": "12.3.2024"}).status == status


def test_a_direction_within_one_language_is_refused() -> None:
    for source, target in (("de", "de-AT"), ("pt_BR", "pt"), ("zh-Hans", "zh-Hant"), ("nb", "nn")):
        with pytest.raises(RewardError, match="one language"):
            args = {"source": source, "target": target}
            validate_rows([{"id": "a", "rewards": [{"kind": "direction", "args": args}]}])


def test_the_gate_names_what_it_detected() -> None:
    result = direction(SENTENCES["en"], "de", "en")
    assert result.value == 0.0 and "detected en" in result.detail
    assert direction("   ", "de").value == 0.0


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

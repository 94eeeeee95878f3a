"""Meaning by sentence embeddings: translations above unrelated texts, omissions and additions seen."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import RewardError, validate_rows
from rewards.calling import call_batch
from rewards.models.embeddings import embed
from rewards.records import RewardResult, RewardSpec
from rewards.registry import find_kind
from rewards.translation.adequacy import calibrated
from rewards.translation.alignment import numbers_of, sentences_of

ENGLISH = "The train to Munich leaves today at eight o'clock in the morning."
TRANSLATIONS = {
    "ar": "يغادر القطار المتجه إلى ميونيخ اليوم في الساعة الثامنة صباحا.",
    "de": "Der Zug nach München fährt heute um acht Uhr morgens ab.",
    "es": "El tren a Múnich sale hoy a las ocho de la mañana.",
    "fr": "Le train pour Munich part aujourd'hui à huit heures du matin.",
    "it": "Il treno per Monaco di Baviera parte oggi alle otto di mattina.",
    "ja": "ミュンヘン行きの列車は今日の朝八時に出発します。",
    "ko": "뮌헨행 기차는 오늘 아침 여덟 시에 출발합니다.",
    "nl": "De trein naar München vertrekt vandaag om acht uur 's ochtends.",
    "pl": "Pociąg do Monachium odjeżdża dziś o godzinie ósmej rano.",
    "pt": "O trem para Munique parte hoje às oito horas da manhã.",
    "ru": "Поезд в Мюнхен отправляется сегодня в восемь часов утра.",
    "th": "รถไฟไปมิวนิกออกเดินทางวันนี้เวลาแปดโมงเช้า",
    "tr": "Münih treni bugün sabah saat sekizde kalkıyor.",
    "zh": "开往慕尼黑的火车今天早上八点出发。",
}
COOKING = "Cut the onions into small pieces and fry them in butter until they are golden."
ZWIEBELN = "Die Zwiebeln in kleine Stücke schneiden und in Butter goldgelb braten."
WEATHER = "Tomorrow it will rain in the whole country and the wind will be strong."
WETTER = "Morgen regnet es im ganzen Land, und der Wind wird stark sein."


def scored(kind: str, rows: list[tuple[str, str]], target: str = "de", **args: Any) -> list[RewardResult]:
    spec = RewardSpec(kind, args={"languages": ["en", target], **args})
    results = call_batch(find_kind(kind), [(spec, {"id": r, "source": s, "response": r}) for s, r in rows])
    assert results is not None
    return results


def value(kind: str, source: str, response: str, target: str = "de", **args: Any) -> float:
    found = scored(kind, [(source, response)], target, **args)[0].value
    assert found is not None
    return found


@pytest.mark.parametrize("code", TRANSLATIONS)
def test_a_translation_is_far_above_a_sentence_about_something_else(code: str) -> None:
    right, wrong = scored("adequacy", [(ENGLISH, TRANSLATIONS[code]), (COOKING, TRANSLATIONS[code])], code)
    assert (right.value or 0) > 0.7 and (wrong.value if wrong.value is not None else 1) < 0.3


def test_less_of_the_meaning_is_worth_less() -> None:
    source = f"{ENGLISH} {COOKING}"
    whole = value("adequacy", source, f"{TRANSLATIONS['de']} {ZWIEBELN}")
    assert whole > value("adequacy", source, TRANSLATIONS["de"]) > value("adequacy", source, WETTER)


def test_with_a_reference_the_reference_earns_one() -> None:
    reference = TRANSLATIONS["tr"]
    assert value("adequacy", ENGLISH, reference, "tr", reference=reference) == pytest.approx(1.0, abs=1e-5)
    assert value("adequacy", ENGLISH, reference, "tr", reference=[COOKING, reference]) == pytest.approx(1.0, abs=1e-5)
    free = "Vor neun ist heute Morgen keine Abfahrt nach Bayern mehr möglich, nur um acht."
    own = float(embed([ENGLISH])[0] @ embed([free])[0])
    assert 0.4 < own < 0.7  # below what an average translation has, and still the yardstick
    assert value("adequacy", ENGLISH, free, reference=free) == pytest.approx(1.0, abs=1e-5)
    assert value("adequacy", ENGLISH, free) == pytest.approx((own - 0.08) / (0.77 - 0.08), abs=1e-5)
    assert value("adequacy", ENGLISH, TRANSLATIONS["de"], reference="Der Zug nach München geht um acht.") < 1.0
    assert value("adequacy", ENGLISH, WETTER, reference=TRANSLATIONS["de"]) < 0.3


def test_the_scale_is_linear_and_cut_off() -> None:
    assert [calibrated(x, 0.0, 0.8) for x in (-0.2, 0.0, 0.2, 0.8, 1.0)] == [0.0, 0.0, pytest.approx(0.25), 1.0, 1.0]


def test_the_figures_do_not_depend_on_the_batch() -> None:
    together = embed([ENGLISH, COOKING, WEATHER])
    assert together[1] @ embed([COOKING + " "])[0] == pytest.approx(1.0, abs=1e-3)
    assert together[0] @ together[0] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("kind", ["adequacy", "alignment"])
def test_other_languages_do_not_apply_and_nothing_earns_nothing(kind: str) -> None:
    found = scored(kind, [("The house is old.", "Talo on vanha.")], "fi")[0]
    assert (found.value, found.status) == (None, "not_applicable") and "fi" in found.detail
    assert value(kind, ENGLISH, "  ") == 0.0


@pytest.mark.parametrize("kind", ["adequacy", "alignment"])
def test_malformed_arguments_are_refused_when_data_is_loaded(kind: str) -> None:
    row = {
        "id": "a",
        "response": "x",
        "source": "Hello",
        "rewards": [{"kind": kind, "args": {"languages": ["en", "de"]}}],
    }
    validate_rows([row])
    for wrong in ({"languages": "de"}, {"languages": ["de"]}, {"languages": ["en", "de"], "source": ""}):
        with pytest.raises(RewardError, match=r"languages|source"):
            validate_rows([{**row, "rewards": [{"kind": kind, "args": wrong}]}])


def test_a_whole_translation_passes_whatever_its_order_and_cut() -> None:
    source = f"{ENGLISH} {COOKING} {WEATHER}"
    assert value("alignment", source, f"{TRANSLATIONS['de']} {ZWIEBELN} {WETTER}") == 1.0
    assert value("alignment", source, f"{ZWIEBELN}\n{TRANSLATIONS['de']}\n{WETTER}") == 1.0
    parts = "Die Zwiebeln in kleine Stücke schneiden. Dann in Butter goldgelb braten."
    assert value("alignment", COOKING, parts) == 1.0


def test_an_omission_and_an_addition_are_seen_and_quoted() -> None:
    missing = scored("alignment", [(f"{ENGLISH} {COOKING} {WEATHER}", f"{TRANSLATIONS['de']} {WETTER}")])[0]
    assert missing.value == 0.0 and "left out" in missing.detail and "onions" in missing.detail
    added = scored("alignment", [(f"{ENGLISH} {WEATHER}", f"{TRANSLATIONS['de']} {ZWIEBELN} {WETTER}")])[0]
    assert added.value == 0.0 and "added" in added.detail and "Zwiebeln" in added.detail
    assert value("alignment", ENGLISH, TRANSLATIONS["de"], min_similarity=0.99) == 0.0


@pytest.mark.parametrize(
    ("source", "response", "holds"),
    [
        ("It costs 1,250.50 euros.", "Es kostet 1.250,50 Euro.", 1.0),
        ("It costs 1,250.50 euros.", "Es kostet 1.520,50 Euro.", 0.0),
        ("It has 3 rooms on 80 square metres.", "Sie hat drei Zimmer auf 80 Quadratmetern.", 1.0),
        ("The house was built in 1890.", "Das Haus wurde früher gebaut.", 0.0),
        ("The house was built long ago.", "Das Haus wurde im Jahr 1890 gebaut.", 0.0),
    ],
)
def test_numbers_must_be_the_same(source: str, response: str, holds: float) -> None:
    assert value("alignment", source, response, min_similarity=-1.0) == holds
    assert value("alignment", source, response, min_similarity=-1.0, numbers=False) == 1.0


def test_numbers_of_other_scripts_and_sentences_without_spaces() -> None:
    assert numbers_of("في ٢٥ مايو ١٩٨٤ و 7") == ["25", "1984"]
    assert numbers_of("२५ रुपये") == ["25"]
    assert sentences_of("今日は雨が降っています。明日は晴れるでしょう。") == [
        "今日は雨が降っています。",
        "明日は晴れるでしょう。",
    ]
    assert sentences_of("Yes. The weather is good. I know.") == ["Yes. The weather is good. I know."]
    assert sentences_of("\n \n") == []

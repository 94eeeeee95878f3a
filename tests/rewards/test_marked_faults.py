"""Where verifiers of translations see a fault: the piece of the answer that they mark, in many scripts."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dragoman.text.addition_places import locate_addition
from dragoman.text.additions import find_addition
from dragoman.text.normalisation import normalised, normalised_in_place
from dragoman.text.places import Placed
from rewards.records import RewardResult, Span
from rewards.translation.answer_shape import no_commentary
from rewards.translation.guards import code_mixing, repetition
from rewards.translation.instructions import mt_instructions
from rewards.translation.several_answers import several_answers


def marked(result: Any, response: str) -> list[str]:
    """The pieces of the answer that were marked, `*` for the whole."""
    return ["*" if s.end - s.start == len(response) else response[s.start : s.end] for s in result.spans]


def instruct(id: str, response: str, source: str, **kwargs: Any) -> RewardResult:
    return mt_instructions(response, [{"id": id, "kwargs": kwargs}], source)


NUMBERS = [
    ("The train has 17 cars and 3 doors.", "Der Zug hat 18 Wagen und 3 Türen.", ["18"]),
    ("The train has 1,500 seats.", "Поезд имеет 1 600 мест.", ["1 600"]),
    ("The train has 1,500 seats.", "Поезд имеет 1 500 мест.", []),
    ("It has 17 cars.", "这列火车有18节车厢。", ["18"]),
    ("It has 30,000 seats.", "座席は4万あります。", ["4万"]),
    ("It has 30,000 seats.", "座席は3万あります。", []),
    ("It has 17 cars.", "به ۱۸ واگن", ["۱۸"]),
    ("It has 17 cars.", "به ۱۷ واگن", []),
    ("It has 17 cars.", "इसमें १८ डिब्बे हैं।", ["१८"]),
    ("It has 17 cars.", "객차가 18량 있습니다.", ["18"]),
    ("It has 17 cars.", "มี ๑๘ ตู้", ["๑๘"]),
    ("On 12/03/2024 at 9.", "Am 13.03.2024 um 9.", ["13.03.2024"]),
    ("It has 17 cars.", "Er hat Wagen.", ["*"]),  # lost: no place of its own
    ("It has 17 cars.", "Er hat 17 Wagen und 5 Türen.", ["5"]),
    ("See https://a.org/7 for 17.", "Siehe https://a.org/7 für 18.", ["18"]),
    ("{n1} of 17", "{n1} von 18", ["18"]),
]


@pytest.mark.parametrize(("source", "response", "pieces"), NUMBERS)
def test_a_wrong_number_is_marked_where_it_stands(source: str, response: str, pieces: list[str]) -> None:
    found = instruct("mt:numbers", response, source)
    assert marked(found, response) == pieces
    assert (found.value == 1.0) == (not pieces)
    assert all(span.value == -1.0 for span in found.spans)


def test_a_lost_number_is_blamed_on_its_own_sentence_where_sentences_match() -> None:
    source = "The train leaves at 9. It has 17 cars. It is red."
    response = "Der Zug fährt um 9. Er hat Wagen. Er ist rot."
    assert marked(instruct("mt:numbers", response, source), response) == ["Er hat Wagen."]
    response = "列车9点出发。它有车厢。它是红色的。"
    assert marked(instruct("mt:numbers", response, source), response) == ["它有车厢。"]
    response = "Der Zug fährt um 9 und hat Wagen. Er ist rot."
    assert marked(instruct("mt:numbers", response, source), response) == ["*"]


def test_half_of_a_surrogate_pair_hides_no_fault() -> None:
    response = "Er fährt um 9. \ud83d Es hat Wagen."
    found = instruct("mt:numbers", response, "It leaves at 9. It has 17 cars.")
    assert (found.value, len(found.spans)) == (0.0, 1)


def test_a_wrong_number_stands_for_the_lost_one_and_further_lost_ones_are_blamed_apart() -> None:
    response = "Es sind 8 Züge."
    assert marked(instruct("mt:numbers", response, "7 trains"), response) == ["8"]
    assert marked(instruct("mt:numbers", response, "7 trains on 2 tracks"), response) == ["8", "*"]


@pytest.mark.parametrize(
    ("source", "response", "pieces"),
    [
        ("Hello {name}!", "Hallo {nom}!", ["{nom}"]),
        ("Hello {name}!", "Hallo {name}!", []),
        ("Hello {name}!", "こんにちは、{名前}さん！", ["{名前}"]),
        ("Hello {name}!", "Здравствуйте, {name!", ["{name"]),
        ("Hello {name}!", "مرحبا name}!", ["name}"]),
        ("Hello {name}!", "你好！", ["*"]),
        ("Hello {name}!", "नमस्ते {name} {name}!", ["{name}"]),
        ("%d files in %s", "%d Dateien in %d", ["%d"]),
        ("Hello {{user}}", "안녕하세요 {{사용자}}", ["{{사용자}}"]),
        ("{n, plural, one {# file} other {# files}}", "{n, plural, one {# Datei} other {# Dateien}", ["*"]),
    ],
)
def test_a_broken_or_made_up_placeholder_is_marked(source: str, response: str, pieces: list[str]) -> None:
    assert marked(instruct("mt:placeholders", response, source), response) == pieces


def test_the_last_of_too_many_placeholders_is_the_one_too_many() -> None:
    response = "{name}, {name}"
    (span,) = instruct("mt:placeholders", response, "Hello {name}").spans
    assert (span.start, span.end) == (8, 14)


@pytest.mark.parametrize(
    ("source", "response", "pieces"),
    [
        ("<b>new</b> file", "<b>neue</b> Datei", []),
        ("<b>new</b> file", "<i>neue</i> Datei", ["<i>", "</i>"]),
        ("<b>new</b> file", "<b>新しい ファイル", ["*"]),  # a closing tag was lost
        ("<b>new</b> <i>file</i>", "<b>новый <i></b>файл</i>", ["</b>"]),
        ("<b>a</b> <i>b</i>", "<b>a <i>b</i></b>", ["<i>"]),  # inside of another tag
        ("<b>new</b>", "<b>جديد</b><br>", ["<br>"]),
        ("<!-- x --><b>new</b>", "<!-- 가 --><u>새</u>", ["<u>", "</u>"]),
    ],
)
def test_a_tag_that_is_wrong_is_marked(source: str, response: str, pieces: list[str]) -> None:
    found = instruct("mt:tags", response, source)
    assert marked(found, response) == pieces
    assert (found.value == 1.0) == (not pieces)


TERM = {"source": "server", "target": ["Server", "сервер", "サーバー", "خادم", "서버"]}


@pytest.mark.parametrize(
    ("response", "pieces"),
    [
        ("Der Server ist neu.", []),
        ("Der Rechner ist neu.", ["Rechner"]),  # stands for the term
        ("Новый компьютер здесь.", ["компьютер"]),
        ("新しい計算機です。", ["計算機"]),
        ("الحاسوب جديد", ["الحاسوب"]),
        ("컴퓨터가 새것입니다", ["컴퓨터"]),
        ("Der ＲＥＣＨＮＥＲ ist neu.", ["ＲＥＣＨＮＥＲ"]),  # other widths are folded, and the place stays
        ("Der Re\u00adchner und der Server.", ["Re\u00adchner"]),
        ("Die Maschine ist neu.", ["*"]),
        ("Der Rechner und der Server.", ["Rechner"]),
    ],
)
def test_a_forbidden_term_is_marked_and_a_missing_one_blamed(response: str, pieces: list[str]) -> None:
    forbidden = ["Rechner", "компьютер", "計算機", "الحاسوب", "컴퓨터"]
    found = instruct("mt:glossary", response, "The server is new.", terms=[TERM], forbidden=forbidden)
    assert marked(found, response) == pieces
    assert (found.value == 1.0) == (not pieces)


def test_a_name_that_was_translated_is_blamed_on_its_sentence() -> None:
    source, response = "I like it. Windows is here.", "Ich mag es. Fenster ist hier."
    found = instruct("mt:do_not_translate", response, source, terms=["Windows"])
    assert marked(found, response) == ["Fenster ist hier."]


def test_another_address_is_marked() -> None:
    source, response = "See https://a.org/x or mail a@b.org.", "見て https://a.org/y か a@b.org。"
    assert marked(instruct("mt:urls", response, source), response) == ["https://a.org/y"]


ADDED = [
    ("The house is old.", "Here is the translation: Das Haus ist alt.", "Here is the translation:"),
    ("The house is old.", "Das Haus ist alt.\nNote: formal register.", "Note: formal register."),
    ("The house is old.", "Das Haus ist alt. Ich hoffe, das hilft!", "Ich hoffe, das hilft!"),
    ("The house is old.", "以下は翻訳です：\n家は古いです。", "以下は翻訳です："),
    ("The house is old.", "Вот перевод: Дом старый.", "Вот перевод:"),
    ("The house is old.", "هذه هي الترجمة: البيت قديم.", "هذه هي الترجمة:"),
    ("The house is old.", "번역은 다음과 같습니다: 집이 오래되었다.", "번역은 다음과 같습니다:"),
    ("The house is old.", "这是翻译：房子很旧。", "这是翻译："),
]


@pytest.mark.parametrize(("source", "response", "piece"), ADDED)
def test_an_announcement_or_a_note_is_marked_and_the_translation_is_not(source: str, response: str, piece: str) -> None:
    (span,) = several_answers(response, source).spans or no_commentary(response, source).spans
    assert response[span.start : span.end] == piece and span.value == -1.0
    assert several_answers(response.replace(piece, "").strip(), source).spans == ()


def test_further_lines_items_slashes_and_fences_are_marked() -> None:
    source = "The house is old."
    response = "Das Haus ist alt.\nDas Gebäude ist alt.\nEs ist alt."
    assert marked(several_answers(response, source), response) == ["Das Gebäude ist alt.\nEs ist alt."]
    response = "Das Haus ist alt (das bedeutet nicht mehr neu)."
    assert marked(several_answers(response, source), response) == ["(das bedeutet nicht mehr neu)"]
    response = " ```de\nDas Haus ist alt.\n```"
    assert "```de" in marked(no_commentary(response, source), response)
    response = "  „Das Haus ist alt.“"
    quotes = no_commentary(response, source).spans
    assert [(response[s.start], s.value) for s in quotes] == [("„", -0.2), ("“", -0.2)]


def test_an_addition_has_a_place_exactly_where_one_is_found() -> None:
    for source, response, _ in ADDED:
        assert (locate_addition(response, source) is None) == (find_addition(response, source) is None)


@pytest.mark.parametrize(
    ("response", "piece"),
    [
        ("Der Hund. " + "sehr gut " * 6, " sehr gut" * 5),
        ("犬は" + "とても" * 7, "とても" * 6),
        ("Собака " + "очень " * 6, " очень" * 5),
        ("हाथी " + "बड़ा " * 6, " बड़ा" * 5),
        ("개가 " + "아주 크다 " * 6, " 아주 크다" * 5),
        ("الكلب " + "جدا " * 6, " جدا" * 5),
    ],
)
def test_a_loop_is_marked_from_its_second_turn_on(response: str, piece: str) -> None:
    found = repetition(response)
    assert found.value == 0.0
    assert [text.strip() for text in marked(found, response)] == [piece.strip()]


def test_what_was_said_before_is_marked_and_the_first_time_is_not() -> None:
    sentence = "der alte Mann geht heute mit dem kleinen Hund an den Fluss"
    response = f"{sentence} und {sentence} und dann {sentence}"
    found = repetition(response)
    assert found.value == 0.0
    assert marked(found, response) == [sentence, sentence] or marked(found, response) == [f"{sentence} und", sentence]
    assert repetition(sentence).spans == ()


@pytest.mark.parametrize(
    ("response", "target", "foreign"),
    [
        ("Der alte Hund schläft jeden Tag im Garten. The cat is sitting under the big old table.", "de", "The cat is"),
        ("Старая собака спит в саду каждый день. The cat is sitting under the big old table.", "ru", "The cat is"),
        ("老狗每天都在花园里睡觉。The cat is sitting under the big old table.", "zh", "The cat is"),
        ("الكلب العجوز ينام كل يوم في الحديقة. The cat is sitting under the big old table.", "ar", "The cat is"),
        ("늙은 개는 매일 정원에서 잔다. The cat is sitting under the big old table.", "ko", "The cat is"),
        ("Ο γέρος σκύλος κοιμάται κάθε μέρα. The cat is sitting under the big old table.", "el", "The cat is"),
    ],
)
def test_a_piece_in_another_language_is_marked(response: str, target: str, foreign: str) -> None:
    found = code_mixing(response, target, "en")
    assert found.value == 0.0
    start = response.index(foreign)
    assert [span.start for span in found.spans] == [start]
    assert found.spans[0].label == "in en" and response[found.spans[0].end - 6 : found.spans[0].end] == " table"
    assert code_mixing(response[:start], target, "en").spans == ()


def test_a_check_that_holds_marks_nothing() -> None:
    everything = ["mt:numbers", "mt:placeholders", "mt:tags", "mt:urls", "mt:no_commentary"]
    source = "Hello {name}, <b>17</b> files at https://a.org."
    response = "Hallo {name}, <b>17</b> Dateien unter https://a.org."
    found = mt_instructions(response, [{"id": id} for id in everything], source)
    assert (found.value, found.spans) == (1.0, ())


def test_faults_of_several_instructions_are_all_marked() -> None:
    source, response = "Hello {name}, 17 files.", "Hallo {nom}, 18 Dateien."
    found = mt_instructions(response, [{"id": "mt:numbers"}, {"id": "mt:placeholders"}], source)
    assert found.spans == (
        Span(13, 15, -1.0, "number not in the source: 18"),
        Span(6, 11, -1.0, "placeholder not in the source: {nom}"),
    )


LETTERS = (
    "aé e\u0301ß 中文가\u1112\u1161\u11abかﾞｶﾞﾊﾟ नि\u0947क्ष\u200dمﻻ\u200cﷺ\u00ad\u200b\ufeffＡ１\u2011–ﬁ"
    "\U0001f469\u200d\U0001f467\r\n\u2028'’"
)


def test_the_plain_form_in_place_is_the_plain_form() -> None:
    source = random.Random(0)
    exact = 0
    for _ in range(2000):
        text = "".join(source.choices(LETTERS, k=source.randint(0, 12)))
        placed = normalised_in_place(text)
        assert placed.text == normalised(text), ascii(text)
        assert list(placed.starts) == sorted(placed.starts) and list(placed.ends) == sorted(placed.ends)
        exact += len(text) < 2 or len(set(placed.starts)) > 1 or len(placed.text) < 2
    assert exact > 1900


def test_places_survive_cuts_and_substitutions() -> None:
    placed = Placed.of("a<b>c  d").sub("<b>").sub(r"\s+", " ").each(str.upper)
    assert placed.text == "AC D"
    assert [placed.span(i, i + 1) for i in range(4)] == [(0, 1), (4, 5), (5, 7), (7, 8)]
    assert placed.span(1, 4) == (4, 8)
    assert Placed.of("ß").each(str.casefold).span(0, 2) == (0, 1)

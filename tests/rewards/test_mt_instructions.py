"""Each translation instruction with responses that follow it, do not, or to which it does not apply."""

from __future__ import annotations

from typing import Any

import pytest

from rewards import RewardError, validate_rows
from rewards.translation.instructions import TRANSLATION_INSTRUCTIONS, follows, mt_instructions
from rewards.translation.preservation import find_addresses, find_placeholders

BANK = {"terms": [{"source": "bank", "target": ["Bank", "Banken"]}]}
STAMP = {"terms": [{"source": "account", "target": "счёт"}], "endings": 2}
DAY = {"date": "2024-03-05"}

# id, kwargs, source, response, verdict
CASES: list[tuple[str, dict[str, Any], str, str, bool | None]] = [
    ("mt:glossary", BANK, "The bank is open.", "Die Bank ist offen.", True),
    ("mt:glossary", BANK, "The banks are open.", "Die BANKEN sind offen.", True),
    ("mt:glossary", BANK, "The bank is open.", "Das Bankett ist offen.", False),
    ("mt:glossary", BANK, "The bank is open.", "Die Datenbank ist offen.", False),
    ("mt:glossary", BANK, "The house is open.", "Das Haus ist offen.", None),
    ("mt:glossary", BANK, "", "Die Bank", True),
    ("mt:glossary", BANK | {"forbidden": ["Ufer"]}, "The bank", "Die Bank am Ufer", False),
    ("mt:glossary", STAMP, "Open an account", "Открыть счёт", True),
    ("mt:glossary", STAMP, "No account", "Нет счёта", True),
    ("mt:glossary", STAMP, "No account", "Нет счётчика", False),
    ("mt:glossary", {"terms": [{"source": "bank", "target": "银行"}]}, "the bank", "我在银行工作", True),
    ("mt:glossary", {"terms": [{"source": "bank", "target": "은행"}]}, "the bank", "저는 은행에서 일합니다", True),
    ("mt:glossary", {"terms": [{"source": "银行", "target": "bank"}]}, "我在银行工作", "I work at a bank", True),
    ("mt:glossary", {"terms": [{"source": "app", "target": "App"}]}, "the app", "这个App很好", True),
    ("mt:do_not_translate", {"terms": ["Dragoman"]}, "Dragoman is Dragoman.", "Dragoman ist Dragoman.", True),
    ("mt:do_not_translate", {"terms": ["Dragoman"]}, "Dragoman is Dragoman.", "Dragoman ist gut.", False),
    ("mt:do_not_translate", {"terms": ["Wi-Fi", "C++"]}, "Wi-Fi and C++.", "Wi-Fi und C++.", True),
    ("mt:do_not_translate", {"terms": ["Go"]}, "Use Go.", "Nutze Google.", False),
    ("mt:do_not_translate", {"terms": ["Go"]}, "Use C.", "Nutze C.", None),
    ("mt:placeholders", {}, "Hello {name}, %d files in ${dir}", "{name}: %d Dateien in ${dir}", True),
    ("mt:placeholders", {}, "Hello {name}, %d files", "Hallo {Name}, %d Dateien", False),
    ("mt:placeholders", {}, "{{x}} and {{x}}", "{{x}} und", False),
    ("mt:placeholders", {}, "%(n)d of %1$s", "%1$s: %(n)d", True),
    ("mt:placeholders", {}, "No placeholder", "Kein Platzhalter {x}", None),
    ("mt:placeholders", {}, "50% of {n}", "50 % von {n}", True),
    (
        "mt:placeholders",
        {},
        "{n, plural, one {# file} other {# files}} in {d}",
        "{n, plural, one {# файл} few {# файла} other {# файлов}} в {d}",
        True,
    ),
    ("mt:tags", {}, "Press <b>OK</b> now", "Drücken Sie <b>OK</b>", True),
    ("mt:tags", {}, "Press <b>OK</b> now", "Drücken Sie <b>OK", False),
    ("mt:tags", {}, "<p>A <b>b</b></p>", "<p>A</p> <b>b</b>", False),
    ("mt:tags", {}, "<b>a</b> <i>b</i>", "<i>b</i> <b>a</b>", True),
    ("mt:tags", {"same_order": True}, "<b>a</b> <i>b</i>", "<i>b</i> <b>a</b>", False),
    ("mt:tags", {}, "a<br>b", "a<br/>b", True),
    ("mt:tags", {}, '<a href="x" title="go">a</a>', '<a title="los" href="x">b</a>', True),
    ("mt:tags", {}, '<a href="x">a</a>', '<a href="y">b</a>', False),
    ("mt:tags", {}, "1 < 2", "1 < 2", None),
    ("mt:json_tree", {}, '{"a": {"b": "Open", "n": 1}}', '{"a": {"b": "Öffnen", "n": 1}}', True),
    ("mt:json_tree", {}, '{"a": {"b": "Open", "n": 1}}', '{"a": {"b": "Öffnen", "n": "1"}}', False),
    ("mt:json_tree", {"unchanged": ["id"]}, '{"id": "x", "b": "Open"}', '{"id": "y", "b": "Öffnen"}', False),
    ("mt:json_tree", {}, "no JSON", "kein JSON", None),
    ("mt:markup_tree", {"format": "html"}, "<p>Hi <b>you</b><br></p>", "<p>Hallo <b>du</b><br/></p>", True),
    ("mt:markup_tree", {"format": "html"}, "<p>Hi <b>you</b><br></p>", "<p>Hallo du<br></p>", False),
    ("mt:markup_tree", {"format": "xml"}, '<a x="1">Hi</a>', '<a x="1">Hallo</a>', True),
    ("mt:markup_tree", {"format": "xml"}, '<a x="1">Hi</a>', '<a x="1">Hallo', False),
    ("mt:urls", {}, "See https://a.org/x?y=1.", "Siehe https://a.org/x?y=1!", True),
    ("mt:urls", {}, "See https://a.org/x", "Siehe https://a.org/y", False),
    ("mt:urls", {}, "Mail to me@a.org", "Schreib an me@a.org.", True),
    ("mt:urls", {}, "Mail to me@a.org", "Schreib an ich@a.org", False),
    ("mt:urls", {}, "见https://a.org/x。", "https://a.org/x", True),
    ("mt:urls", {}, "nothing", "nichts", None),
    ("mt:numbers", {}, "1,234.5 kg and 7", "1.234,5 kg und 7", True),
    ("mt:numbers", {}, "1,234 kg", "1 234 kg", True),
    ("mt:numbers", {}, "1,234 kg", "1\u202f235 kg", False),
    ("mt:numbers", {}, "15 books", "١٥ كتابا", True),
    ("mt:numbers", {}, "10,000 people", "1万人", True),
    ("mt:numbers", {}, "12,34,567 rupees", "1,234,567 Rupien", True),
    ("mt:numbers", {}, "on 5/3/2024", "am 5.3.2024", True),
    ("mt:numbers", {}, "2 and 2", "2", False),
    ("mt:numbers", {}, "2", "2 und 3", False),
    ("mt:numbers", {"allow_more": True}, "2", "2 und 3", True),
    ("mt:numbers", {}, "see https://a.org/7 and {0}", "7", None),
    ("mt:numbers", {}, "0.5", "0,5", True),
    ("mt:date_format", DAY | {"locale": "de"}, "", "Am 5. März 2024 war es kalt.", True),
    ("mt:date_format", DAY | {"locale": "de"}, "", "Am 05.03.24 war es kalt.", True),
    ("mt:date_format", DAY | {"locale": "de"}, "", "Am 3/5/2024 war es kalt.", False),
    ("mt:date_format", DAY | {"locale": "de", "style": "long"}, "", "05.03.24", False),
    ("mt:date_format", DAY | {"locale": "en-US"}, "", "On March 5, 2024 it was cold.", True),
    ("mt:date_format", DAY | {"locale": "ja"}, "", "2024年3月5日は寒かった。", True),
    ("mt:date_format", DAY | {"locale": "ru"}, "", "5 марта 2024\u00a0г. было холодно", True),
    ("mt:date_format", DAY | {"locale": "fr"}, "", "le 15 mars 2024", False),
    ("mt:number_format", {"number": 1234567.5, "locale": "de"}, "", "Es sind 1.234.567,5 kg.", True),
    ("mt:number_format", {"number": 1234567.5, "locale": "fr"}, "", "Il y a 1 234 567,5 kg.", True),
    ("mt:number_format", {"number": 1234567.5, "locale": "de"}, "", "Es sind 1,234,567.5 kg.", False),
    ("mt:number_format", {"number": 1234567, "locale": "hi"}, "", "12,34,567 रुपये", True),
    ("mt:number_format", {"number": 1234, "locale": "es"}, "", "Son 1234 kg.", True),
    ("mt:number_format", {"number": 234, "locale": "de"}, "", "Es sind 1.234 kg.", False),
    ("mt:currency_format", {"amount": 12.5, "currency": "EUR", "locale": "de"}, "", "Das kostet 12,50 €.", True),
    ("mt:currency_format", {"amount": 12.5, "currency": "EUR", "locale": "de"}, "", "Das kostet €12.50.", False),
    ("mt:currency_format", {"amount": 12.5, "currency": "USD", "locale": "en"}, "", "It costs $12.50.", True),
    ("mt:currency_format", {"amount": 5, "currency": "EUR", "locale": "fr"}, "", "Cela coûte 5 €.", True),
    ("mt:currency_format", {"amount": 5, "currency": "JPY", "locale": "ja"}, "", "5円です。", True),
    ("mt:max_characters", {"max_characters": 5}, "", " fünf!\n", True),
    ("mt:max_characters", {"max_characters": 5}, "", "sechs!", False),
    ("mt:formality", {"language": "de", "level": "formal"}, "", "Bitte klicken Sie hier.", True),
    ("mt:formality", {"language": "de", "level": "informal"}, "", "Bitte klicken Sie hier.", False),
    ("mt:formality", {"language": "de", "level": "formal"}, "", "Klick auf dein Konto.", False),
    ("mt:formality", {"language": "de", "level": "formal"}, "", "Sie kommt heute.", None),
    ("mt:formality", {"language": "de", "level": "formal"}, "", "Das Konto ist leer.", None),
    ("mt:formality", {"language": "de", "level": "formal"}, "", "Öffnen Sie dein Konto.", False),
    ("mt:formality", {"language": "fr", "level": "informal"}, "", "Est-ce que tu viens ?", True),
    ("mt:formality", {"language": "fr", "level": "formal"}, "", "Ouvrez votre compte.", True),
    ("mt:formality", {"language": "es-MX", "level": "formal"}, "", "¿Tiene usted una cuenta?", True),
    ("mt:formality", {"language": "es", "level": "formal"}, "", "Abre tu cuenta.", False),
    ("mt:formality", {"language": "it", "level": "formal"}, "", "Se Lei vuole, apra il conto.", True),
    ("mt:formality", {"language": "it", "level": "formal"}, "", "Apri il tuo conto.", False),
    ("mt:formality", {"language": "pt", "level": "formal"}, "", "O senhor tem uma conta?", True),
    ("mt:formality", {"language": "pt", "level": "informal"}, "", "A tua conta está vazia.", True),
    ("mt:formality", {"language": "nl", "level": "formal"}, "", "Open uw rekening.", True),
    ("mt:formality", {"language": "nl", "level": "formal"}, "", "Open je rekening.", False),
    ("mt:formality", {"language": "ru", "level": "formal"}, "", "Откройте ваш счёт.", True),
    ("mt:formality", {"language": "ru", "level": "formal"}, "", "Ты можешь открыть счёт.", False),
    ("mt:formality", {"language": "pl", "level": "formal"}, "", "Czy ma Pan konto?", True),
    ("mt:formality", {"language": "pl", "level": "formal"}, "", "Otwórz swoje konto, to dla ciebie.", False),
    ("mt:formality", {"language": "ja", "level": "formal"}, "", "口座を開いてください。これは無料です。", True),
    ("mt:formality", {"language": "ja", "level": "formal"}, "", "口座を開く。", False),
    ("mt:formality", {"language": "ja", "level": "informal"}, "", "これは無料だよ。", True),
    ("mt:formality", {"language": "ko", "level": "formal"}, "", "계좌를 여십시오. 무료입니다.", True),
    ("mt:formality", {"language": "ko", "level": "formal"}, "", "계좌를 열어.", False),
    ("mt:no_commentary", {}, "The house is old.", "Das Haus ist alt.", True),
    ("mt:no_commentary", {}, "The house is old.", "Here is the translation: Das Haus ist alt.", False),
    ("mt:no_commentary", {}, "The house is old.", "Sure! Here's the German translation:\nDas Haus ist alt.", False),
    ("mt:no_commentary", {}, "The house is old.", "Übersetzung: Das Haus ist alt.", False),
    ("mt:no_commentary", {}, "The house is old.", "Das Haus ist alt.\n\nHinweis: „alt“ ist wörtlich.", False),
    ("mt:no_commentary", {}, "The house is old.", "Das Haus ist alt.\nOder: Das Gebäude ist alt.", False),
    ("mt:no_commentary", {}, "The house is old.", "Das Haus ist alt.\n\nDas Gebäude ist alt.", False),
    ("mt:no_commentary", {}, "The house is old.", '"Das Haus ist alt."', False),
    ("mt:no_commentary", {}, '"The house is old."', "„Das Haus ist alt.“", True),
    ("mt:no_commentary", {}, "The house is old.", "```\nDas Haus ist alt.\n```", False),
    ("mt:no_commentary", {}, "The house is old.", "以下是翻译：房子很旧。", False),
    ("mt:no_commentary", {}, "The house is old.", "翻訳：家は古い。", False),
    ("mt:no_commentary", {}, "Note: the house is old.", "Hinweis: Das Haus ist alt.", True),
    ("mt:no_commentary", {}, "Translation: a short history", "Übersetzung: eine kurze Geschichte", True),
    ("mt:no_commentary", {}, "", "Das Haus ist alt.\n\nEs steht am Fluss.", True),
    ("mt:output_format", {"format": "plain"}, "old house", "altes Haus", True),
    ("mt:output_format", {"format": "plain"}, "old house", '{"translation": "altes Haus"}', False),
    ("mt:output_format", {"format": "plain"}, "old house", "<t>altes Haus</t>", False),
    ("mt:output_format", {"format": "plain"}, "<b>old</b> house", "<b>altes</b> Haus", True),
    ("mt:output_format", {"format": "json", "keys": ["de"]}, "old house", '{"de": "altes Haus"}', True),
    ("mt:output_format", {"format": "json", "keys": ["de"]}, "old house", '```json\n{"de": "altes Haus"}\n```', True),
    ("mt:output_format", {"format": "json", "keys": ["de"]}, "old house", '{"de": "x", "note": "y"}', False),
    ("mt:output_format", {"format": "json", "keys": ["de"]}, "old house", '{"de": ""}', False),
    ("mt:output_format", {"format": "json"}, "old house", '["altes Haus"]', False),
    ("mt:output_format", {"format": "xml"}, "<s>old</s>", "<s>alt</s>", True),
    ("mt:output_format", {"format": "xml"}, "<s>old</s>", "alt", False),
    ("mt:output_format", {"format": "xml"}, "old", "<s>alt</s>", True),
    ("mt:output_format", {"format": "xml"}, "old", "<s>alt", False),
]


@pytest.mark.parametrize(("id", "kwargs", "source", "response", "verdict"), CASES)
def test_an_instruction_is_followed_or_not_or_does_not_apply(
    id: str, kwargs: dict[str, Any], source: str, response: str, verdict: bool | None
) -> None:
    assert follows(response, id, kwargs, source) is verdict


def test_every_instruction_is_tested_with_both_verdicts() -> None:
    for id in TRANSLATION_INSTRUCTIONS:
        assert {True, False} <= {case[4] for case in CASES if case[0] == id}


def test_silence_follows_nothing() -> None:
    assert all(follows(" ", case[0], case[1], case[2]) is False for case in CASES)


def test_what_is_found_in_a_text() -> None:
    assert find_placeholders("a {x} {{y}} ${z} %s %-5.2f %% 100% {0}") == [
        "{x}", "{{y}}", "${z}", "%s", "%-5.2f", "%%", "{0}",
    ]  # fmt: skip
    assert find_addresses("(www.a.org), b@c.de.") == ["www.a.org", "b@c.de"]


def asked(*ids: str) -> list[dict[str, Any]]:
    return [{"id": id, "kwargs": {}} for id in ids]


def test_the_value_is_the_share_of_the_applicable_instructions() -> None:
    source, response = "Hello {name}, see https://a.org", "Hallo {name}"
    result = mt_instructions(response, asked("mt:placeholders", "mt:urls", "mt:tags"), source)
    assert result.value == 0.5
    assert result.detail == "not followed: mt:urls; not applicable: mt:tags"
    assert mt_instructions(response, asked("mt:placeholders", "mt:urls"), source, True).value == 0.0
    assert mt_instructions(response, asked("mt:tags"), source).status == "not_applicable"


def row(args: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return {"id": "t1", "prompt": "p", "rewards": [{"kind": "mt_instructions", "args": args}], **columns}


def test_good_rows_pass() -> None:
    validate_rows([
        row({"source": "Hello {name}", "instructions": asked("mt:placeholders")}),
        row({"instructions": asked("mt:numbers", "mt:no_commentary")}, source="7 houses"),
        row({"instructions": [{"id": "mt:formality", "kwargs": {"language": "pt-BR", "level": "formal"}}]}),
        row({"instructions": [{"id": "mt:glossary", "kwargs": BANK}]}),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"instructions": []}, "non-empty list"),
        ({"instructions": asked("mt:tag")}, "did you mean 'mt:tags'"),
        ({"instructions": asked("mt:tags")}, "compares with the source text"),
        ({"instructions": asked("mt:max_characters")}, "'max_characters' is missing"),
        ({"instructions": [{"id": "mt:glossary", "kwargs": {"terms": [{"source": "a"}]}}]}, "it must be a non-empty"),
        ({"instructions": [{"id": "mt:formality", "kwargs": {"language": "zh", "level": "formal"}}]}, "one of de"),
        ({"instructions": [{"id": "mt:date_format", "kwargs": {"date": "5.3.24", "locale": "de"}}]}, "2024-03-05"),
        ({"instructions": [{"id": "mt:number_format", "kwargs": {"number": 5, "locale": "xx"}}]}, "CLDR"),
        ({"instructions": [{"id": "mt:max_characters", "kwargs": {"max_characters": 5, "max": 6}}]}, "'max'"),
    ],
)
def test_malformed_instructions_are_refused_when_data_is_loaded(args: dict[str, Any], words: str) -> None:
    with pytest.raises(RewardError) as caught:
        validate_rows([row(args)])
    assert words in str(caught.value) and "mt_instructions" in str(caught.value)

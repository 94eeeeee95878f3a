"""Instructed localisation: every reference is paid, every rule can be broken, and what is read is read rightly."""

import re
from collections import Counter
from random import Random

import pytest

from dragoman.data.localisation import Termbase, instructed, term_questions
from dragoman.data.localisation.instructing import MOST_RULES, RULES, WORDINGS
from dragoman.data.localisation.numbers import days, number_formats
from dragoman.data.localisation.rules import Task
from dragoman.data.localisation.terms import Term, terms_in
from dragoman.data.rows import ParallelPair, Prompt
from dragoman.evaluation.tasks import find_task
from dragoman.text.trees import leaves
from rewards.records import RewardResult, Score
from rewards.translation.instructions import TRANSLATION_INSTRUCTIONS, mt_instructions

TEXTS = [
    ("Settings", "Einstellungen"),
    ("Network", "Netzwerk"),
    ("Device", "Gerät"),
    ("Home page", "Startseite"),
    ("Open the Settings to change your Network.", "Öffnen Sie die Einstellungen, um Ihr Netzwerk zu ändern."),
    ("Your invoice of March 5, 2024 is $1,299.50.", "Ihre Rechnung vom 5. März 2024 beträgt 1.299,50 $."),
    ("Hello {name}, you have {count} new messages.", "Hallo {name}, du hast {count} neue Nachrichten."),
    ("Press <b>OK</b> to continue.", "Drücken Sie <b>OK</b>, um fortzufahren."),
    ("The Device is not connected.", "Das Gerät ist nicht verbunden."),
    ("Delete these 3 files from Dragoman?", "Diese 3 Dateien aus Dragoman löschen?"),
    ("Ask the support at help@example.org.", "Fragen Sie den Support unter help@example.org."),
]
PAIRS = [ParallelPair("en", "de", *texts) for texts in TEXTS]
BASE = Termbase.of(PAIRS, chosen=False)


def questions(count=300, seed=0):
    random, found = Random(seed), []
    while len(found) < count:
        made = instructed(random.sample(PAIRS[4:], 5), BASE, random)
        found += [made] if made else []
    return found


def test_a_reference_follows_two_to_four_rules_of_every_kind():
    seen = Counter()
    for made in questions():
        judges = made.rewards[0]["args"]["instructions"]
        document = made.task.form is not None
        assert (1 if document else 2) <= len(judges) <= MOST_RULES
        found = mt_instructions(made.answer, judges, made.task.source, target_language="de")
        assert (found.value, found.detail) == (1.0, ""), made
        assert made.task.source in made.prompt and len(set(made.rules)) == len(judges)
        seen.update(made.rules)
    assert set(seen) == set(TRANSLATION_INSTRUCTIONS) - {"mt:output_format", "mt:number_format"}, seen


def test_an_answer_that_ignores_its_rules_is_not_paid():
    broken = Counter()
    for made in questions(200, seed=1):
        judges = made.rewards[0]["args"]["instructions"]
        careless = "Note: " + re.sub(r"[{}<>\d@]|Dragoman", "", made.task.source) * 2
        value = mt_instructions(careless, judges, made.task.source, target_language="de").value
        broken[value is not None and value < 1] += 1
    assert broken[True] >= 190  # formality says nothing about a text without address


def test_both_sides_of_a_document_have_one_tree_and_each_its_texts():
    forms = Counter()
    for made in questions():
        if made.task.form:
            sides = [leaves(text, made.task.form) for text in (made.task.source, made.task.target)]
            assert [(x.path, x.value) for x in sides[0]] == [(x.path, x.value) for x in sides[1]]
            texts = [[leaf.text for leaf in side if leaf.text] for side in sides]
            assert sorted(texts[0]) == sorted(pair.source for pair in made.task.pairs)
            assert sorted(texts[1]) == sorted(pair.target for pair in made.task.pairs)
            forms[made.task.form] += 1
    assert set(forms) == {"json", "html", "xml"}


def test_every_language_has_words_for_every_rule_with_the_same_slots():
    def slots(texts):
        return {frozenset(re.findall(r"\{(\w+)\}", text)) for text in texts}

    for language, words in WORDINGS.items():
        assert set(words) == set(WORDINGS["en"]), language
        for name, texts in words.items():
            assert len(slots(texts)) == 1 and slots(texts) == slots(WORDINGS["en"][name]), (language, name)


@pytest.mark.parametrize(
    ("source", "target", "language", "rule", "kwargs"),
    [
        ("It costs $1,299.50.", "Das kostet 1.299,50 $.", "de", number_formats,
         {"amount": 1299.5, "currency": "USD", "locale": "de"}),
        ("About 12,500 people", "Environ 12\u202f500 personnes", "fr", number_formats,
         {"number": 12500, "locale": "fr"}),
        ("About 12,500 people", "Environ 12,500 personnes", "fr", number_formats, None),  # not as French writes it
        ("Pay EUR 49.90 now", "Zapłać 49,90 EUR", "pl", number_formats,
         {"amount": 49.9, "currency": "EUR", "locale": "pl"}),
        ("Version 3.11 of it", "Version 3.11 davon", "de", number_formats, None),
        ("Due on 3/5/2024.", "Fällig am 05.03.2024.", "de", days, {"date": "2024-03-05", "locale": "de"}),
        ("Since March 5, 2024", "Depuis le 5 mars 2024", "fr", days, {"date": "2024-03-05", "locale": "fr"}),
        ("Since March 5, 2024", "2024年3月5日から", "ja", days, {"date": "2024-03-05", "locale": "ja"}),
        ("Since 13/13/2024", "Seit 13.13.2024", "de", days, None),
        ("Since March 5, 2024", "Od 6. března 2024", "cs", days, None),  # another day
    ],
)  # fmt: skip
def test_numbers_amounts_and_days_are_read_by_their_locales(source, target, language, rule, kwargs):
    found = list(rule(Task(source, target, "en", language), Random(0)))
    assert [asked.kwargs for asked in found] == ([] if kwargs is None else [kwargs])


def test_terms_are_short_texts_that_both_sides_of_a_longer_one_use():
    direction = ("en", "de")
    assert BASE.inside(PAIRS[4].source, PAIRS[4].target, direction) == [
        Term("Settings", "Einstellungen"), Term("Network", "Netzwerk"),
    ]  # fmt: skip
    assert BASE.inside(PAIRS[4].source, "Öffnen Sie die Optionen.", direction) == []
    assert BASE.inside("Settings", "Einstellungen", direction) == []  # it is the term itself
    chosen = Termbase.of([ParallelPair("en", "de", "Settings", "Optionen")], chosen=True).with_more(BASE)
    used = chosen.inside(PAIRS[4].source, "Öffnen Sie die Optionen für das Netzwerk.", direction)
    assert used == [Term("Settings", "Optionen"), Term("Network", "Netzwerk")]  # a glossary stands above the texts


def test_terms_are_found_in_scripts_without_spaces():
    chinese = [("银行", "bank"), ("银行卡", "bank card"), ("工作", "work")]
    base = Termbase.of([ParallelPair("zh", "en", *texts) for texts in chinese], chosen=True)
    found = base.inside("我的银行卡在银行。", "My bank card is at the bank.", ("zh", "en"))
    assert found == [Term("银行卡", "bank card")]  # the shorter one stands within it
    assert base.inside("我在银行工作。", "I am employed by a bank.", ("zh", "en")) == [Term("银行", "bank")]
    sentence = ("我每天都在银行里工作很长时间", "I work long")
    mined = Termbase.of([ParallelPair("zh", "en", *texts) for texts in (*chinese, sentence)], chosen=False)
    assert {term.source for term in mined.found["zh", "en"].values()} == {"银行", "银行卡", "工作"}
    assert terms_in("银行卡", [Term("工作", "work"), Term("银行卡", "bank card")]) == [Term("银行卡", "bank card")]
    assert terms_in("The bank cards", [Term("bank card", "Bankkarte"), Term("The bank", "Die Bank")]) == [
        Term("The bank", "Die Bank")
    ]


def test_the_three_ways_of_asking_differ_in_their_terms_alone():
    made = term_questions(PAIRS[8], BASE, Random(0))
    assert made is not None
    assert "glossary" not in made["none"].prompt.lower() and "=" not in made["none"].prompt
    assert "Device = Gerät" in made["proper"].prompt and "Device = Gerät" not in made["random"].prompt
    assert re.search(r"(Settings|Network|Home page) = ", made["random"].prompt)
    judges = [question.rewards[0] for question in made.values()]
    assert judges[0] == judges[1] == judges[2]
    assert judges[0]["args"]["instructions"][0]["kwargs"] == {"terms": [{"source": "Device", "target": "Gerät"}]}


def test_the_task_multiplies_rules_by_quality():
    task = find_task("mt_instructions")
    columns = {"mt_instructions": 0.5}
    spec = next(made for made in questions(50) if made.task.form == "json")
    prompt = Prompt("x", (), (), {}, "mt_instructions", PAIRS[8], PAIRS[8].target)
    score = Score("x", 0.5, tuple(RewardResult(kind, value, "ok", "") for kind, value in columns.items()))
    judged = task.judge(prompt, "Das Gerät ist nicht verbunden.", score)
    assert (judged.share, judged.correct, judged.on_target) == (0.5, False, True)
    from dragoman.evaluation.outcomes import Outcome

    def outcome(share, adequacy, on_target=True):
        return Outcome(
            id="x", task="mt_instructions", suite="s", heldout="", prompt="p", response="r", reference="r", reward=None,
            measures={"adequacy": adequacy}, share=share, correct=share == 1, on_target=on_target,
        )  # fmt: skip

    metrics = task.metrics([outcome(0.5, 0.8), outcome(1.0, 0.9, on_target=False), outcome(1.0, 0.5)])
    assert metrics["if_mt"] == pytest.approx((0.4 + 0 + 0.5) / 3)
    assert metrics["rules"] == pytest.approx(2.5 / 3) and metrics["strict"] == pytest.approx(2 / 3)
    assert task.metrics([outcome(None, 0.8)])["if_mt"] is None
    assert spec.rewards[2]["args"]["format"] == "json"


def test_rules_are_functions_of_a_task_and_nothing_else():
    task = Task(PAIRS[5].source, PAIRS[5].target, "en", "de")
    first, again = ([list(rule(task, Random(3))) for rule in RULES] for _ in range(2))
    assert first == again

"""All 25 IFEval checks against an independent implementation (if-verifiable 0.1.2) on generated pairs.

Responses are put together at random so that each type sees both verdicts. Where ours is meant to differ,
`DELIBERATE` names the reason and a predicate on (response, kwargs) decides, never a list of cases.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from reference_checkers import ifeval_checkers, upstream_keywords, verdict

from rewards.constraints import INSTRUCTIONS, follows
from rewards.constraints.registry import IFEVAL_FAMILIES, check_kwargs

PAIRS_PER_TYPE = 80
Pair = tuple[str, dict[str, Any]]

_WORDS = (
    "river garden music window winter bridge market silver summer forest dog cat house table light paper stone "
    "water bread night morning letter road friend number letter story answer school"
)
WORDS = _WORDS.split()
TEMPLATES = (
    "The {a} is near the {b}.",
    "Does the {a} need a {b}?",
    "What a {a} we saw beside the {b}!",
    'He said "the {a} is old" and left.',
    "Dr. Smith paid $3.50 for the {b}.",
    "Mr. and Mrs. Smith live in the {a} house.",
    "NASA built a {a}, and ESA's {b} followed.",
    "It's a {a}; don't touch the {b}.",
    "The X-RAY of the {a} cost 1,000 AT&T shares.",
    "We found (in the {a}) a {b}: it was COVID-19.",
    "I like the {a} - and the {b}.",
    "Wait... the {a}?!",
    "It has e.g. a {a} and a {b}.",
    "J. Doe of the U.S. embassy saw the {a}!!!",
    "(The {a} was small.)",
    "See {a}.com for the {b}; it costs 5.",
)
LANGUAGES = {
    "en": "the quick brown fox jumps over the lazy dog and then it goes home to sleep",
    "de": "der Zug nach München fährt heute Abend um acht Uhr vom alten Bahnhof ab",
    "fr": "le train pour la ville part aujourd'hui à huit heures de la vieille gare",
    "es": "el tren sale hoy a las ocho de la mañana desde la vieja estación",
    "it": "il treno parte oggi alle otto di mattina dalla vecchia stazione della città",
    "ru": "поезд отправляется сегодня вечером в восемь часов со старого вокзала города",
    "ja": "列車は今日の朝八時に古い駅から出発しますので遅れないでください",
    "ko": "기차는 오늘 아침 여덟 시에 오래된 역에서 출발합니다",
    "hi": "ट्रेन आज सुबह आठ बजे पुराने स्टेशन से रवाना होगी और शाम को पहुँचेगी",
    "ar": "يغادر القطار اليوم في الساعة الثامنة صباحا من المحطة القديمة في المدينة",
}
Draw = random.Random


def sentence(draw: Draw) -> str:
    a, b = draw.sample(WORDS, 2)
    return draw.choice(TEMPLATES).format(a=a, b=b)


def prose(draw: Draw, low: int = 1, high: int = 6) -> str:
    joint = draw.choice([" ", " ", "\n", "\n\n"])
    return joint.join(sentence(draw) for _ in range(draw.randint(low, high)))


def relation(draw: Draw) -> str:
    return draw.choice(["less than", "at least"])


def keyword(draw: Draw) -> str:
    return draw.choice([*WORDS, "ri", "THE", "near the", "c.t", "a+"])


def scraps(draw: Draw, pieces: tuple[str, ...], low: int = 0, high: int = 6) -> str:
    """Prose with pieces of markup thrown in between."""
    parts = [draw.choice(pieces) if draw.random() < 0.6 else sentence(draw) for _ in range(draw.randint(low, high))]
    return draw.choice(["\n", "\n\n", " "]).join([sentence(draw), *parts])


def spelled(draw: Draw) -> str:
    text = LANGUAGES[draw.choice([*LANGUAGES, "en", "en", "en"])]
    return draw.choice([str, str.lower, str.upper, str.capitalize])(text)


def two(draw: Draw) -> str:
    parts = [draw.choice(["", " ", "one", "one", "two", "three"]) for _ in range(draw.randint(1, 4))]
    return "******".join(parts)


def first_word(draw: Draw) -> Pair:
    blocks = [draw.choice(["", "'So' it goes", '"So, well', "So. Then", "And so"]) for _ in range(draw.randint(1, 4))]
    wanted = draw.randint(1, 4)
    kwargs = {"num_paragraphs": wanted, "nth_paragraph": min(draw.randint(1, 3), wanted), "first_word": "So"}
    if draw.random() < 0.25:
        kwargs["nth_paragraph"] = wanted + 1
    return draw.choice(["\n\n", "\n\n\n", "\n"]).join(blocks), kwargs


def valid_json(draw: Draw) -> str:
    text = json.dumps({draw.choice(WORDS): [1, None, sentence(draw)]})
    text = draw.choice([text, text[:-1], text.replace('"', "'", 1), "7", '"text"', sentence(draw)])
    return draw.choice(["{}", "```json\n{}\n```", "```\n{}\n```", "Here:\n{}", "```JSON\n{}```"]).replace("{}", text)


def counted(make: Callable[[Draw], str], name: str, most: int) -> Callable[[Draw], Pair]:
    return lambda draw: (make(draw), {name: draw.randint(1, most)})


def plain(make: Callable[[Draw], str]) -> Callable[[Draw], Pair]:
    return lambda draw: (make(draw), {})


def ended(draw: Draw) -> str:
    tail = draw.choice(["The end.", "the END.", 'The end."', "The end. ", "The end", "Or not?"])
    return f"{prose(draw)} {tail}"


def repeated(draw: Draw) -> str:
    start = draw.choice(["Say hi.", " say HI. ", "Say", "Hi! Say hi."])
    return f"{start} {prose(draw)}"


def quoted(draw: Draw) -> str:
    return draw.choice(['"{}"', ' "{}" ', '"{}', "{}", "“{}”", '"']).replace("{}", prose(draw, 1, 2))


BULLETS = ("* one", "- two", "  * three", "** bold **", "*no space", "-- dash", "* ", "*", "**", "- ")
HIGHLIGHTS = ("*one*", "**two**", "* *", "****", "*a b* *c*", "***x***", "**", "*open")
SECTIONS = ("SECTION 1", "SECTION 2 text", "SECTION3", "section 4", "SECTION one", "a SECTION 5.")
MARKS = ("[name]", "[]", "[open", "[a] [b]", "[x\ny]")
POSTSCRIPTS = ("P.S. more", "p. s. more", "P.P.S more", "p. p. s more", "PS more", "P.S more", "P.P.S. more")
STARS = ("***", " *** ", "\n***\n", "*** ***", "**", "***x")
TITLES = ("<<A title>>", "<< >>", "<a>", "<<a\nb>>", "<<<>>>", "<<a>> <<>>")
ANSWERS = ("My answer is yes.", "My answer is no", "my answer is maybe.", "My answer is maybe.", "My answer is No.")

GENERATORS: dict[str, Callable[[Draw], Pair]] = {
    "keywords:existence": lambda d: (prose(d, 2, 6), {"keywords": [keyword(d) for _ in range(d.randint(1, 2))]}),
    "keywords:frequency": lambda d: (
        prose(d, 2, 6),
        {"keyword": keyword(d), "frequency": d.randint(1, 3), "relation": relation(d)},
    ),
    "keywords:forbidden_words": lambda d: (prose(d, 1, 3), {"forbidden_words": [keyword(d) for _ in range(3)]}),
    "keywords:letter_frequency": lambda d: (
        prose(d, 1, 3),
        {"letter": d.choice("aeiouTn#!"), "let_frequency": d.randint(1, 8), "let_relation": relation(d)},
    ),
    "length_constraints:number_words": lambda d: (
        d.choice([prose(d), LANGUAGES[d.choice(list(LANGUAGES))]]),
        {"num_words": d.randint(3, 40), "relation": relation(d)},
    ),
    "length_constraints:number_sentences": lambda d: (
        prose(d),
        {"num_sentences": d.randint(1, 6), "relation": relation(d)},
    ),
    "length_constraints:number_paragraphs": counted(lambda d: scraps(d, STARS), "num_paragraphs", 3),
    "length_constraints:nth_paragraph_first_word": first_word,
    "detectable_content:number_placeholders": counted(lambda d: scraps(d, MARKS), "num_placeholders", 4),
    "detectable_content:postscript": lambda d: (
        scraps(d, POSTSCRIPTS, 0, 2),
        {"postscript_marker": d.choice(["P.S.", "P.P.S", "Note"])},
    ),
    "detectable_format:number_bullet_lists": counted(lambda d: scraps(d, BULLETS), "num_bullets", 3),
    "detectable_format:json_format": plain(valid_json),
    "detectable_format:title": plain(lambda d: scraps(d, TITLES, 0, 2)),
    "detectable_format:constrained_response": plain(lambda d: scraps(d, ANSWERS, 0, 2)),
    "detectable_format:number_highlighted_sections": counted(lambda d: scraps(d, HIGHLIGHTS), "num_highlights", 4),
    "detectable_format:multiple_sections": lambda d: (
        scraps(d, SECTIONS),
        {"section_spliter": d.choice(["SECTION", "SECTION", "SECT.ON"]), "num_sections": d.randint(1, 4)},
    ),
    "combination:repeat_prompt": lambda d: (repeated(d), {"prompt_to_repeat": "Say hi."}),
    "combination:two_responses": plain(two),
    "startend:end_checker": lambda d: (ended(d), {"end_phrase": d.choice(["The end.", "the end. "])}),
    "startend:quotation": plain(quoted),
    "change_case:english_lowercase": plain(spelled),
    "change_case:english_capital": plain(spelled),
    "change_case:capital_word_frequency": lambda d: (
        prose(d),
        {"capital_frequency": d.randint(1, 5), "capital_relation": relation(d)},
    ),
    "punctuation:no_comma": plain(lambda d: d.choice([prose(d, 2, 6), prose(d, 2, 6), "没有逗号。", "有，逗号。"])),
    "language:response_language": lambda d: (spelled(d).lower(), {"language": d.choice(list(LANGUAGES))}),
}


def _patterns(kwargs: dict[str, Any]) -> list[str]:
    names = ("keywords", "keyword", "forbidden_words", "section_spliter")
    values = [kwargs[name] for name in names if name in kwargs]
    return [text for value in values for text in (value if isinstance(value, list) else [value])]


def _regular_expression(response: str, kwargs: dict[str, Any]) -> bool:
    return any(re.search(r"[.^$*+?{}\[\]\\|()]", text) for text in _patterns(kwargs))


def _spaceless_or_marks(response: str, kwargs: dict[str, Any]) -> bool:
    return re.search(r"[\u3040-\u30ff\u4e00-\u9fff\u0900-\u097f]", response) is not None


def _case_changes_the_language(response: str, kwargs: dict[str, Any]) -> bool:
    ifeval_checkers()
    import langdetect

    return langdetect.detect(response) != langdetect.detect(response.lower())


def _has_empty_paragraph(text: str) -> bool:
    return not all(map(str.strip, text.split("\n\n")))


DELIBERATE: dict[str, tuple[str, Callable[[str, dict[str, Any]], bool]]] = {
    **{
        id: ("the original takes the text as a regular expression", _regular_expression)
        for id in (
            "keywords:existence",
            "keywords:frequency",
            "keywords:forbidden_words",
            "detectable_format:multiple_sections",
        )
    },
    "length_constraints:number_words": ("spaceless scripts and combining marks", _spaceless_or_marks),
    "length_constraints:number_sentences": (
        "Punkt ends a sentence after e.g. and between two marks that end the text",
        lambda text, kwargs: re.search(r"e\.g\.|[.!?]{2}\Z", text) is not None,
    ),
    "keywords:letter_frequency": (
        "the original replaces anything but a-z by a random letter",
        lambda text, kwargs: not "a" <= kwargs["letter"].lower() <= "z",
    ),
    "length_constraints:nth_paragraph_first_word": (
        "the original replaces a paragraph past the last by a random one, and indexes empty ones it does not count",
        lambda text, kwargs: kwargs["nth_paragraph"] > kwargs["num_paragraphs"] or _has_empty_paragraph(text),
    ),
    "startend:quotation": ("quotation marks of other scripts", lambda text, kwargs: text.strip()[0] in "“„«「"),
    "change_case:english_capital": ("langdetect takes some capitals for English", _case_changes_the_language),
    "punctuation:no_comma": ("commas of other scripts count", lambda text, kwargs: "，" in text),
}


def is_deliberate(id: str, response: str, kwargs: dict[str, Any]) -> bool:
    """An empty response follows nothing here; the rest is `DELIBERATE`."""
    return not response.strip() or (id in DELIBERATE and DELIBERATE[id][1](response, kwargs))


def pairs(id: str) -> Iterator[Pair]:
    draw = random.Random(id)
    for _ in range(PAIRS_PER_TYPE):
        response, kwargs = GENERATORS[id](draw)
        check_kwargs(id, kwargs)
        yield response, kwargs


def test_every_type_of_ifeval_has_a_generator_and_a_reference() -> None:
    ours = {id for id in INSTRUCTIONS if id.split(":")[0] in IFEVAL_FAMILIES}
    assert set(GENERATORS) == ours == set(ifeval_checkers())
    assert len(ours) == 25


def test_more_than_a_thousand_pairs_are_compared() -> None:
    compared = sum(not is_deliberate(id, *pair) for id in GENERATORS for pair in pairs(id))
    assert compared >= 1000


@pytest.mark.parametrize("id", GENERATORS)
def test_our_verdict_is_the_reference_s(id: str) -> None:
    verdicts: Counter[bool] = Counter()
    for response, kwargs in pairs(id):
        if not is_deliberate(id, response, kwargs):
            wanted = verdict(ifeval_checkers(), id, response, kwargs)
            assert follows(response, id, upstream_keywords(id, kwargs)) is wanted, (response, kwargs)
            verdicts[wanted] += 1
    assert min(verdicts[True], verdicts[False]) >= 5, verdicts


@pytest.mark.parametrize("id", DELIBERATE)
def test_a_deliberate_difference_is_a_difference(id: str) -> None:
    excluded = [pair for pair in pairs(id) if pair[0].strip() and is_deliberate(id, *pair)]
    wanted = [verdict(ifeval_checkers(), id, *pair) for pair in excluded]
    assert wanted != [follows(text, id, kwargs) for text, kwargs in excluded]

"""Which constraints can be combined: a response is built for every pair that may, none is found for the rest."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest

from rewards import RewardError, validate_rows
from rewards.constraints import INSTRUCTIONS, find_conflict, follows
from rewards.constraints.registry import IFEVAL_FAMILIES

SAMPLES: dict[str, tuple[dict[str, Any], str]] = {
    "keywords:existence": ({"keywords": ["river"]}, "the river is long"),
    "keywords:frequency": ({"keyword": "stone", "frequency": 2, "relation": "at least"}, "a stone on a stone"),
    "keywords:forbidden_words": ({"forbidden_words": ["cat"]}, "a dog sat here"),
    "keywords:letter_frequency": ({"letter": "z", "let_frequency": 1, "let_relation": "at least"}, "a zebra runs"),
    "length_constraints:number_words": ({"num_words": 9, "relation": "at least"}, "it was good for all of us to see"),
    "length_constraints:number_sentences": ({"num_sentences": 2, "relation": "at least"}, "one is here. two is there."),
    "length_constraints:number_paragraphs": ({"num_paragraphs": 2}, "first part\n***\nsecond part"),
    "length_constraints:nth_paragraph_first_word": (
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "so"},
        "it is here\n\nso it goes",
    ),
    "detectable_content:number_placeholders": ({"num_placeholders": 1}, "dear [name]"),
    "detectable_content:postscript": ({"postscript_marker": "P.S."}, "text\np.s. more"),
    "detectable_format:number_bullet_lists": ({"num_bullets": 2}, "* one\n* two"),
    "detectable_format:json_format": ({}, '"text"'),
    "detectable_format:title": ({}, "<<title>>"),
    "detectable_format:constrained_response": ({}, "My answer is yes."),
    "detectable_format:number_highlighted_sections": ({"num_highlights": 1}, "*marked*"),
    "detectable_format:multiple_sections": ({"section_spliter": "PART", "num_sections": 1}, "PART 1 text"),
    "combination:repeat_prompt": ({"prompt_to_repeat": "Say hi"}, "Say hi and more"),
    "combination:two_responses": ({}, "one******two"),
    "startend:end_checker": ({"end_phrase": "the end"}, "this is the end"),
    "startend:quotation": ({}, '"quoted text"'),
    "change_case:english_lowercase": ({}, "the old house stands near the river and it is quiet there"),
    "change_case:english_capital": ({}, "THE OLD HOUSE STANDS NEAR THE RIVER AND IT IS QUIET THERE"),
    "change_case:capital_word_frequency": ({"capital_frequency": 1, "capital_relation": "at least"}, "NASA flies"),
    "punctuation:no_comma": ({}, "no comma here"),
    "language:response_language": ({"language": "en"}, "the old house stands near the river and it is quiet"),
}
FILLER = "the old house stands near the river and it is quiet there"


def built(first: str, second: str) -> set[str]:
    """Responses put together from the answers to two constraints, side by side and inside each other."""
    a, b = SAMPLES[first][1], SAMPLES[second][1]
    joined = {x + joint + y for x, y in ((a, b), (b, a)) for joint in (" ", "\n", "\n\n", "")}
    parts = a.split("\n\n")[0], a.split("\n***\n")[0], a.split("******")[0]
    nested = {a.replace(part, f"{part} {b}", 1) for part in parts} | {b.replace(b.split("\n")[0], f"{b} {a}", 1)}
    texts = joined | nested | {f"{FILLER}. {text}" for text in joined} | {f"{text}. {FILLER}" for text in joined}
    texts |= {text.replace("one", f"one {y}", 1) for text in (a, b) for y in (a, b)}
    texts |= {text + second_copy for text in joined for second_copy in (" other", " stone stone", "\n\nso on")}
    texts |= {change(text) for text in texts for change in (str.lower, str.upper)}
    quoted = {f'"{text.strip(chr(34))}"' for text in texts}
    return (
        texts
        | quoted
        | {json.dumps(text) for text in texts}
        | {f'"{FILLER} [name] {a} {b}"', f"-1\n{a}", '{\n\n"so": 1}'}
    )


def instructions(*ids: str) -> list[dict[str, Any]]:
    return [{"id": id, "kwargs": SAMPLES[id][0]} for id in ids]


def test_the_samples_are_all_of_ifeval_and_follow_their_own_constraint() -> None:
    assert set(SAMPLES) == {id for id in INSTRUCTIONS if id.split(":")[0] in IFEVAL_FAMILIES}
    assert all(follows(text, id, kwargs) for id, (kwargs, text) in SAMPLES.items())


def test_a_response_exists_for_every_allowed_pair_and_is_not_found_for_the_others() -> None:
    wrong = []
    for first, second in combinations(SAMPLES, 2):
        found = any(
            follows(text, first, SAMPLES[first][0]) and follows(text, second, SAMPLES[second][0])
            for text in built(first, second)
        )
        conflict = find_conflict(instructions(first, second))
        if found == bool(conflict):
            wrong.append((first, second, conflict))
    assert not wrong


def item(id: str, **kwargs: Any) -> dict[str, Any]:
    return {"id": id, "kwargs": kwargs}


WORDS, SENTENCES = "length_constraints:number_words", "length_constraints:number_sentences"
CONFLICTS: list[tuple[list[dict[str, Any]], str]] = [
    ([item(WORDS, num_words=1, relation="less than")], "no number of words"),
    ([item("count:word_count_range", min_words=9, max_words=5)], "at least 9 and at most 5"),
    (
        [item("length_constraints:nth_paragraph_first_word", num_paragraphs=2, nth_paragraph=3, first_word="so")],
        "no paragraph 3 of 2",
    ),
    ([item("repeat:repeat_span", prompt_to_repeat="a b c", n_start=2, n_end=2)], "no words"),
    (
        [item(WORDS, num_words=20, relation="less than"), item(WORDS, num_words=20, relation="at least")],
        "no number of words",
    ),
    (
        [
            item("count:word_count_range", min_words=5, max_words=9),
            item(SENTENCES, num_sentences=10, relation="at least"),
        ],
        "10 sentences need more than 9 words",
    ),
    (
        [
            item(WORDS, num_words=3, relation="less than"),
            item("startend:end_checker", end_phrase="That is all there is."),
        ],
        "more than 2 words",
    ),
    (
        [item("keywords:existence", keywords=["cat"]), item("keywords:forbidden_words", forbidden_words=["Cat"])],
        "asked for and 'Cat' is forbidden",
    ),
    (
        [
            item("keywords:frequency", keyword="cat", frequency=1, relation="less than"),
            item("keywords:existence", keywords=["cats"]),
        ],
        "'cat' is forbidden",
    ),
    ([item("punctuation:no_comma"), item("startend:end_checker", end_phrase="Well, done")], "comma"),
    ([item("punctuation:no_comma"), item("combination:repeat_prompt", prompt_to_repeat="你好，世界")], "comma"),
    ([item("format:no_whitespace"), item("keywords:existence", keywords=["two words"])], "has a space"),
    (
        [item("language:response_language", language="de"), item("language:response_language", language="fr")],
        "the response cannot be in",
    ),
    (
        [item("change_case:english_capital"), item("language:response_language", language="ru")],
        "the response cannot be in",
    ),
    ([item("words:vowel"), item("language:response_language", language="ja")], "without the letters"),
    (
        [item("startend:end_checker", end_phrase="The end."), item("startend:end_checker", end_phrase="Goodbye.")],
        "end with both",
    ),
    ([item("startend:quotation"), item("combination:repeat_prompt", prompt_to_repeat="Say hi")], "quotation mark"),
    ([item("format:options", options="yes/no"), item(WORDS, num_words=5, relation="at least")], "only answers"),
    ([item("format:options", options="yes/no"), item("custom:csv_city")], "whole response"),
    ([item("repeat:repeat_simple"), item("punctuation:no_comma")], "only answers"),
    ([item("change_case:english_lowercase"), item("format:output_template")], "in this case"),
    (
        [item("detectable_format:number_bullet_lists", num_bullets=1), item("format:sub-bullets")],
        "at least two bullets",
    ),
]
COMPATIBLE: list[list[dict[str, Any]]] = [
    [item(WORDS, num_words=21, relation="less than"), item(WORDS, num_words=20, relation="at least")],
    [item("keywords:existence", keywords=["cat"]), item("keywords:forbidden_words", forbidden_words=["dog"])],
    [item("startend:end_checker", end_phrase="the end."), item("startend:end_checker", end_phrase="This is the end.")],
    [item("language:response_language", language="nb"), item("language:response_language", language="no")],
    [item("format:options", options="yes/no"), item("change_case:english_capital")],
    [item("words:vowel"), item("language:response_language", language="ru")],
]


@pytest.mark.parametrize(("asked", "reason"), CONFLICTS)
def test_a_conflict_is_named_in_either_order(asked: list[dict[str, Any]], reason: str) -> None:
    for order in (asked, asked[::-1]):
        found = find_conflict(order)
        assert found is not None and reason in found
        assert all(one["id"] in found for one in asked)


@pytest.mark.parametrize("asked", COMPATIBLE)
def test_what_can_be_followed_is_no_conflict(asked: list[dict[str, Any]]) -> None:
    assert find_conflict(asked) is None


def test_an_impossible_row_is_refused_when_data_is_loaded() -> None:
    asked = instructions("change_case:english_lowercase", "change_case:english_capital")
    row = {"id": "a1", "prompt": "p", "rewards": [{"kind": "constraints", "args": {"instructions": asked}}]}
    with pytest.raises(RewardError, match=r"row 1 .*english_lowercase and .*english_capital cannot be combined"):
        validate_rows([row])

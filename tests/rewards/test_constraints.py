"""Each instruction with a response that follows it and one that does not, by IFEval's published meaning."""

from __future__ import annotations

from typing import Any

import pytest

from rewards.constraints import INSTRUCTIONS, constraints, follows
from rewards.constraints.length import count_sentences, count_words
from rewards.constraints.registry import IFEVAL_FAMILIES, check_kwargs

ENGLISH = "the quick brown fox jumps over the lazy dog and then it goes home"
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["Alpha", "beta"]}, "alpha and BETA", "alpha alone"),
    ("keywords:existence", {"keywords": ["東京"]}, "私は東京に住む", "私は京都に住む"),
    ("keywords:frequency", {"keyword": "dog", "frequency": 2, "relation": "at least"}, "Dog, a dog!", "one dog"),
    ("keywords:frequency", {"keyword": "dog", "frequency": 2, "relation": "less than"}, "one dog", "dog dog"),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "concatenate", "a Cat sat"),
    ("keywords:forbidden_words", {"forbidden_words": ["東京"]}, "京都", "私は東京に住む"),
    (
        "keywords:letter_frequency",
        {"letter": "E", "let_frequency": 3, "let_relation": "at least"},
        "Eel tree",
        "eel",
    ),
    ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "one two three", "one two"),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "less than"},
        "one two",
        "one two three",
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "at least"},
        "One. Two!",
        "Mr. One.",
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "less than"},
        "一。",
        "一。二。",
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb", "a\n\nb"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb\n***", "a\n***\n***\nb"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "so"},
        "a\n\nSo, b",
        "So a\n\nb",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] at [place]", "[name]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "text\nP.S. more", "text PS more"),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.P.S"},
        "text\np. p. s more",
        "text\nP.S. more",
    ),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n* b\n* c"),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', "{a: 1}"),
    ("detectable_format:title", {}, "<<A title>>\ntext", "<< >>\ntext"),
    ("detectable_format:constrained_response", {}, "My answer is no.", "No."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and **"),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        "SECTION 1\na\nSECTION 2\nb",
        "SECTION 1\na",
    ),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say hi."}, "say hi. Hi!", "Hi! Say hi."),
    ("combination:two_responses", {}, "one******two", "one******one"),
    ("startend:end_checker", {"end_phrase": "The end."}, 'It is the END."', "The end. Or not?"),
    ("startend:quotation", {}, '"quoted"', '"half'),
    ("change_case:english_lowercase", {}, ENGLISH, ENGLISH.capitalize()),
    ("change_case:english_capital", {}, ENGLISH.upper(), ENGLISH),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "NASA and ESA",
        "NASA",
    ),
    ("punctuation:no_comma", {}, "no comma here", "one, two"),
    ("punctuation:no_comma", {}, "没有逗号", "有，逗号"),
    ("language:response_language", {"language": "de"}, "Das ist ein ganz einfacher deutscher Satz.", ENGLISH),
]


@pytest.mark.parametrize(("id", "kwargs", "good", "bad"), CASES)
def test_an_instruction_is_followed_or_not(id: str, kwargs: dict[str, Any], good: str, bad: str) -> None:
    assert follows(good, id, kwargs)
    assert not follows(bad, id, kwargs)


def test_all_twenty_five_types_of_ifeval_are_here_and_tested() -> None:
    ifeval = {id for id in INSTRUCTIONS if id.split(":")[0] in IFEVAL_FAMILIES}
    assert len(ifeval) == 25
    assert {case[0] for case in CASES} == ifeval


def test_silence_follows_nothing() -> None:
    assert all(not follows("  ", id, kwargs) for id, kwargs, _, _ in CASES)


def test_the_value_is_the_share_followed() -> None:
    instructions = [
        {"id": "punctuation:no_comma"},
        {"id": "startend:quotation", "kwargs": {"num_words": None}},
    ]
    result = constraints("plain", instructions)
    assert result.value == 0.5 and "startend:quotation" in result.detail
    assert constraints("plain", instructions, all_or_nothing=True).value == 0.0
    assert constraints('"plain"', instructions, all_or_nothing=True).value == 1.0


@pytest.mark.parametrize(
    ("text", "words", "sentences"),
    [
        ("Hello there. How are you?", 5, 2),
        ("Dr. Smith paid $3.50, e.g. for J. Doe. Fine!", 11, 2),
        ("你好。你好吗？", 5, 2),
        ("No end mark", 3, 1),
        ("Wait... what?!", 2, 1),
        ("Wait... What?!", 2, 2),
        ("हिन्दी में लिखो। ठीक है?", 5, 2),
    ],
)
def test_counting(text: str, words: int, sentences: int) -> None:
    assert count_words(text) == words
    assert count_sentences(text) == sentences


def test_counts_may_be_whole_floats_as_in_ifbench_s_files() -> None:
    check_kwargs("count:numbers", {"N": 2.0})
    assert follows("1 and 2", "count:numbers", {"N": 2.0})
    with pytest.raises(ValueError, match="whole number"):
        check_kwargs("count:numbers", {"N": 2.5})

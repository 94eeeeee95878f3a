"""More than one translation, and one output for everything: seen, and honest translations let through."""

from __future__ import annotations

import pytest

from rewards.translation.hub import OutputMemory, judge_outputs
from rewards.translation.several_answers import several_answers

HOUSE = "The house is old."


@pytest.mark.parametrize(
    "response",
    [
        "Das Haus ist alt.\nDas Gebäude ist alt.",
        "1. Das Haus ist alt. 2. Das Gebäude ist alt.\n2. Das Gebäude ist alt.",
        "- Das Haus ist alt.",
        "Das Haus ist alt. (Note: informal)",
        "Das Haus ist alt. Anmerkung: wörtlich übersetzt.",
        "**Übersetzung:** Das Haus ist alt.",
        "Option A: Das Haus ist alt.",
        "Here is the German translation of it. Das Haus ist alt.",
        "Sure, das Haus ist alt.",
        "Das Haus / Gebäude ist alt.",
        "Das Haus ist alt (man könnte auch Gebäude sagen).",
        "那座房子很旧。注：也可以说老。",
        "Дом старый. Примечание: можно и «здание».",
        "その家は古い。（直訳: 家は古いです）",
    ],
)
def test_alternatives_notes_and_prefaces_fail(response: str) -> None:
    result = several_answers(response, HOUSE)
    assert result.value == 0.0 and result.detail


@pytest.mark.parametrize(
    ("response", "source"),
    [
        ("Das Haus ist alt.", HOUSE),
        ("", HOUSE),
        ("Hinweis: Das Haus ist alt.", "Note: the house is old."),
        ("1. Brot\n2. Milch", "1. Bread\n2. Milk"),
        ("und/oder", "and/or"),
        ("Ein / Aus", "On / Off"),
        ("Das WHO-Büro (Weltgesundheitsorganisation) ist alt.", "The WHO office is old."),
        ("Es ist alt (es wurde vor langer Zeit gebaut).", "It is old (it was built a long time ago)."),
        ("Die Option „Haus“ ist alt: sie gilt nicht mehr.", 'The option "house" is old: it is no longer valid.'),
        ("Zeile eins\nZeile zwei", "line one\nline two"),
        ("那座房子很旧。", HOUSE),
    ],
)
def test_one_translation_passes(response: str, source: str) -> None:
    result = several_answers(response, source)
    assert result.value == 1.0, result.detail


def judged(memory: OutputMemory, pairs: list[tuple[str, str]], allowed: int = 2) -> list[float | None]:
    responses, sources = [r for r, _ in pairs], [s for _, s in pairs]
    results = judge_outputs(memory, responses, sources, [allowed] * len(pairs), [12] * len(pairs))
    return [result.value for result in results]


HUB = "It is what it is, my dear friend."


def test_one_output_for_many_sources_fails_in_any_order_within_a_batch() -> None:
    pairs = [(HUB, "a"), ("An honest translation of it.", "b"), (HUB, "c"), (HUB.upper() + "!", "d")]
    assert judged(OutputMemory(), pairs) == [0.0, 1.0, 0.0, 0.0]
    assert judged(OutputMemory(), pairs[::-1]) == [0.0, 0.0, 1.0, 0.0]
    assert judged(OutputMemory(), pairs, allowed=3) == [1.0] * 4


def test_the_memory_lasts_over_batches_and_counts_a_source_once() -> None:
    memory = OutputMemory()
    assert judged(memory, [(HUB, "a")] * 8) == [1.0] * 8  # a group: eight samples of one prompt
    assert judged(memory, [(HUB, "b")]) == [1.0]
    assert judged(memory, [(HUB, "c")]) == [0.0]
    assert judged(memory, [(HUB, "a")]) == [0.0]


def test_short_outputs_may_repeat_and_old_ones_are_forgotten() -> None:
    assert judged(OutputMemory(), [("Ja.", str(i)) for i in range(9)]) == [1.0] * 9
    memory = OutputMemory(capacity=2)
    judged(memory, [(HUB, "a"), (HUB, "b")])
    judged(memory, [("another long output", "a"), ("a third long output", "a")])
    assert memory.count(HUB) == 0 and memory.count("a third long output") == 1

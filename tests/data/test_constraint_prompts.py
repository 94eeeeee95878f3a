"""Every generated prompt is a valid row, in its language, and has an answer that keeps all its constraints."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dragoman.data.constraint_prompts import ASPECTS, MOST, draw_rows, main
from dragoman.data.constraint_wordings import TEXTS, WORDINGS
from dragoman.text.identification import is_on_target
from rewards import validate_rows
from rewards.constraints import constraints, find_conflict
from rewards.constraints.length import count_sentences, count_words

ROWS = draw_rows(1050, seed=3)
SENTENCES = {
    "en": "The old house stands near the water and it is quiet there",
    "de": "Das alte Haus steht nahe am Wasser und dort ist es still",
    "fr": "La vieille maison se trouve près du lac et tout y est calme",
    "es": "La vieja casa está cerca del agua y allí todo está tranquilo",
    "ru": "Старый дом стоит у воды и там тихо и спокойно",
    "zh": "老房子在水边那里非常安静",
    "ja": "古い家は水辺にありとても静かです",
}


def asked(row: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = row["rewards"][0]["args"]["instructions"]
    return found


def answer(row: dict[str, Any]) -> str:
    """Plain sentences of the language, with what each constraint asks for put in."""
    kwargs = {one["id"]: one["kwargs"] for one in asked(row)}
    language = row["language"]
    stop, joint = ("。", "") if language in ("zh", "ja") else (".", " ")
    words = kwargs.get("keywords:existence", {}).get("keywords", [])
    frequency = kwargs.get("keywords:frequency", {"keyword": "", "frequency": 0})
    inserted = [*words, *[frequency["keyword"]] * frequency["frequency"]]
    inserted += ["[x]"] * kwargs.get("detectable_content:number_placeholders", {}).get("num_placeholders", 0)
    highlights = kwargs.get("detectable_format:number_highlighted_sections", {}).get("num_highlights", 0)
    inserted += ["*x*"] * highlights + ["7"] * kwargs.get("count:numbers", {}).get("N", 0)
    text = f"{SENTENCES[language]} {' '.join(inserted)}".strip() + stop
    least = kwargs.get("length_constraints:number_words", {"relation": "less than"})
    low = least["num_words"] if least["relation"] == "at least" else 0
    low = max(low, kwargs.get("count:word_count_range", {}).get("min_words", 0))
    bound = kwargs.get("length_constraints:number_sentences", {"relation": "less than"})
    count = bound["num_sentences"] if bound["relation"] == "at least" else 1
    while count_words(text) < low or count_sentences(text) < count:
        text += joint + SENTENCES[language] + stop
    return laid_out(text, kwargs)


def laid_out(text: str, kwargs: dict[str, dict[str, Any]]) -> str:
    if "detectable_format:json_format" in kwargs:
        return json.dumps(text, ensure_ascii=False)
    if "detectable_format:number_bullet_lists" in kwargs:
        text += "\n* x" * kwargs["detectable_format:number_bullet_lists"]["num_bullets"]
    if "length_constraints:number_paragraphs" in kwargs:
        text += "\n***\nx" * (kwargs["length_constraints:number_paragraphs"]["num_paragraphs"] - 1)
    if "detectable_format:multiple_sections" in kwargs:
        splitter = kwargs["detectable_format:multiple_sections"]["section_spliter"]
        text = f"{splitter} 1\n{text}\n{splitter} 2\nx\n{splitter} 3\nx"
    if "detectable_format:title" in kwargs:
        text = f"<<x>>\n{text}"
    if "detectable_content:postscript" in kwargs:
        text += "\nP.S. x"
    if "startend:end_checker" in kwargs:
        text += "\n" + kwargs["startend:end_checker"]["end_phrase"]
    return f'"{text}"' if "startend:quotation" in kwargs else text


def test_rows_are_valid_and_their_constraints_go_together() -> None:
    validate_rows(ROWS)
    assert not [row["id"] for row in ROWS if find_conflict(asked(row))]


def test_every_prompt_has_an_answer_that_keeps_all_constraints() -> None:
    broken = []
    for row in ROWS:
        result = constraints(answer(row), asked(row))
        if result.value != 1.0:
            broken.append((result.detail, row["messages"][0]["content"], answer(row)))
    assert not broken


def test_an_answer_to_something_else_does_not_keep_them() -> None:
    text = "42, " * 3 + "immer always toujours siempre всегда 总是 いつも"
    assert sum(constraints(text, asked(row), all_or_nothing=True).value == 0.0 for row in ROWS) > 0.9 * len(ROWS)


def test_all_languages_counts_and_constraints_occur() -> None:
    assert {row["language"] for row in ROWS} == set(WORDINGS) == set(SENTENCES)
    assert {len(asked(row)) for row in ROWS} == set(range(1, MOST + 1))
    assert len({one["id"] for row in ROWS for one in asked(row)}) == 19
    assert len(ASPECTS) >= MOST


@pytest.mark.parametrize("language", WORDINGS)
def test_prompts_are_in_their_language_and_complete(language: str) -> None:
    prompts = [row["messages"][0]["content"] for row in ROWS if row["language"] == language]
    assert all(is_on_target(text, language).on_target for text in prompts)
    assert not [text for text in prompts if re.search(r"\{\w*\}", text)]
    assert set(WORDINGS[language].texts) == set(TEXTS)


@pytest.mark.parametrize("language", WORDINGS)
def test_forbidden_words_are_in_no_word_or_phrase_asked_for(language: str) -> None:
    wording = WORDINGS[language]
    wanted = " ".join([*wording.keywords, *wording.endings, wording.splitter]).lower()
    assert not [word for word in wording.forbidden if word.lower() in wanted]


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    assert draw_rows(60, ["de", "zh"], seed=1) == draw_rows(60, ["de", "zh"], seed=1)
    first, second = (draw_rows(60, ["de"], seed=seed) for seed in (1, 2))
    assert {row["messages"][0]["content"] for row in first} != {row["messages"][0]["content"] for row in second}
    prompts = [row["messages"][0]["content"] for row in ROWS]
    assert len(set(prompts)) == len(prompts)


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(ValueError, match=r"\['xx'\].*choose from en"):
        draw_rows(1, ["xx"])


def test_the_command_writes_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rows.jsonl"
    main(["--count", "6", "--languages", "de,zh", "--seed", "0", "--out", str(out)])
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert rows == draw_rows(6, ["de", "zh"], 0)
    with pytest.raises(SystemExit):
        main(["--count", "1", "--languages", "xx", "--out", str(out)])
    assert "choose from" in capsys.readouterr().err

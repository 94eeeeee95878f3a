"""The instruction of a translation behind its text: the wordings, the rows of both builders, wrong instructions."""

import json
from dataclasses import replace
from random import Random

import pytest

from dragoman.data.catalogs.wordings import OWN_WORDINGS, translation_prompt
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.source import CORPUS
from dragoman.data.quickstart.build import build
from dragoman.data.quickstart.settings import QuickstartSizes
from dragoman.data.rows import read_conversations
from dragoman.text.wordings import AFTER_WORDINGS, TRANSLATION_WORDINGS, translation_instruction
from pretrain_sft.instructions import WrongInstructions, redirect

SMALL = {
    "mono": 10, "parallel": 10, "instructions": {"translation": 5}, "sums": 0, "sft": {"translation": 20}, "lat": 20,
    "preference": {"translation": 5}, "rl": {"translation": 5}, "eval_per_direction": 2, "eval_general": {},
    "development_per_direction": 1, "development_general": {},
}  # fmt: skip


def rows(folder):
    files = (file for file in sorted(folder.rglob("*.jsonl")) if not file.name.startswith("cpt"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").split("\n") if line]


def asked_and_text(row):
    return row["messages"][0]["content"], row["source"]


def is_behind(row):
    """Whether nothing but a label stands before the text, and a request with the target's name behind it."""
    asked, text = asked_and_text(row)
    before, found, after = asked.partition(text)
    return bool(found) and (before == "" or before.endswith(": ")) and len(after.strip()) > 10


def test_each_wording_has_one_with_the_text_first():
    assert len(AFTER_WORDINGS) == len(TRANSLATION_WORDINGS) == 3
    said = [translation_instruction("de", "fr", "TEXT", n, "after") for n in range(3)]
    assert said == [
        "TEXT\n\nTranslate the text above from German to French.",
        "TEXT\n\nPlease translate this German text into French:",
        "German: TEXT\nTranslate the German source text above to French:\nFrench:",
    ]
    assert translation_instruction("de", "fr", "TEXT", 0) == "Translate the following text from German to French.\nTEXT"


@pytest.mark.parametrize("code", sorted(OWN_WORDINGS))
def test_in_the_targets_own_words_only_the_question_comes_after(code):
    prompt = translation_prompt(("en", code), "TEXT", Random(0), own_only=True, position="after")
    assert prompt.startswith("TEXT\n\n") and "{" not in prompt
    assert OWN_WORDINGS[code][1] == prompt.removeprefix("TEXT\n\n") + "\n{text}"


def test_the_quickstart_writes_the_same_rows_with_the_instruction_behind(tmp_path):
    for position in ("before", "after"):
        build(tmp_path / position, sizes=QuickstartSizes.model_validate({**SMALL, "instruction": position}))
    before, after = rows(tmp_path / "before"), rows(tmp_path / "after")
    assert len(after) > 50 and all(is_behind(row) for row in after) and not any(is_behind(row) for row in before)
    kept = ("id", "source", "reference", "source_language", "target_language")
    assert [[row[key] for key in kept] for row in before] == [[row[key] for key in kept] for row in after]


def test_a_corpus_does_too_in_training_and_suites(tmp_path):
    names = [first + last for first in ("Ada", "Bel", "Cor", "Dan", "Eva", "Fio") for last in "bcdfghklmn"]
    lines = (f"The house of {name} is old.\tDas Haus von {name} ist alt." for name in names)
    (tmp_path / "m.tsv").write_text("\n".join(["source\ttarget", *lines]), encoding="utf-8")
    asked = {
        "inputs": {"path": str(tmp_path / "m.tsv"), "languages": ["en", "de"]}, "filters": ["empty"],
        "instructed": 0, "instruction": "after",
    }  # fmt: skip
    CORPUS.write(tmp_path / "data", 0, CorpusSizes.model_validate(asked))
    found = rows(tmp_path / "data")
    assert {"sft", "lat", "eval"} <= {row["id"].split("-")[0] for row in found}
    assert all(is_behind(row) for row in found)


def test_language_aware_tuning_renders_a_wrong_direction_in_the_same_words(tmp_path):
    build(tmp_path, sizes=QuickstartSizes.model_validate({**SMALL, "instruction": "after"}))
    chats = read_conversations(tmp_path / "lat.jsonl", translations=True)
    wrong = WrongInstructions(chats, "keep_source")
    assert not wrong.unnamed
    for row in chats:
        said = wrong.draw(row, Random(row.id))
        pair = row.pair
        others = [code for code in wrong.languages if code not in pair.direction]
        forms = {
            translation_instruction(pair.source_language, other, pair.source, n, "after")
            for other in others
            for n in range(3)
        }
        assert said in forms and said != row.instruction
    told = {"role": "user", "content": "Rust: 5\nTranslate the German source text above to French:\nFrench:"}
    labelled = replace(
        chats[0],
        messages=(told, chats[0].messages[-1]),
        pair=replace(chats[0].pair, source_language="de", target_language="fr", source="5"),
    )
    assert redirect(labelled, "es") == "Rust: 5\nTranslate the German source text above to Spanish:\nSpanish:"

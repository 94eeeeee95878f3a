"""Translations of one step as post-editing prompts of the next."""

import asyncio
import json

import pytest
from pydantic import ValidationError

from dragoman.data.rows import ParallelPair, Prompt
from dragoman.rollout import Completion
from rewards import RewardResult, RewardSpec, Score
from rl.algorithms import Credit, find_algorithm
from rl.groups import PromptVisit, Sample, ScoredGroup
from rl.post_editing import PostEditedPrompts, PostEditingSettings, post_editing_prompt
from rl.settings import RlSettings
from rl.update import group_units
from tests.rl.test_controller import SETTINGS, FakePools, controller, ray_metrics  # noqa: F401

SPECS = (RewardSpec("chrf", args={"reference": "Das Haus ist alt."}),)


def translation(number, task="translation"):
    pair = ParallelPair("en", "de", "The house is old.", "Das Haus ist alt.")
    columns = {"id": f"t{number}", "source": pair.source, "task": task}
    return Prompt(f"t{number}", ({"role": "user", "content": "Translate"},), SPECS, columns, task, pair)


def group(number, texts, prompt=None, finish="stop"):
    visit = PromptVisit(number, prompt or translation(number), (1, 2))
    answers = [Completion((7,), (-0.5,), text, finish, 0, 0) for text in texts]
    scored = [Sample(k, a, Score("s", 1.0, (RewardResult("chrf", 1.0),))) for k, a in enumerate(answers)]
    return ScoredGroup(visit, tuple(scored), 0)


def encode(messages):
    return [ord(letter) for letter in messages[-1]["content"]]


def source(share=0.9, **changes):
    asked = [translation(k) for k in range(10)]
    settings = PostEditingSettings(share=share, **changes)
    return PostEditedPrompts(asked, [(k,) for k in range(10)], 0, settings, encode, longest=1000)


def test_a_draft_becomes_a_prompt_with_the_translations_rewards():
    asked = post_editing_prompt(translation(3), "Das Haus ist neu.", PostEditingSettings().template)
    text = asked.question
    assert "in English" in text and "into German" in text and text.endswith("The house is old.\n\nDas Haus ist neu.")
    assert (asked.id, asked.task, asked.specs) == ("t3/post_editing", "post_editing", SPECS)
    assert asked.columns["source"] == "The house is old." and asked.columns["draft"] == "Das Haus ist neu."
    assert asked.columns["id"] == asked.id and asked.columns["messages"] == asked.messages


def test_the_next_step_gets_a_draft_of_each_translation_once_and_only_of_the_last_step():
    prompts = source()
    assert {prompts.visit(n).prompt.task for n in range(20)} == {"translation"}, "no drafts, no post-editing"
    prompts.observe([group(0, ["a", "a"]), group(1, ["b", " "])], running=[])
    visits = [prompts.visit(n) for n in range(20, 40)]
    edited = [v for v in visits if v.prompt.task == "post_editing"]
    assert [v.prompt.columns["draft"] for v in edited] == ["a", "b"]
    assert edited[0].token_ids == tuple(encode(edited[0].prompt.messages))
    assert [prompts.visit(v.number) for v in edited] == edited, "the same visit is the same prompt, asked again"
    prompts.observe([group(2, ["c"])], running=[edited[1].number])
    assert prompts.visit(edited[1].number) == edited[1] and len(prompts.drafts.taken) == 1
    prompts.observe([], running=[])
    assert not prompts.drafts.waiting


def test_what_has_no_good_draft_gives_none():
    prompts = source()
    no_pair = Prompt("m", ({"role": "user", "content": "1+1"},), (), {}, "math")
    edited = translation(5, "post_editing")
    cut_off = group(3, ["cut off"], finish="length")
    prompts.observe([group(1, ["2"], no_pair), group(2, ["x"], edited), cut_off, group(4, [" ", ""])], running=[])
    assert not prompts.drafts.waiting
    prompts.observe([group(6, ["x" * 2000])], running=[])
    assert not prompts.drafts.waiting, "longer than there is space for"


def test_the_share_of_visits_is_as_asked():
    prompts = source(share=0.3)
    edited = 0
    for step in range(200):
        prompts.observe([group(k, [f"{step}/{k}"]) for k in range(10)], running=[])
        edited += sum(prompts.visit(10 * step + k).prompt.task == "post_editing" for k in range(10))
    assert edited / 2000 == pytest.approx(0.3, abs=0.04)


def test_the_weight_multiplies_the_credit():
    chosen = find_algorithm("grpo")(RlSettings(samples=4))
    plain = group(0, ["a"])
    heavier = ScoredGroup(PromptVisit(0, plain.visit.prompt, (1, 2), 2.5), plain.samples, 0)
    values = [group_units(chosen, g, {0: Credit(0.4)})[0][0].channels["advantages"][-1] for g in (plain, heavier)]
    assert values == pytest.approx([0.4, 1.0])


BAD_TEMPLATES = [
    ("{source}", "must hold"),
    ("{source} {draft} {target}", "'target'.*in braces"),
    ("{source} {draft} {", "in braces"),
]


@pytest.mark.parametrize(("template", "words"), BAD_TEMPLATES)
def test_a_template_that_cannot_be_filled_in_is_refused(template, words):
    with pytest.raises(ValidationError, match=words):
        PostEditingSettings(template=template)


def run_of(folder, **changes):
    run = controller(folder, **changes)
    run.prompts = source(share=0.5)
    return run


def test_killed_and_resumed_equals_uninterrupted_with_drafts(tmp_path, ray_metrics):  # noqa: F811
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = run_of(tmp_path / "a")
    asyncio.run(whole.run())
    first = run_of(tmp_path / "b")
    first.trainer.die_at = 5
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(first.run())
    second = run_of(tmp_path / "b")
    asyncio.run(second.run())
    assert second.trainer.trained == whole.trainer.trained
    lines = (tmp_path / "a/samples.jsonl").read_text()
    assert lines == (tmp_path / "b/samples.jsonl").read_text()
    tasks = {json.loads(line)["step"]: set() for line in lines.splitlines()}
    for line in map(json.loads, lines.splitlines()):
        tasks[line["step"]].add(line["task"])
    assert tasks[0] == {"translation"} and any("post_editing" in found for found in tasks.values())

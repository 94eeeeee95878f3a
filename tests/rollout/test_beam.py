"""Beam search: by hand, against transformers' own on a small model, and through the engine."""

import asyncio
import math

import pytest
import torch
from transformers import AutoModelForCausalLM

from dragoman.rollout import RolloutGroup, RolloutSettings, SamplingSettings
from dragoman.rollout.beam import Beam, beam_search
from tests.rollout.test_sync import PROMPTS, base

END = 9


def table(tokens):
    """A model of four words: the likeliest first word leads nowhere good."""
    chances = {(): {1: 0.6, 2: 0.4}, (1,): {3: 0.5, 4: 0.5}, (2,): {END: 0.9, 3: 0.1}}
    return chances.get(tuple(tokens), {END: 0.5, 3: 0.3, 4: 0.2})


async def following(tokens, count):
    return {token: math.log(chance) for token, chance in table(tokens).items()}


def test_the_likeliest_answer_is_found_where_the_likeliest_word_misleads():
    """Greedy: 1 (0.6), 3 (0.5), end (0.5): 0.15. Two beams keep 2 (0.4), end (0.9): 0.36, and per token 0.6 > 0.53."""
    best = asyncio.run(beam_search(following, [], 2, 10, {END}))
    assert best == Beam((2, END), math.log(0.4) + math.log(0.9), True)
    greedy = asyncio.run(beam_search(following, [], 1, 10, {END}))
    assert greedy.tokens == (1, 3, END)


def test_an_answer_that_does_not_end_is_cut_at_the_limit():
    best = asyncio.run(beam_search(following, [], 2, 1, {END}))
    assert best == Beam((1,), math.log(0.6), False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("beams")
    base(made, True)
    return made


@pytest.fixture(scope="module")
def model(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def by_transformers(model, prompt, width, longest):
    with torch.inference_mode():
        found = model.generate(
            torch.tensor([prompt]), num_beams=width, early_stopping=True, max_new_tokens=longest, do_sample=False,
            pad_token_id=0,
        )  # fmt: skip
    return tuple(int(token) for token in found[0, len(prompt) :])


def ends_of(model):
    stated = model.generation_config.eos_token_id
    return set(stated) if isinstance(stated, list) else {stated}


@pytest.mark.parametrize("width", [2, 4])
def test_answers_are_those_of_transformers(model, width):
    async def likeliest(tokens, count):
        with torch.inference_mode():
            logprobs = model(torch.tensor([tokens])).logits[0, -1].float().log_softmax(-1)
        top = logprobs.topk(count)
        return dict(zip(top.indices.tolist(), top.values.tolist(), strict=True))

    for prompt in PROMPTS:
        found = asyncio.run(beam_search(likeliest, prompt, width, 12, ends_of(model)))
        assert found.tokens == by_transformers(model, prompt, width, 12)


@pytest.mark.slow
def test_the_engine_searches_like_transformers(ray_cluster, folder, model):
    async def scenario(rollout):
        await rollout.start()
        many = await rollout.generate_many(PROMPTS, SamplingSettings(8, beams=3))
        one = rollout.generate_each(PROMPTS[:1], SamplingSettings(8, beams=3), [None])
        return many, [found async for found in one]

    rollout = RolloutGroup(folder, RolloutSettings(cpus_per_worker=0.1), 128, "beams")
    try:
        many, [(_, alone)] = asyncio.run(scenario(rollout))
    finally:
        rollout.close()
    assert [answer.token_ids for answer in many] == [by_transformers(model, prompt, 3, 8) for prompt in PROMPTS]
    assert alone.token_ids == many[0].token_ids
    assert {answer.finish_reason for answer in many} <= {"stop", "length"}

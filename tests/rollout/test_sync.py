"""The real engine: after every weight sync its log-probs are the learner's, and it ends with its worker."""

import asyncio
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "learner"))
from tiny import NUMBERS

from dragoman.learner import LearnerGroup, LearnerSettings, Objective, OptimiserSettings
from dragoman.learner.encoding import answer_sequence
from dragoman.learner.losses import CrossEntropy
from dragoman.learner.model import build_model
from dragoman.rollout import RolloutGroup, RolloutSettings, SamplingSettings, sample_seed
from pretrain_sft.tokenizer import train_tokenizer

PROMPTS = [[10 + i, 20, 30 + i] for i in range(6)]


def base(folder, tied):
    tokenizer = train_tokenizer(["the quick brown fox jumps"] * 3, 320)
    model = build_model(
        NUMBERS.model_copy(update={"tie_embeddings": tied}), len(tokenizer), tokenizer.eos_token_id, 0, 0
    )
    for parameter in model.parameters():
        parameter.data.mul_(2.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def groups(folder, transport):
    learner = LearnerSettings(ranks=1, cpus_per_rank=0.1, row_tokens=128)
    rollout = RolloutSettings(cpus_per_worker=0.1, sync_bucket_mib=0.02, transport=transport)
    return LearnerGroup(learner, "test"), RolloutGroup(folder, rollout, 128, "test")


async def disagreement(learner, answers, prompts=PROMPTS):
    units = [(answer_sequence(p, a.token_ids),) for p, a in zip(prompts, answers, strict=True)]
    values = await learner.logprobs(units)
    return max(
        float(np.abs(v[len(p) :] - np.asarray(a.logprobs)).max())
        for p, a, v in zip(prompts, answers, values, strict=True)
    )


async def group_of(rollout, prompt, max_tokens, seeds):
    """The answers of a group in the order of their seeds."""
    ended = [found async for found in rollout.generate_group(prompt, SamplingSettings(max_tokens, 1.0), seeds)]
    return [answer for _, answer in sorted(ended, key=lambda found: found[0])]


async def text_disagreement(learner, rollout):
    """Engine against learner on all tokens of texts but the first; the engine has read the learner's weights."""
    texts = [list(range(7, 7 + n)) for n in (2, 40, 9)]
    values = await learner.logprobs([(answer_sequence(text[:1], text[1:]),) for text in texts])
    read = await rollout.logprobs(texts)
    assert [len(one) for one in read] == [1, 39, 8]
    return max(float(np.abs(v[1:] - np.asarray(one)).max()) for v, one in zip(values, read, strict=True))


async def learn(learner):
    """One large optimiser step, so that stale weights would show."""
    unit = answer_sequence([11, 12], list(range(20, 40)))
    await learner.train_step([Objective([(unit,)], CrossEntropy(), {"tokens": 20})], learning_rate=0.05)


def kill_worker():
    """Kill the worker as the kernel does when memory runs out; the engine processes still running 60 s later.

    A process that nobody has waited for yet is listed by the kernel as a zombie: dead, unless it has threads left.
    """
    ours = psutil.Process().children(recursive=True)  # another test's cluster may be running beside this one
    (worker,) = [p for p in ours if p.name().startswith("ray::RolloutWorker")]
    engines = worker.children(recursive=True)
    assert engines, "the engine runs in a process of its own"
    worker.kill()
    deadline = time.monotonic() + 60
    while (left := [found for found in map(threads_left, engines) if found]) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


def threads_left(process):
    """What the threads of a process are doing, a line for each that is not dead."""
    lines = []
    for status in Path(f"/proc/{process.pid}/task").glob("*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            at = (status.parent / "wchan").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended between the two looks
        if fields["State"][0] not in "ZX":
            lines.append(f"{fields['Name']} {fields['State']} in {at}, child of {fields['PPid']}")
    return lines


async def scenario(folder, transport):
    learner, rollout = groups(folder, transport)
    try:
        await asyncio.gather(rollout.start(), learner.start())
        await learner.load(folder, OptimiserSettings(), 0)
        found = {"agreement": [], "stale": []}
        assert len(await learner.buckets(int(0.02 * (1 << 20)))) > 3  # layers are split over buckets
        for version in (1, 2, 3):
            await rollout.sync(learner, version)
            seeds = [sample_seed(0, "p", i) for i in range(len(PROMPTS))]
            answers = await rollout.generate_many(PROMPTS, SamplingSettings(24, 1.0), seeds)
            assert {a.version_first for a in answers} == {version}
            found["agreement"].append(await disagreement(learner, answers))
            again = await rollout.generate_many(PROMPTS, SamplingSettings(24, 1.0), seeds)
            assert [a.token_ids for a in again] == [a.token_ids for a in answers]  # seeds decide
            await learn(learner)
            found["stale"].append(await disagreement(learner, answers))
        many = await rollout.generate_many([PROMPTS[0]] * 4, SamplingSettings(24, 1.0), [3, 4, 5, 6])
        assert await group_of(rollout, PROMPTS[0], 24, [3, 4, 5, 6]) == many  # log-probs too, to the last bit
        long = [asyncio.create_task(group_of(rollout, p, 120, [5])) for p in PROMPTS]
        await asyncio.sleep(0.15)
        await rollout.sync(learner, 4)  # in flight: frozen, not lost
        found["in_flight"] = [answer for group in await asyncio.gather(*long) for answer in group]
        fresh = await rollout.generate_many(PROMPTS, SamplingSettings(24, 1.0), [1] * len(PROMPTS))
        found["agreement"].append(await disagreement(learner, fresh))
        await learner.save(folder / "learned")
        await rollout.load(folder)  # the weights that it started with, then those on disk
        first = await rollout.generate_many(PROMPTS, SamplingSettings(24, 1.0), [1] * len(PROMPTS))
        found["stale"].append(await disagreement(learner, first))
        await rollout.load(folder / "learned")
        loaded = await rollout.generate_many(PROMPTS, SamplingSettings(24, 1.0), [1] * len(PROMPTS))
        found["agreement"].append(await disagreement(learner, loaded))
        found["texts"] = await text_disagreement(learner, rollout)
        found["left_behind"] = kill_worker()
        return found
    finally:
        learner.close()
        rollout.close()


@pytest.mark.slow
@pytest.mark.parametrize(("transport", "tied"), [("gloo", True), ("shared_memory", False)])
def test_engine_and_learner_agree_after_every_sync_and_every_folder(ray_cluster, tmp_path, transport, tied):
    base(tmp_path, tied)
    found = asyncio.run(scenario(tmp_path, transport))
    assert max(*found["agreement"], found["texts"]) <= 1e-4
    assert min(found["stale"]) > 1e-2  # the check would see old weights
    assert all(len(a.token_ids) > 0 for a in found["in_flight"])
    assert any((a.version_first, a.version_last) == (3, 4) for a in found["in_flight"])
    assert found["left_behind"] == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lora", "dora"])
def test_engines_that_get_adapters_alone_agree_with_the_learner(ray_cluster, tmp_path, capfd, kind):
    base(tmp_path, tied=True)

    async def synced():
        settings = LearnerSettings(ranks=1, cpus_per_rank=0.1, row_tokens=128, adapter={"kind": kind, "rank": 4})
        learner = LearnerGroup(settings, "test")
        rollout = RolloutGroup(tmp_path, RolloutSettings(cpus_per_worker=0.1, sync_bucket_mib=0.02), 128, "test")
        try:
            await asyncio.gather(rollout.start(), learner.start())
            await learner.load(tmp_path, OptimiserSettings(), 0)
            buckets = await learner.buckets(1 << 30)
            agreement, stale = [], []
            for version in (1, 2, 3):
                await rollout.sync(learner, version)
                answers = await rollout.generate_many(PROMPTS, SamplingSettings(24, 1.0), [1] * len(PROMPTS))
                agreement.append(await disagreement(learner, answers))
                await learn(learner)
                stale.append(await disagreement(learner, answers))
            return agreement, stale, sum(bucket.bytes for bucket in buckets)
        finally:
            learner.close()
            rollout.close()

    agreement, stale, sent = asyncio.run(synced())
    print(f"{kind}: |d log p| {max(agreement):.1e}, {sent} bytes a sync")
    assert max(agreement) <= 1e-4 and min(stale) > 1e-2
    whole = sum(file.stat().st_size for file in tmp_path.glob("*.safetensors"))
    assert sent < whole / 4
    told = capfd.readouterr().out
    assert told.count("weights: adapters alone") == 1 and f"{sent / (1 << 20):.1f} MiB a sync" in told

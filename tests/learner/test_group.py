"""The learner's actors: what they compute does not depend on how many they are or how ZeRO shards them."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from tiny import random_sequences, tiny_model

from dragoman.learner import LearnerGroup, LearnerSettings, Objective, OptimiserSettings
from dragoman.learner.checkpoints import Snapshots
from dragoman.learner.losses import CrossEntropy
from dragoman.learner.model import ModelError, load_model
from dragoman.learner.trainer import Channel
from pretrain_sft.tokenizer import train_tokenizer

OPTIMISER = OptimiserSettings()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    tiny_model().save_pretrained(path)
    train_tokenizer(["a b c"], 300).save_pretrained(path)
    return path


def settings(**changes):
    given = {"cpus_per_rank": 0.1, "row_tokens": 64, "rows_per_micro_batch": 2, "deadline_s": 180, **changes}
    return LearnerSettings(**given)


def batches(count):
    return [[(s,) for s in random_sequences([11, 40, 23, 9, 31, 17], seed=k)] for k in range(count)]


async def steps(group, chosen, first=0):
    losses = []
    for number, units in enumerate(chosen, start=first):
        tokens = float(sum(s.channels["loss_mask"].sum() for (s,) in units))
        objective = Objective(units, CrossEntropy(), {"tokens": tokens})
        metrics = await group.train_step([objective], learning_rate=1e-3 * (number + 1))
        losses.append(metrics["loss"])
    return losses


def with_second(units):
    """Cross-entropy on a batch, and, under another weight and temperature, on a second one."""
    other = [(s,) for s in random_sequences([29, 8, 15], seed=99)]
    tokens = [float(sum(s.channels["loss_mask"].sum() for (s,) in part)) for part in (units, other)]
    return [
        Objective(units, CrossEntropy(), {"tokens": tokens[0]}),
        Objective(other, CrossEntropy(), {"tokens": tokens[1]}, temperature=1.3, weight=0.4, name="ptx"),
    ]


async def first_step(group, folder, objectives):
    """Metrics of one step from the weights of the folder."""
    await group.load(folder, OPTIMISER, seed=0)
    return await group.train_step(objectives, learning_rate=1e-3)


@pytest.mark.slow
def test_a_step_follows_the_weighted_sum_of_its_objectives_on_any_number_of_ranks(ray_cluster, folder):
    async def measured(ranks, rows):
        changes = {"gradient_clipping": 1000.0, "zero_stage": 1}  # under ZeRO 0 DeepSpeed tells no norm
        group = LearnerGroup(settings(ranks=ranks, rows_per_micro_batch=rows, **changes), "test")
        try:
            await group.start()
            both = with_second(batches(1)[0])
            return [await first_step(group, folder, part) for part in (both, both[:1], both[1:])]
        finally:
            group.close()

    both, first, second = asyncio.run(measured(1, 2))
    assert both["loss"] == pytest.approx(first["loss"], rel=1e-5)
    assert both["ptx/loss"] == pytest.approx(second["ptx/loss"], rel=1e-5)  # metrics do not carry the weight
    reference = expected_norm(folder)
    assert both["gradient_norm"] == pytest.approx(reference, rel=1e-4)
    assert abs(first["gradient_norm"] - reference) > 1e-3 * reference  # the second objective does count
    for ranks, rows in ((2, 1), (2, 3)):
        other, *_ = asyncio.run(measured(ranks, rows))
        for name in ("loss", "ptx/loss", "gradient_norm"):
            assert other[name] == pytest.approx(both[name], rel=1e-4), (ranks, rows, name)


def expected_norm(folder):
    """Gradient norm of the weighted sum by plain autograd, sequence by sequence, without packing or engine."""
    import torch

    model = load_model(folder, "float32")
    total = torch.zeros(())
    for objective in with_second(batches(1)[0]):
        for (sequence,) in objective.units:
            ids = torch.tensor(sequence.token_ids[None].astype(np.int64))
            logits = model(input_ids=ids).logits[0, :-1].float() / objective.temperature
            logp = torch.log_softmax(logits, -1).gather(-1, ids[0, 1:, None]).squeeze(-1)
            mask = torch.tensor(sequence.channels["loss_mask"][1:])
            total = total - objective.weight * (logp * mask).sum() / objective.counts["tokens"]
    total.backward()
    return float(torch.sqrt(sum(p.grad.square().sum() for p in model.parameters())))


def weights(path):
    return np.concatenate([p.detach().numpy().ravel() for p in load_model(path, "float32").parameters()])


async def trained(folder, target, **changes):
    """Three optimiser steps on a fresh group; losses and the saved weights."""
    group = LearnerGroup(settings(**changes), "test")
    try:
        await group.start()
        await group.load(folder, OPTIMISER, seed=0)
        losses = await steps(group, batches(3))
        await group.save(target)
    finally:
        group.close()
    return losses, weights(target)


@pytest.mark.slow
def test_ranks_and_zero_stage_change_nothing(ray_cluster, folder, tmp_path):
    losses, reference = asyncio.run(trained(folder, tmp_path / "one", ranks=1))
    start = weights(folder)
    assert np.abs(reference - start).max() > 1e-3  # it learned something
    for zero, offloaded in ((0, False), (1, False), (2, False), (3, False), (1, True), (3, True)):
        changes = {"ranks": 2, "zero_stage": zero, "offload_optimizer": offloaded}
        other_losses, other = asyncio.run(trained(folder, tmp_path / f"zero{zero}{offloaded}", **changes))
        assert other_losses == pytest.approx(losses, rel=1e-5), f"ZeRO {zero}"
        difference = np.abs(other - reference)
        # Adam divides by the size of the gradient: where that is nearly zero, rounding moves a weight by more
        assert np.quantile(difference, 0.999) <= 1e-5, f"ZeRO {zero}"
        assert difference.max() <= 1e-4, f"ZeRO {zero}"


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, 2, 3])
def test_resumed_training_equals_uninterrupted_bit_for_bit(ray_cluster, folder, tmp_path, zero):
    async def both():
        group = LearnerGroup(settings(ranks=2, zero_stage=zero), "test")
        try:
            await group.start()
            await group.load(folder, OPTIMISER, seed=0)
            head = await steps(group, batches(4)[:2])
            snapshots = Snapshots(group, tmp_path)
            await snapshots.take(2)  # written while the next steps train
            whole = head + await steps(group, batches(4)[2:], first=2)
            await group.save(tmp_path / "whole")
            await group.load(folder, OPTIMISER, seed=0)  # as a new process would
            assert await snapshots.load() == 2
            resumed = head + await steps(group, batches(4)[2:], first=2)
            await group.save(tmp_path / "resumed")
            return whole, resumed
        finally:
            group.close()

    whole, resumed = asyncio.run(both())
    assert whole == resumed
    np.testing.assert_array_equal(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))


@pytest.mark.slow
def test_a_dead_rank_is_reported_at_once(ray_cluster, folder):
    import ray

    from dragoman.learner.group import LearnerFailure

    async def kill():
        group = LearnerGroup(settings(ranks=2), "test")
        try:
            await group.start()
            await group.load(folder, OPTIMISER, seed=0)
            ray.kill(group.actors[1])
            with pytest.raises(ray.exceptions.RayActorError):  # the kill takes a moment, and a step here is quick
                while True:
                    ray.get(group.actors[1].peak_memory_bytes.remote())
            await steps(group, batches(1))
        finally:
            group.close()

    with pytest.raises(LearnerFailure, match=r"a learner rank died during 'train_step'"):
        asyncio.run(kill())


@pytest.mark.slow
@pytest.mark.parametrize("zero", [0, 3])
def test_bfloat16_gradients_of_many_micro_batches_add_up(ray_cluster, folder, zero):
    """The same sequence 600 times has the gradient of one; sums in bfloat16 stood still at 63 % of it."""

    async def norms(*copies):
        group = LearnerGroup(settings(ranks=1, dtype="bfloat16", zero_stage=zero, rows_per_micro_batch=1), "test")
        found = []
        try:
            await group.start()
            for count in copies:
                await group.load(folder, OPTIMISER, seed=0)
                units = [(s,) for s in random_sequences([60], seed=1)] * count
                tokens = float(sum(s.channels["loss_mask"].sum() for (s,) in units))
                metrics = await group.train_step([Objective(units, CrossEntropy(), {"tokens": tokens})], 1e-3)
                found.append(metrics["gradient_norm"])
        finally:
            group.close()
        return found

    many, one = asyncio.run(norms(600, 1))
    assert many == pytest.approx(one, rel=0.02)


def test_attention_that_leaves_out_a_models_cap_is_refused(tmp_path):
    from transformers import Gemma2Config, Gemma2ForCausalLM

    numbers = dict(vocab_size=97, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)
    Gemma2ForCausalLM(Gemma2Config(**numbers, num_key_value_heads=1, head_dim=32)).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"caps its attention logits.*set learner\.attention=eager"):
        load_model(tmp_path, "float32", "sdpa")
    assert load_model(tmp_path, "float32", "eager").config.attn_logit_softcapping


async def gathered_sums(folder, rounds):
    """Checksums of every bucket, gathered again and again from shards that do not change."""
    group = LearnerGroup(settings(ranks=2, zero_stage=3), "test")
    try:
        await group.start()
        await group.load(folder, OPTIMISER, seed=0)
        host, port = await group.address()
        await group.open_channel(Channel(host, port, 1))
        buckets = await group.buckets(20_000)
        return [[(await group.send_bucket(bucket)).checksum for bucket in buckets] for _ in range(rounds)]
    finally:
        group.close()


@pytest.mark.slow
def test_sharded_weights_are_whole_however_often_they_are_gathered(ray_cluster, folder):
    first, *others = asyncio.run(gathered_sums(folder, rounds=30))
    assert len(first) > 3 and all(sums == first for sums in others)

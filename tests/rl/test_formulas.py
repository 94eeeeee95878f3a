"""Advantages by hand, staleness by simulation, prompts, batches."""

import numpy as np
import pytest

from dragoman.learner.encoding import EncodingError
from dragoman.rollout import Completion
from rewards import RewardResult, Score
from rl.advantages import ADVANTAGES
from rl.groups import PromptTask, Sample, ScoredGroup
from rl.prompts import PromptSource
from rl.staleness import batch_is_ready, groups_that_may_start, wave_size
from rl.training_batch import batch_advantages, group_units, loss_counts, mini_batches, usable

SECTION = {"advantage": "grpo", "mask_truncated": True, "samples": 4, "max_tokens": 10}


def sample(index, reward, tokens=(7, 8), finish="stop"):
    done = Completion(tuple(tokens), tuple(-0.1 * (i + 1) for i in range(len(tokens))), "text", finish, 0, 0)
    status = "ok" if reward is not None else "error"
    return Sample(index, done, Score(f"s{index}", reward, (RewardResult("math", reward, status),)))


def group(rewards, number=0, **changes):
    task = PromptTask(number, f"row-{number}", {"messages": []}, (1, 2, 3), "math")
    return ScoredGroup(task, tuple(sample(i, r, **changes) for i, r in enumerate(rewards)), 0)


def units_of(one, section):
    return group_units(one, batch_advantages([one], section["advantage"])[0], section)


def test_advantages_by_hand():
    # rewards 1, 0, 0, 1: mean 1/2, population deviation 1/2
    assert ADVANTAGES["grpo"]([1, 0, 0, 1]) == pytest.approx([1, -1, -1, 1], abs=1e-5)
    assert ADVANTAGES["dr_grpo"]([1, 0, 0, 1]) == pytest.approx([0.5, -0.5, -0.5, 0.5])
    # leave-one-out: 1 - 1/3, 0 - 2/3
    assert ADVANTAGES["rloo"]([1, 0, 0, 1]) == pytest.approx([2 / 3, -2 / 3, -2 / 3, 2 / 3])


def test_an_uncomputable_reward_has_no_advantage_and_is_not_zero():
    (found,) = batch_advantages([group([1.0, None, 0.0])], "dr_grpo")
    assert found == pytest.approx({0: 0.5, 2: -0.5})  # with a 0 in place of None: 2/3, -1/3, -1/3


def test_gdpo_standardises_each_component_and_a_failed_gate_floors_them_all():
    # chrF .2 .4 .6, exact 0 0 1; the third answer failed its gate: its components are 0, 0.
    def scored(index, chrf, exact, gate):
        values = {"chrf": chrf, "exact_match": exact, "direction": gate}
        parts = tuple(RewardResult(kind, value) for kind, value in values.items())
        return Sample(index, sample(index, 1.0).completion, Score(f"s{index}", 0.5, parts))

    rewards = [{"kind": "chrf", "weight": 3.0}, {"kind": "exact_match"}, {"kind": "direction"}]
    task = PromptTask(0, "row", {"messages": [], "rewards": rewards}, (1,), "translation")
    one = ScoredGroup(task, (scored(0, 0.2, 0.0, 1.0), scored(1, 0.4, 1.0, 1.0), scored(2, 0.6, 1.0, 0.0)), 0)
    (found,) = batch_advantages([one], "gdpo")
    # chrf (.2, .4, 0): mean .2, deviation sqrt(.08/3); exact (0, 1, 0): mean 1/3, deviation sqrt(2)/3
    sums = np.array([0 - 1 / 2**0.5, 3 * 1.5**0.5 + 2**0.5, -3 * 1.5**0.5 - 1 / 2**0.5])
    assert sums.sum() == pytest.approx(0)
    expected = sums / sums.std()
    assert [found[i] for i in range(3)] == pytest.approx(list(expected), abs=1e-4)


def test_groups_that_teach_nothing_are_not_usable():
    keep, drop = ({**SECTION, "filter_equal_rewards": flag} for flag in (False, True))
    assert not usable(group([0.5, 0.5, 0.5]), drop)
    assert usable(group([0.5, 0.5, 0.5]), keep)
    assert not usable(group([1.0, None, None]), keep)
    assert usable(group([1.0, 0.0, None]), drop)
    assert not usable(group([1.0, 0.0], finish="length"), drop)  # all cut off: nothing would carry loss


def test_units_carry_channels_on_the_answer_only():
    (first,), (second,) = units_of(group([1.0, 0.0]), SECTION)
    assert first.token_ids.tolist() == [1, 2, 3, 7, 8]
    assert first.channels["loss_mask"].tolist() == [0, 0, 0, 1, 1]
    assert first.channels["advantages"] == pytest.approx([0, 0, 0, 1, 1], abs=1e-4)
    assert second.channels["advantages"] == pytest.approx([0, 0, 0, -1, -1], abs=1e-4)
    assert first.channels["behaviour_logprobs"] == pytest.approx([0, 0, 0, -0.1, -0.2])


def test_truncated_answers_stay_out_of_the_loss_but_in_the_mean():
    samples = (sample(0, 1.0), sample(1, 0.0, finish="length"))
    mixed = ScoredGroup(group([0.0]).task, samples, 0)
    assert len(units_of(mixed, SECTION)) == 1
    assert units_of(mixed, SECTION)[0][0].channels["advantages"][-1] == pytest.approx(1, abs=1e-4)
    assert len(units_of(mixed, {**SECTION, "mask_truncated": False})) == 2


def test_loss_counts_tokens_or_a_constant():
    units = units_of(group([1.0, 0.0, 0.0]), SECTION)
    assert loss_counts(units, 1, SECTION) == {"tokens": 6.0, "answer_tokens": 6.0}
    assert loss_counts(units, 1, {**SECTION, "advantage": "dr_grpo"}) == {"tokens": 40.0, "answer_tokens": 6.0}


def test_mini_batches_are_even_and_keep_every_group():
    groups = [group([0.0, 1.0], n) for n in range(7)]
    parts = mini_batches(groups, 3)
    assert [len(p) for p in parts] == [3, 2, 2]
    assert [g.task.number for p in parts for g in p] == list(range(7))
    assert len(mini_batches(groups[:2], 5)) == 2


@pytest.mark.parametrize("staleness", [0, 1, 3])
def test_no_group_is_ever_staler_than_the_bound(staleness):
    """Simulate: groups end in random order, batches are taken oldest first."""
    rng = np.random.default_rng(staleness)
    batch, version, accepted, running, buffer = 4, 0, 0, [], []
    worst, starved = 0, 0
    for _ in range(4000):
        started = groups_that_may_start(
            version=version, staleness=staleness, groups_per_step=batch, accepted=accepted, running=len(running)
        )
        starved += started == 0 and not running and len(buffer) < batch
        running += [version] * started
        if running and rng.random() < 0.6:
            begun = running.pop(rng.integers(len(running)))
            if rng.random() < 0.8:  # else filtered out
                buffer.append(begun)
                accepted += 1
        ready = batch_is_ready(
            version=version, staleness=staleness, groups_per_step=batch, buffered=buffer, running=running
        )
        if ready and rng.random() < 0.3:
            buffer.sort()
            trained, buffer = buffer[:batch], buffer[batch:]
            worst = max(worst, version - min(trained))
            version += 1
    assert version > 100
    assert worst == staleness  # reached, never passed
    assert starved == 0


@pytest.mark.parametrize("missing", [1, 3, 16, 500])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
def test_a_wave_brings_enough_but_for_one_standard_deviation(missing, share):
    def safe(groups):
        return groups * share - (groups * share * (1 - share)) ** 0.5

    size = wave_size(missing=missing, expected_share=share)
    assert safe(size) >= missing - 1e-6 > safe(size - 1) - 1e-6


def test_a_wave_is_no_larger_than_needed_where_every_group_is_usable():
    assert [wave_size(missing=m, expected_share=1.0) for m in (-2, 0, 1, 20)] == [0, 0, 1, 20]


class WordTokenizer:
    """One token a word; enough for prompts."""

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        return " ".join(m["content"] for m in messages)

    def __call__(self, texts, add_special_tokens):
        return {"input_ids": [[len(word) for word in text.split()] for text in texts]}


def rows(count, words=3):
    return [{"id": f"r{i}", "messages": [{"role": "user", "content": "w " * words}], "task": "t"} for i in range(count)]


def test_prompt_numbers_are_stable_and_each_epoch_visits_every_row_once():
    source = PromptSource(rows(5), WordTokenizer(), room=16, seed=1)
    again = PromptSource(rows(5), WordTokenizer(), room=16, seed=1)
    first = [source.prompt(n).id for n in range(15)]
    assert [again.prompt(n).id for n in reversed(range(15))] == first[::-1]
    for epoch in range(3):
        assert sorted(first[5 * epoch : 5 * epoch + 5]) == [f"r{i}" for i in range(5)]
    assert first[:5] != first[5:10] or first[5:10] != first[10:]


def test_a_prompt_that_leaves_no_room_is_named_before_compute_is_spent():
    with pytest.raises(EncodingError, match=r"prompt r0 has 30 tokens, 16 leave room.*model\.context"):
        PromptSource(rows(1, words=30), WordTokenizer(), room=16, seed=0)

"""Advantages by hand, staleness by simulation, prompts, batches."""

import numpy as np
import pytest

from dragoman.data.rows import Prompt
from dragoman.learner.encoding import EncodingError, check_lengths
from dragoman.rollout import Completion
from rewards import RewardResult, RewardSpec, Score
from rl.admission import batch_is_ready, groups_that_may_start, wave_size
from rl.algorithms import Credit, find_algorithm
from rl.groups import PromptVisit, Sample, ScoredGroup
from rl.prompts import PromptSource
from rl.settings import RlSettings
from rl.update import group_units, mini_batches


def algorithm(name="grpo", **settings):
    given = RlSettings(algorithm=name, samples=4, max_tokens=10, **settings)
    return find_algorithm(name)(given)


def advantages(name, rewards):
    """By answer; None where there is none."""
    (found,) = algorithm(name).credit([group(rewards)])
    return {index: credit.answer for index, credit in found.items()}


def sample(index, reward, tokens=(7, 8), finish="stop"):
    done = Completion(tuple(tokens), tuple(-0.1 * (i + 1) for i in range(len(tokens))), "text", finish, 0, 0)
    status = "ok" if reward is not None else "error"
    return Sample(index, done, Score(f"s{index}", reward, (RewardResult("math", reward, status),)))


def group(rewards, number=0, **changes):
    visit = PromptVisit(number, Prompt(f"row-{number}", (), (), {}, "math"), (1, 2, 3))
    return ScoredGroup(visit, tuple(sample(i, r, **changes) for i, r in enumerate(rewards)), 0)


def units_of(one, chosen=None):
    chosen = chosen or algorithm()
    return group_units(chosen, one, chosen.credit([one])[0])


def test_advantages_by_hand():
    # rewards 1, 0, 0, 1: mean 1/2, population deviation 1/2
    assert list(advantages("grpo", [1, 0, 0, 1]).values()) == pytest.approx([1, -1, -1, 1], abs=1e-5)
    assert list(advantages("dr_grpo", [1, 0, 0, 1]).values()) == pytest.approx([0.5, -0.5, -0.5, 0.5])
    # leave-one-out: 1 - 1/3, 0 - 2/3
    assert list(advantages("rloo", [1, 0, 0, 1]).values()) == pytest.approx([2 / 3, -2 / 3, -2 / 3, 2 / 3])


def test_an_uncomputable_reward_has_no_advantage_and_is_not_zero():
    found = advantages("dr_grpo", [1.0, None, 0.0])
    assert found == pytest.approx({0: 0.5, 2: -0.5})  # with a 0 in place of None: 2/3, -1/3, -1/3


def test_gdpo_standardises_each_component_and_a_failed_gate_floors_them_all():
    # chrF .2 .4 .6, exact 0 0 1; the third answer failed its gate: its components are 0, 0.
    def scored(index, chrf, exact, gate):
        values = {"chrf": chrf, "exact_match": exact, "direction": gate}
        parts = tuple(RewardResult(kind, value) for kind, value in values.items())
        return Sample(index, sample(index, 1.0).completion, Score(f"s{index}", 0.5, parts))

    specs = (RewardSpec("chrf", 3.0), RewardSpec("exact_match"), RewardSpec("direction"))
    visit = PromptVisit(0, Prompt("row", (), specs, {}, "translation"), (1,))
    one = ScoredGroup(visit, (scored(0, 0.2, 0.0, 1.0), scored(1, 0.4, 1.0, 1.0), scored(2, 0.6, 1.0, 0.0)), 0)
    (found,) = algorithm("gdpo").credit([one])
    # chrf (.2, .4, 0): mean .2, deviation sqrt(.08/3); exact (0, 1, 0): mean 1/3, deviation sqrt(2)/3
    sums = np.array([0 - 1 / 2**0.5, 3 * 1.5**0.5 + 2**0.5, -3 * 1.5**0.5 - 1 / 2**0.5])
    assert sums.sum() == pytest.approx(0)
    expected = sums / sums.std()
    assert [found[i].answer for i in range(3)] == pytest.approx(list(expected), abs=1e-4)


def test_groups_that_teach_nothing_are_not_usable():
    keep, drop = (algorithm(filter_equal_rewards=flag) for flag in (False, True))
    assert not drop.teaches(group([0.5, 0.5, 0.5]))
    assert keep.teaches(group([0.5, 0.5, 0.5]))
    assert not keep.teaches(group([1.0, None, None]))
    assert drop.teaches(group([1.0, 0.0, None]))
    assert not drop.teaches(group([1.0, 0.0], finish="length"))  # all cut off: nothing would carry loss


def test_rewards_that_hardly_differ_do_not_become_full_advantages():
    close = group([0.500, 0.504, 0.500, 0.504])  # less than the spread of 0.01: noise of a metric
    assert not algorithm().teaches(close) and algorithm(filter_equal_rewards=False).teaches(close)
    assert algorithm(minimum_spread=0.001).teaches(close)
    values = list(advantages("grpo", close.rewards).values())
    assert values == pytest.approx([-0.4, 0.4, -0.4, 0.4], abs=1e-3)  # 0.002 over half of the spread, not over 0.002
    far = list(advantages("grpo", [0.4, 0.6]).values())
    assert far == pytest.approx([-1, 1], abs=1e-4)


def test_equal_sums_of_different_components_teach_under_gdpo_only():
    specs = (RewardSpec("chrf"), RewardSpec("exact_match"))
    visit = PromptVisit(0, Prompt("row", (), specs, {}, "translation"), (1,))

    def scored(index, chrf, exact):
        parts = (RewardResult("chrf", chrf), RewardResult("exact_match", exact))
        return Sample(index, sample(index, 1.0).completion, Score("row", (chrf + exact) / 2, parts))

    one = ScoredGroup(visit, (scored(0, 0.2, 0.8), scored(1, 0.8, 0.2)), 0)
    assert algorithm("gdpo").teaches(one) and not algorithm("grpo").teaches(one)
    same = ScoredGroup(visit, (scored(0, 0.5, 0.5), scored(1, 0.5, 0.5)), 0)
    assert not algorithm("gdpo").teaches(same)


def test_units_carry_channels_on_the_answer_only():
    (first,), (second,) = units_of(group([1.0, 0.0]))
    assert first.token_ids.tolist() == [1, 2, 3, 7, 8]
    assert first.channels["loss_mask"].tolist() == [0, 0, 0, 1, 1]
    assert first.channels["advantages"] == pytest.approx([0, 0, 0, 1, 1], abs=1e-4)
    assert second.channels["advantages"] == pytest.approx([0, 0, 0, -1, -1], abs=1e-4)
    assert first.channels["behaviour_logprobs"] == pytest.approx([0, 0, 0, -0.1, -0.2])


def test_truncated_answers_stay_out_of_the_loss_but_in_the_mean():
    samples = (sample(0, 1.0), sample(1, 0.0, finish="length"))
    mixed = ScoredGroup(group([0.0]).visit, samples, 0)
    assert len(units_of(mixed)) == 1
    assert units_of(mixed)[0][0].channels["advantages"][-1] == pytest.approx(1, abs=1e-4)
    assert len(units_of(mixed, algorithm(mask_truncated=False))) == 2


def test_loss_counts_tokens_or_a_constant():
    units = units_of(group([1.0, 0.0, 0.0]))
    assert algorithm().objective(units, 1).counts == {"tokens": 6.0, "answer_tokens": 6.0, "answers": 3.0}
    assert algorithm("dr_grpo").objective(units, 1).counts == {"tokens": 40.0, "answer_tokens": 6.0, "answers": 3.0}


def test_mini_batches_are_even_and_keep_every_group():
    groups = [group([0.0, 1.0], n) for n in range(7)]
    parts = mini_batches(groups, 3)
    assert [len(p) for p in parts] == [3, 2, 2]
    assert [g.visit.number for p in parts for g in p] == list(range(7))
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


def source(count, seed=1):
    prompts = [Prompt(f"r{i}", (), (), {}, "t") for i in range(count)]
    return PromptSource(prompts, [(i,) for i in range(count)], seed)


def test_prompt_numbers_are_stable_and_each_epoch_visits_every_row_once():
    first = [source(5).visit(n).id for n in range(15)]
    again = source(5)
    assert [again.visit(n).id for n in reversed(range(15))] == first[::-1]
    for epoch in range(3):
        assert sorted(first[5 * epoch : 5 * epoch + 5]) == [f"r{i}" for i in range(5)]
    assert first[:5] != first[5:10] or first[5:10] != first[10:]


def test_a_prompt_that_leaves_no_room_is_named_before_compute_is_spent():
    with pytest.raises(EncodingError, match=r"prompt r0 has 30 tokens, 16 leave room.*model\.context"):
        check_lengths(["r0"], [[1] * 30], 16, "rl.max_tokens")


def test_credit_of_single_tokens_is_added_to_the_answers():
    credit = Credit(0.5, np.array([0.0, -1.0, 2.0]))
    assert credit.per_token(3).tolist() == [0.5, -0.5, 2.5]
    assert credit.mean == pytest.approx(0.5 + 1 / 3)
    assert Credit(0.5).per_token(2).tolist() == [0.5, 0.5] and Credit(0.5).mean == 0.5


def test_an_unknown_algorithm_is_named_with_the_nearest():
    with pytest.raises(ValueError, match=r"rl\.algorithm = 'gpro' is none of .*did you mean 'grpo'"):
        RlSettings(algorithm="gpro")

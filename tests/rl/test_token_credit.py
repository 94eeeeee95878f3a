"""Credit of tokens by hand: spans added to the answer's advantage, the batch's standardisation, both shares."""

import numpy as np
import pytest

from dragoman.data.rows import Prompt
from dragoman.rollout import Completion
from rewards import RewardResult, RewardSpec, Score, Span
from rl.algorithms import Credit, DrGrpo, Grpo, find_algorithm, register_algorithm
from rl.groups import PromptVisit, Sample, ScoredGroup
from rl.settings import RlSettings
from rl.token_credit import TokenCredit, normalised, shares
from rl.update import group_units

SPECS = (RewardSpec("chrf", 1.0), RewardSpec("mt_instructions", 0.0, span_weight=2.0))


def decode(ids):
    """Two letters a token; the end token is not written."""
    return "".join(chr(97 + i) * 2 for i in ids if i != 9)


def sample(index, reward, spans=(), tokens=(0, 1, 2, 9), finish="stop"):
    done = Completion(tuple(tokens), (-1.0,) * len(tokens), decode(tokens), finish, 0, 0)
    parts = (RewardResult("chrf", reward), RewardResult("mt_instructions", 0.5, spans=tuple(spans)))
    return Sample(index, done, Score(str(index), reward, parts))


def group(*samples):
    return ScoredGroup(PromptVisit(0, Prompt("p", (), SPECS, {}, "t"), (1, 2)), samples, 0)


def credit_of(batch, kind="dr_grpo", **settings):
    given = RlSettings(algorithm=kind, samples=4, max_tokens=8, token_credit={"enabled": True, **settings})
    algorithm = find_algorithm(kind)(given)
    return TokenCredit(algorithm, decode)(batch, algorithm.credit(batch))


def test_off_by_default_and_then_nothing_changes():
    algorithm = DrGrpo(RlSettings(algorithm="dr_grpo"))
    batch = [group(sample(0, 1.0, [Span(0, 2, -1.0)]), sample(1, 0.0))]
    credits = algorithm.credit(batch)
    assert TokenCredit(algorithm, decode)(batch, credits) == (credits, {})
    assert credits[0][0].tokens is None


def test_a_spans_value_times_its_weight_is_dealt_over_its_tokens_and_added():
    batch = [group(sample(0, 1.0, [Span(1, 4, -0.5)]), sample(1, 0.0))]  # letters 1 to 3: tokens 0 and 1
    (given,), metrics = credit_of(batch, normalise=False)
    # advantages of rewards 1 and 0: +-0.5; the span is worth 2 x -0.5 = -1, half for each of its tokens
    assert given[0].per_token(4).tolist() == [0.0, 0.0, 0.5, 0.5]
    assert given[1].per_token(4).tolist() == [-0.5] * 4
    # 8 tokens: mean |sequence| 0.5, |spans| 1 / 8, and 2 of 8 marked
    assert metrics == {"credit/sequence": 0.5, "credit/spans": 0.125, "credit/marked_tokens": 0.25}


def test_or_given_whole_to_each_and_values_add_up():
    spans = [Span(1, 4, -0.5), Span(2, 4, 0.25)]
    (given,), _ = credit_of([group(sample(0, 1.0, spans), sample(1, 0.0))], normalise=False, spread="whole")
    assert given[0].per_token(4).tolist() == [0.5 - 1.0, 0.5 - 1.0 + 0.5, 0.5, 0.5]


def test_the_sum_is_standardised_over_the_tokens_of_the_batch():
    batch = [group(sample(0, 1.0, [Span(0, 2, -1.0)]), sample(1, 0.0)), group(sample(0, 0.25), sample(1, 0.75))]
    credits, _ = credit_of(batch)
    # by hand: tokens -1.5 0.5 0.5 0.5 | -0.5 x4 | -0.25 x4 | 0.25 x4: sum -2, squares 3 + 1 + 0.25 + 0.25
    values = np.array([-1.5, *[0.5] * 3, *[-0.5] * 4, *[-0.25] * 4, *[0.25] * 4])
    wanted = (values + 2 / 16) / np.sqrt(4.5 / 16 - (2 / 16) ** 2)
    found = np.concatenate([given[i].per_token(4) for given in credits for i in (0, 1)])
    assert found.tolist() == pytest.approx(wanted.tolist(), rel=1e-4)


def test_answers_that_carry_no_loss_have_no_part_in_the_standardisation():
    cut = sample(1, 0.0, [Span(0, 6, -50.0)], finish="length")
    credits, metrics = credit_of([group(sample(0, 1.0, [Span(0, 2, -0.25)]), cut)])
    # trained: 0.5 - 0.5, 0.5, 0.5, 0.5: mean 3/8, variance 3/16 - 9/64 = 3/64... of the four tokens
    values = np.array([0.0, 0.5, 0.5, 0.5])
    wanted = (values - 0.375) / np.sqrt(0.046875)
    assert credits[0][0].per_token(4).tolist() == pytest.approx(wanted.tolist(), rel=1e-4)
    assert metrics["credit/spans"] == 0.125


def test_a_wide_sequence_credit_shows_beside_small_spans():
    narrow = Credit(10.0, np.array([0.0, -0.5]))
    assert shares([(narrow, 2)]) == {"credit/sequence": 10.0, "credit/spans": 0.25, "credit/marked_tokens": 0.5}
    assert normalised([{0: narrow}], []) == [{0: narrow}]  # a batch that trains on nothing


def test_equal_rewards_still_teach_where_spans_differ():
    same = group(sample(0, 0.5), sample(1, 0.5))
    marked = group(sample(0, 0.5), sample(1, 0.5, [Span(0, 2, -1.0)]))
    unweighted = group(sample(0, 0.5), sample(1, 0.5, finish="length", spans=[Span(0, 2, -1.0)]))
    algorithm = Grpo(RlSettings(token_credit={"enabled": True}))
    credit = TokenCredit(algorithm, decode)
    assert [credit.teaches(one) for one in (same, marked, unweighted)] == [False, True, False]
    assert not TokenCredit(Grpo(RlSettings()), decode).teaches(marked)
    (given,), _ = credit([marked], algorithm.credit([marked]))
    values = given[1].per_token(4)
    assert values[0] < 0 < values[1] == given[0].per_token(4)[0]


def test_credit_of_tokens_reaches_the_learners_channel_at_the_answers_tokens():
    batch = [group(sample(0, 1.0, [Span(2, 4, -1.0)]), sample(1, 0.0))]
    algorithm = DrGrpo(RlSettings(algorithm="dr_grpo", token_credit={"enabled": True, "normalise": False}))
    credits, _ = TokenCredit(algorithm, decode)(batch, algorithm.credit(batch))
    (first,), _ = group_units(algorithm, batch[0], credits[0])
    assert first.channels["advantages"].tolist() == [0, 0, 0.5, -1.5, 0.5, 0.5]  # two tokens of the prompt


def test_an_unknown_reward_has_no_credit():
    (given,), _ = credit_of([group(sample(0, 1.0), sample(1, None, [Span(0, 2, -1.0)]), sample(2, 0.0))])
    assert sorted(given) == [0, 2]


def test_an_algorithm_of_whole_answers_is_refused_with_what_to_do():
    @register_algorithm("whole_answers_only")
    class WholeAnswers(Grpo):
        @property
        def token_level(self):
            return False

    RlSettings(algorithm="whole_answers_only")
    with pytest.raises(ValueError, match=r"whole_answers_only gives one to the whole answer; set rl\.token_credit"):
        RlSettings(algorithm="whole_answers_only", token_credit={"enabled": True})

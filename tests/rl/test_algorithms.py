"""Algorithms by hand and by plain loops: what shapes a batch, what each combination computes, what is refused."""

import asyncio
import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_formulas import group, sample

from dragoman.data.rows import Prompt
from dragoman.learner import TokenSequence, ValueHead
from dragoman.learner.encoding import answer_sequence
from dragoman.learner.losses import Cispo, Clipped, Correction, Gspo, GspoToken, KlPenalty, Reinforce, ValueLoss
from dragoman.recipes import RecipeError, load_recipe
from rewards import RewardSpec
from rl.algorithms import Grpo, find_algorithm
from rl.algorithms.returns import generalised_advantages, overlong_penalty, rewards_to_go, whitened
from rl.failures import RlError
from rl.groups import PromptVisit, ScoredGroup
from rl.settings import RlSettings
from rl.update import Update, group_units

KL = {"coefficient": 0.5, "place": "reward"}


def algorithm(name="grpo", **settings):
    given = RlSettings.model_validate({"algorithm": name, "samples": 4, "max_tokens": 10, **settings})
    return find_algorithm(name)(given)


def unit(advantages, **channels):
    """An answer behind a prompt of two tokens."""
    base = answer_sequence((1, 2), tuple(range(3, 3 + len(advantages))), "row")
    made = {name: np.float32([0, 0, *values]) for name, values in {"advantages": advantages, **channels}.items()}
    return (base.with_channels(made),)


def answer(one, channel="advantages"):
    (sequence,) = one
    return sequence.channels[channel][2:].tolist()


def test_generalised_advantages_are_the_sum_of_discounted_errors():
    rng = np.random.default_rng(0)
    rewards, values = rng.standard_normal((2, 9))
    discount, decay = 0.9, 0.7
    found = generalised_advantages(rewards, values, discount, decay)
    for t in range(9):
        expected = 0.0
        for k in range(t, 9):
            after = values[k + 1] if k < 8 else 0.0
            expected += (discount * decay) ** (k - t) * (rewards[k] + discount * after - values[k])
        assert found[t] == pytest.approx(expected, abs=1e-12)
    assert rewards_to_go(np.array([1.0, 2.0, 4.0]), 0.5).tolist() == [1 + 1 + 1, 2 + 2, 4]


def test_whitening_is_verls_over_all_tokens_with_loss():
    units = [unit([1.0, 2.0, 3.0]), unit([-4.0]), unit([0.5, 0.5])]
    (masked,) = units[2]
    units[2] = (masked.with_channels({"loss_mask": np.float32([0, 0, 1, 0])}),)  # its last token takes no part
    values = [1.0, 2.0, 3.0, -4.0, 0.5]
    mean = sum(values) / 5
    variance = sum((v - mean) ** 2 for v in values) / 5 * 5 / 4  # masked_var with Bessel's correction
    expected = [(v - mean) * (variance + 1e-8) ** -0.5 for v in values]
    found = [answer(one) for one in whitened(units)]
    assert [*found[0], *found[1], found[2][0]] == pytest.approx(expected, abs=1e-6)
    assert found[2][1] == 0 and all((one[0].channels["advantages"][:2] == 0).all() for one in whitened(units))
    assert answer(whitened([unit([3.0])])[0]) == [0.0]


def shaped(name, groups, **settings):
    chosen = algorithm(name, **settings)
    units = [
        u for one, given in zip(groups, chosen.credit(groups), strict=True) for u in group_units(chosen, one, given)
    ]
    return chosen.shape(units)


def last_tokens(units):
    return [one[0].channels["advantages"][-1] for one in units]


def test_reinforce_pp_standardises_rewards_over_the_batch():
    # rewards 1, 0 | 1, 1, of two tokens each: mean 3/4; variance over 8 tokens (6 / 16 + 2 * 9 / 16) / 7 = 3 / 14
    units = shaped("reinforce_pp", [group([1.0, 0.0]), group([1.0, 1.0])])
    deviation = math.sqrt(3 / 14)
    assert last_tokens(units) == pytest.approx([0.25 / deviation, -0.75 / deviation, *[0.25 / deviation] * 2], abs=1e-6)


def test_reinforce_pp_baseline_takes_the_groups_mean_off_first():
    # 1/2, -1/2 | 1/3, 1/3, -2/3: mean 0; variance over 10 tokens 2 (1/2 + 6/9) / 9
    units = shaped("reinforce_pp_baseline", [group([1.0, 0.0]), group([1.0, 1.0, 0.0])])
    deviation = math.sqrt(2 * (0.5 + 6 / 9) / 9)
    expected = [0.5, -0.5, 1 / 3, 1 / 3, -2 / 3]
    assert last_tokens(units) == pytest.approx([value / deviation for value in expected], abs=1e-6)


def test_ppo_gives_the_reward_at_the_last_token_and_shapes_it_with_values():
    own = {"discount": 0.9, "gae_lambda": 0.5, "whiten": False}
    ppo = algorithm("ppo", algorithm_settings=own, kl={**KL, "estimator": "k1"})
    one = group([1.0])
    (given,) = ppo.credit([one])
    assert given[0].per_token(2).tolist() == [0.0, 1.0]
    channels = {"proximal_logprobs": [-1.0, -2.0], "reference_logprobs": [-1.5, -1.0], "values": [0.3, 0.6]}
    (found,) = ppo.shape([unit([0.0, 1.0], **channels)])
    # k1 = log pi - log reference = 0.5, -1; rewards 0 - 0.25, 1 + 0.5
    last = 1.5 - 0.6
    first = -0.25 + 0.9 * 0.6 - 0.3 + 0.9 * 0.5 * last
    assert answer(found) == pytest.approx([first, last], abs=1e-6)
    assert answer(found, "returns") == pytest.approx([first + 0.3, last + 0.6], abs=1e-6)
    whitening = algorithm("ppo", algorithm_settings={**own, "whiten": True}, kl={**KL, "estimator": "k1"})
    (white,) = whitening.shape([unit([0.0, 1.0], **channels)])
    assert answer(white) == pytest.approx([np.sign(first - last) / math.sqrt(2), np.sign(last - first) / math.sqrt(2)])
    assert answer(white, "returns") == answer(found, "returns")
    assert ppo.value_head() == ValueHead(10.0) and ppo.objective([found], 1).loss.value == ValueLoss(0.1, 0.2)


@pytest.mark.parametrize(
    ("estimator", "first", "second"),
    [(None, 0.5, -1.0), ("k2", 0.125, 0.5), ("k3", math.exp(-0.5) - 0.5, math.exp(1.0) - 2.0)],
)
def test_kl_in_the_reward_comes_off_what_follows(estimator, first, second):
    channels = {"proximal_logprobs": [-1.0, -2.0], "reference_logprobs": [-1.5, -1.0]}
    chosen = algorithm(kl={**KL, "estimator": estimator})
    (found,) = chosen.shape([unit([2.0, 2.0], **channels)])
    assert answer(found) == pytest.approx([2 - 0.5 * (first + second), 2 - 0.5 * second], abs=1e-6)
    assert dict(chosen.logprob_channels()) == {"proximal_logprobs": None, "reference_logprobs": "reference"}
    assert chosen.objective([found], 1).loss.kl.coefficient == 0  # not paid twice
    assert algorithm(kl={"coefficient": 0.5}).shape([found]) == [found]


def test_overlong_answers_lose_linearly():
    assert [overlong_penalty(n, 10, 4) for n in (0, 6, 7, 9, 10, 12)] == [0, 0, -0.25, -0.75, -1, -1]
    assert overlong_penalty(10, 10, 0) == 0


@pytest.mark.parametrize("name", ["dr_grpo", "ppo", "reinforce_pp"])
def test_overlong_shaping_works_with_any_credit(name):
    long = (sample(0, 1.0, tokens=range(9)), sample(1, 1.0), sample(2, 0.0))
    one = ScoredGroup(group([0.0]).visit, long, 0)
    found = algorithm(name, overlong={"buffer": 4, "penalty": 0.4}).credit([one])[0]
    lost = 0.4 * 0.75
    expected = {"dr_grpo": (1 - lost) - (2 - lost) / 3, "ppo": 1 - lost, "reinforce_pp": 1 - lost}[name]
    assert found[0].per_token(9)[-1] == pytest.approx(expected)


def test_under_gdpo_length_is_one_more_component():
    visit = PromptVisit(0, Prompt("row", (), (RewardSpec("math"),), {}, "math"), (1, 2, 3))
    one = ScoredGroup(visit, (sample(0, 1.0, tokens=range(9)), sample(1, 1.0), sample(2, 0.0)), 0)
    (found,) = algorithm("gdpo", overlong={"buffer": 4}).credit([one])
    # math 1, 1, 0: (1, 1, -2) / sqrt 2; length -3/4, 0, 0: (-2, 1, 1) / sqrt 2; their sum has deviation 1
    assert [found[i].answer for i in range(3)] == pytest.approx([-(0.5**0.5), 2**0.5, -(0.5**0.5)], abs=1e-4)


def test_dapo_is_grpo_whose_answers_lose_reward_near_the_limit():
    dapo = algorithm("dapo")
    assert dapo.overlong_buffer == 2 and isinstance(dapo, Grpo)
    cut = sample(0, 1.0, tokens=range(10), finish="length")
    assert dapo.carries_loss(cut) and not algorithm().carries_loss(cut)  # it is to learn not to run on
    assert not algorithm("dapo", mask_truncated=True).carries_loss(cut)
    assert dapo.rewards(ScoredGroup(group([0.0]).visit, (cut, sample(1, 1.0)), 0)) == [0.0, 1.0]


def test_an_algorithm_without_a_groups_baseline_learns_from_one_answer_and_from_equal_ones():
    for name in ("ppo", "reinforce_pp"):
        chosen = algorithm(name, samples=1)
        assert chosen.teaches(group([0.5])) and chosen.teaches(group([0.5, 0.5]))
        assert not chosen.teaches(group([None])) and not chosen.teaches(group([1.0], finish="length"))
    assert not algorithm("reinforce_pp_baseline").teaches(group([0.5, 0.5]))


@pytest.mark.parametrize(
    ("name", "settings", "surrogate", "mean"),
    [
        ("grpo", {}, Clipped(0.2, 0.28), "tokens"),
        ("dr_grpo", {}, Clipped(0.2, 0.28), "tokens"),
        ("gspo", {}, Gspo(3e-4, 4e-4), "answers"),
        ("gspo_token", {}, GspoToken(3e-4, 4e-4), "answers"),
        ("cispo", {"policy_loss": {"clip_high": 2}}, Cispo(2.0), "tokens"),
        ("rloo", {"policy_loss": {"kind": "reinforce"}}, Reinforce(), "tokens"),
        ("grpo", {"policy_loss": {"kind": "gspo", "clip_low": 0.1}}, Gspo(0.1, 4e-4), "answers"),
        ("gspo", {"policy_loss": {"mean": "tokens"}}, Gspo(3e-4, 4e-4), "tokens"),
        ("ppo", {"policy_loss": {"clip_high": 0.2, "dual_clip": 3}}, Clipped(0.2, 0.2, 3.0), "tokens"),
    ],
)
def test_a_loss_is_the_algorithms_own_or_the_recipes(name, settings, surrogate, mean):
    loss = algorithm(name, **settings).objective([unit([0.0])], 1).loss
    assert (loss.surrogate, loss.mean) == (surrogate, mean)


def test_sections_reach_the_loss():
    chosen = algorithm(
        correction={"kind": "mask", "level": "sequence", "cap": 3, "floor": 0}, staleness=1,
        kl={"coefficient": 0.1, "estimator": "k2", "importance_weighted": True},
        policy_loss={"entropy_coefficient": 0.01, "mean": "constant"},
    )  # fmt: skip
    objective = chosen.objective([unit([0.0, 0.0])], 3)
    assert objective.loss.correction == Correction("mask", "sequence", 3.0, 0.0)
    assert objective.loss.kl == KlPenalty(0.1, "k2", True) and objective.loss.entropy_coefficient == 0.01
    assert objective.counts == {"tokens": 3 * 4 * 10, "answer_tokens": 2, "answers": 1}


class Recorder:
    """A trainer that says what it was asked for; log-probs and values say by whom."""

    def __init__(self):
        self.steps, self.refreshed = [], []

    async def train_step(self, objectives, learning_rate):
        self.steps.append(list(objectives[0].units))
        return {"logprob_max_abs_diff": 0.0}

    async def logprobs(self, units, temperature, frozen=None):
        return [s.channels["loss_mask"] * (-1.0 if frozen is None else -2.0) for (s,) in units]

    async def values(self, units):
        return [s.channels["loss_mask"] * 0.25 for (s,) in units]

    async def refresh_frozen(self, name):
        self.refreshed.append(name)


def updated(chosen, groups, step=0, trainer=None):
    trainer = trainer or Recorder()
    asyncio.run(Update(trainer, chosen)(step, groups, chosen.credit(groups)))
    return trainer


def test_a_batch_is_shaped_whole_before_its_mini_batches_are_dealt():
    groups = [group([1.0, 0.0], 0), group([1.0, 1.0], 1)]
    chosen = algorithm("reinforce_pp", mini_batches=2)
    first, second = updated(chosen, groups).steps
    assert last_tokens(first + second) == pytest.approx(last_tokens(shaped("reinforce_pp", groups)))
    assert [[s.label for (s,) in part] for part in (first, second)] == [["row-0"] * 2, ["row-1"] * 2]


def test_an_answer_that_a_shape_loses_is_an_error():
    chosen = algorithm()
    chosen.shape = lambda units: list(units)[1:]
    with pytest.raises(ValueError, match="shorter"):
        updated(chosen, [group([1.0, 0.0])])


def test_what_shapes_a_batch_gets_the_channels_it_asked_for_with_a_single_step_too():
    (step,) = updated(algorithm("ppo", kl=KL), [group([1.0])]).steps
    ((sequence,),) = step
    names = ("proximal_logprobs", "reference_logprobs", "values")
    assert [sequence.channels[name].tolist() for name in names] == [[0, 0, 0, v, v] for v in (-1, -2, 0.25)]
    assert set(updated(algorithm(), [group([1.0, 0.0])]).steps[0][0][0].channels) == {
        "loss_mask", "advantages", "behaviour_logprobs"
    }  # fmt: skip


def test_a_reference_follows_the_policy_every_so_many_steps():
    chosen = algorithm(kl={"coefficient": 0.1, "refresh_every": 3})
    trainer = Recorder()
    for step in range(8):
        before = len(trainer.refreshed)
        updated(chosen, [group([1.0, 0.0])], step, trainer)
        assert len(trainer.refreshed) - before == (step in (3, 6))
    assert set(trainer.refreshed) == {"reference"}
    assert not algorithm(kl={"refresh_every": 3}).refreshed_models(3)  # without a penalty there is none


def test_a_learner_without_a_value_head_is_refused():
    class Plain:
        """Has no `values`."""

    with pytest.raises(RlError, match=r"rl\.algorithm=ppo needs a value head, and this learner \(Plain\) has none"):
        Update(Plain(), algorithm("ppo"))
    Update(Plain(), algorithm())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["rl.samples=1"], ["rl.samples=1 leaves nothing to compare", "reinforce_pp"]),
        (["rl.samples=1", "rl.algorithm=reinforce_pp_baseline"], ["rl.samples=1"]),
        (["rl.staleness=1", "rl.correction.kind=mask", "rl.policy_loss.kind=reinforce"],
         ["rl.staleness=1 needs a loss with a trust region", "clipped"]),
        (["rl.mini_batches=2", "rl.policy_loss.kind=reinforce"], ["rl.mini_batches=2", "set rl.mini_batches to 1"]),
        (["rl.algorithm=ppo", "rl.policy_loss.kind=gspo"], ["each token its own advantage", "kind=gspo_token"]),
        (["rl.algorithm=gspo", "rl.kl.coefficient=0.1", "rl.kl.place=reward"], ["rl.kl.place=reward", "gspo_token"]),
        (["rl.policy_loss.dual_clip=1"], ["rl.policy_loss.dual_clip = 1", "greater than 1"]),
        (["rl.policy_loss.dual_clip=1.25"], ["dual_clip=1.25 lies within the clipping range", "1.28"]),
        (["rl.algorithm=gspo", "rl.policy_loss.dual_clip=3"], ["dual_clip means nothing to the loss 'gspo'"]),
        (["rl.algorithm=cispo", "rl.policy_loss.clip_low=0.1"], ["clip_low means nothing to the loss 'cispo'"]),
        (["rl.overlong.buffer=48"], ["rl.overlong.buffer=48", "rl.max_tokens=48"]),
        (["rl.kl.estimator=k1"], ["k1 in the loss has no gradient", "rl.kl.place=reward"]),
        (["rl.kl={place: reward, importance_weighted: true}"], ["leave rl.kl.importance_weighted out"]),
        (["rl.correction={kind: truncate, floor: 0.5}"], ["floor means nothing to kind=truncate"]),
        (["rl.algorithm_settings={gae_lambda: 0.9}"], ["gae_lambda"]),
        (["rl.policy_loss.kind=gsop"], ["rl.policy_loss.kind = 'gsop'", "'gspo'"]),
        (["rl.clip_low=0.1"], ["unknown key 'rl.clip_low'", "'rl.policy_loss.clip_low'"]),
        (["rl.clip_high=0.1"], ["'rl.policy_loss.clip_high'"]),
        (["rl.importance_correction=mask"], ["'rl.correction.kind'"]),
        (["rl.importance_cap=3"], ["'rl.correction.cap'"]),
        (["rl.kl_coefficient=0.1"], ["'rl.kl.coefficient'"]),
        (["rl.kl.refresh=3"], ["unknown key 'rl.kl.refresh'"]),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_the_mend(changes, words):
    with pytest.raises(RecipeError) as error:
        load_recipe(None, changes)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        ["rl.samples=1", "rl.algorithm=ppo"],
        ["rl.samples=1", "rl.algorithm=reinforce_pp"],
        ["rl.staleness=2", "rl.correction.kind=mask", "rl.correction.level=sequence", "rl.algorithm=cispo"],
        ["rl.kl.estimator=k1", "rl.kl.importance_weighted=true", "rl.kl.coefficient=0.1"],
        ["rl.algorithm=gspo_token", "rl.kl={coefficient: 0.1, place: reward}"],
        ["rl.algorithm=gdpo", "rl.policy_loss.kind=cispo", "rl.policy_loss.mean=answers"],
    ],
)
def test_what_makes_sense_together_is_accepted(changes):
    load_recipe(None, changes)


def test_only_a_loss_of_answers_takes_no_credit_of_single_tokens():
    assert [algorithm(name).token_level for name in ("grpo", "gspo", "gspo_token", "cispo")] == [
        True,
        False,
        True,
        True,
    ]
    assert algorithm("gspo", policy_loss={"kind": "clipped"}).token_level


def test_a_combination_is_said_in_one_sentence():
    assert algorithm().described() == (
        "grpo on 4 answers to each prompt: credit is the reward, standardised within its group; the loss takes the "
        "token's ratio clipped to 0.8 … 1.28, mean over the batch's answer tokens; no importance correction "
        "(staleness 0); no KL penalty; groups of equal rewards are replaced; 1 optimiser step a batch."
    )
    said = algorithm(
        "dapo", staleness=2, correction={"kind": "mask", "level": "sequence", "cap": 3, "floor": 0}, mini_batches=2,
        kl={"coefficient": 0.01, "place": "reward", "refresh_every": 50},
        policy_loss={"kind": "gspo_token", "entropy_coefficient": 0.001},
    ).described()  # fmt: skip
    for words in (
        "the answer's ratio, with a gradient for each token, clipped to 0.9997 … 1.0004",
        "mean over answers of the means of their tokens", "importance weights of the whole answer, 0 outside 0 … 3",
        "(staleness 2)", "0.01 × KL (k1) to the policy of every 50 steps in the reward", "0.001 × entropy as a bonus",
        "up to 1 off the reward in the last 2 tokens", "2 optimiser steps a batch",
    ):  # fmt: skip
        assert words in said


def test_channels_are_added_without_touching_the_sequence():
    one = TokenSequence(np.int32([1]), {"loss_mask": np.float32([1])}, "r")
    other = one.with_channels({"returns": np.float32([2])})
    assert set(one.channels) == {"loss_mask"} and set(other.channels) == {"loss_mask", "returns"} and other.label == "r"

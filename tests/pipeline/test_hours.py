"""Hours of a recipe against sums made by hand."""

import pytest

from dragoman.checkpoints.pretrained import ModelShape
from dragoman.learner import LearnerSettings
from dragoman.pipeline.hours import Rate, hours_of, operations_per_token
from dragoman.recipes import Recipe

MILLION = ModelShape(1_000_000, 100_000, 1000, 64, 256, 4, True, 512, 4_000_000)
TRAINING = Rate("training", 6e9, 0, 0)
WRITING = Rate("writing", 0, 2e9, 1e9)


def recipe(**changes):
    return Recipe.model_validate({
        "cpt": {"steps": 10, "batch_tokens": 36_000, "mixture": {"cpt_mono": 1}},
        "sft": {"steps": 5, "batch_tokens": 3600},
        "lat": {"steps": 3, "batch_examples": 10, "replay": {"sft": 0.5}},
        "preference": {"steps": 2, "batch_pairs": 30, "prompts": 90, "samples": 4, "max_tokens": 100},
        "rl": {"steps": 7, "groups_per_step": 2, "samples": 8, "max_tokens": 50},
        "rollout": {"max_sequences": 10}, **changes,
    })  # fmt: skip


def test_every_stage_is_tokens_times_operations_over_the_rate():
    found = {h.stage: (h.training * 3600, h.writing * 3600) for h in hours_of(recipe(), MILLION, TRAINING, WRITING)}
    # a million parameters at 6e9 operations a second: 1,000 trained tokens a second
    assert found["cpt"] == pytest.approx((360, 0))
    assert found["sft"] == pytest.approx((18, 0))
    assert found["lat"] == pytest.approx((3 * 10 * 128 / 1000, 0))
    # pairs of 128 + 2 x 100 tokens: 60 trained, 90 read once at a third; 90 x 4 x 100 written at 1,000 a second, while
    # 3,600 steps of ten answers read 2 MB of weights each at 1 GB/s
    assert found["preference"] == pytest.approx(((60 * 328 + 90 * 328 / 3) / 1000, 36))
    # 2 x 8 x 50 tokens of answers and two prompts a step
    assert found["rl"] == pytest.approx((7 * (800 + 256) / 1000, 5.6))


def test_an_engine_with_few_answers_at_once_waits_for_its_weights():
    (rl,) = hours_of(recipe(stages=["rl"], rollout={"max_sequences": 1}), MILLION, TRAINING, WRITING)
    assert rl.writing * 3600 == pytest.approx(5600 * 2e6 / 1e9)


@pytest.mark.parametrize(
    "changes,passes",
    [({}, 6), ({"recompute_activations": True}, 8), ({"adapter": {"kind": "lora"}}, 4)],
)
def test_adapters_save_the_gradients_of_weights_and_recomputing_costs_a_pass(changes, passes):
    assert operations_per_token(MILLION, LearnerSettings.model_validate(changes)) == passes * 1e6

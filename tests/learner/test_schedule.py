import pytest

from dragoman.learner import OptimiserSettings
from dragoman.learner.schedule import learning_rate


def rate(step, schedule="cosine"):
    optimiser = OptimiserSettings(
        steps=100, learning_rate=1.0, warmup_share=0.1, final_learning_rate_share=0.2, schedule=schedule
    )
    return learning_rate(step, optimiser)


def test_warm_up_is_linear_and_reaches_the_peak():
    assert [rate(s) for s in (0, 4, 9, 10)] == pytest.approx([0.1, 0.5, 1.0, 1.0])


@pytest.mark.parametrize("schedule,middle", [("cosine", 0.6), ("linear", 0.6), ("constant", 1.0)])
def test_decay_at_half_way(schedule, middle):
    assert rate(55, schedule) == pytest.approx(middle)  # 0.2 + 0.8 * 1/2 for both decays


def test_no_warm_up_starts_at_the_peak():
    optimiser = OptimiserSettings(
        steps=4, learning_rate=0.5, warmup_share=0, final_learning_rate_share=0, schedule="linear"
    )
    assert learning_rate(0, optimiser) == 0.5

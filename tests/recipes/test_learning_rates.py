import pytest

from dragoman.recipes import load_recipe
from dragoman.recipes.learning_rates import learning_rate_for, with_learning_rates


@pytest.mark.parametrize(
    ("stage", "parameters", "adapters", "rate"),
    [
        ("cpt", 1_000_000_000, False, 2e-5),
        ("sft", 7_000_000_000, False, 7.6e-6),
        ("sft", 250_000_000, False, 4e-5),  # half the root of a quarter
        ("rl", 1_000_000_000, False, 2.5e-6),
        ("lat", 1_000_000_000, True, 5e-5),
        ("cpt", 72_000_000_000, False, 5e-6),  # not below
        ("cpt", 1_000_000, False, 2e-4),  # not above
    ],
)
def test_rates_by_hand(stage, parameters, adapters, rate):
    assert learning_rate_for(stage, parameters, adapters=adapters) == pytest.approx(rate)


def test_only_open_rates_are_filled_in():
    recipe = load_recipe(None, ["rl.learning_rate=3e-6", "sft.learning_rate=", "learner.adapter.kind=none"])
    assert recipe.sft.learning_rate is None
    filled = with_learning_rates(recipe, 1_000_000_000)
    assert (filled.rl.learning_rate, filled.sft.learning_rate) == (3e-6, 2e-5)
    assert filled.cpt == recipe.cpt  # the quickstart names it

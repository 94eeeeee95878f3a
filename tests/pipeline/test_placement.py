"""How many models a learner rank holds beside the policy."""

import pytest

from dragoman.pipeline.placement import frozen_copies
from dragoman.recipes import load_recipe

KL, LORA, REFRESHED = "rl.kl.coefficient=0.1", "learner.adapter.kind=lora", "rl.kl.refresh_every=5"


@pytest.mark.parametrize(
    ("changes", "copies"),
    [([], 0), ([KL], 1), ([KL, LORA], 0), ([KL, LORA, REFRESHED], 1), ([REFRESHED], 0), (["rl.algorithm=ppo"], 0)],
)
def test_a_reference_is_a_copy_unless_it_is_the_policy_without_adapters(changes, copies):
    assert frozen_copies(load_recipe(None, changes)) == copies

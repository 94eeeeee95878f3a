"""Learning rates of a model that was trained before, where the recipe names none.

A network from random weights learns at 1e-3; the same rate ruins a pretrained one. Rates for full fine-tuning fall with
the root of the size, from 2e-5 at a billion parameters, and by stage:

| stage | share | at 7 billion | published there |
|---|---|---|---|
| cpt, sft | 1 | 7.6e-6 | Tower 7B, 7e-6 (arXiv 2402.17733) |
| lat | 1/4 | 1.9e-6 | 2e-6 (arXiv 2403.14399) |
| preference, rl | 1/8 | 9.4e-7 | WPO 1e-6 (arXiv 2406.11827), GRPO 1e-6 |

Adapters take ten times as much (Schulman et al., "LoRA Without Regret", 2025).
"""

from typing import Any

from dragoman.recipes.schema import STAGES, Recipe

AT_A_BILLION = 2e-5
LOWEST, HIGHEST = 5e-6, 2e-4
STAGE_SHARES = {"cpt": 1.0, "sft": 1.0, "lat": 0.25, "preference": 0.125, "rl": 0.125}
ADAPTER_FACTOR = 10


def learning_rate_for(stage: str, parameters: int, *, adapters: bool) -> float:
    """The rate of a stage for a pretrained model of so many parameters, to two digits."""
    full = min(HIGHEST, max(LOWEST, AT_A_BILLION * (1e9 / parameters) ** 0.5))
    return float(f"{full * STAGE_SHARES[stage] * (ADAPTER_FACTOR if adapters else 1):.1e}")


def with_learning_rates(recipe: Recipe, parameters: int) -> Recipe:
    """The recipe of a pretrained model with the rates that it leaves open filled in."""
    adapters = recipe.learner.adapter.kind != "none"
    changed: dict[str, Any] = {}
    for stage in STAGES:
        section = getattr(recipe, stage)
        if section.learning_rate is None:
            rate = learning_rate_for(stage, parameters, adapters=adapters)
            changed[stage] = section.model_copy(update={"learning_rate": rate})
    return recipe.model_copy(update=changed)

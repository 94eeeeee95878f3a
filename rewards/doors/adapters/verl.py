"""Rewards of this project as a verl `compute_score`.

    custom_reward_function.path=$(python -m rewards.doors.adapters.verl)
    custom_reward_function.name=compute_score

What is scored: `rewards` in the row's `extra_info` (a list, or its JSON text), else the kind that `data_source`
names. `ground_truth` serves as `gold` and as `reference`; when it is a mapping, its entries are columns. Other
entries of `extra_info` are columns, too.
"""

from collections.abc import Mapping
from typing import Any

from rewards.doors.adapters.scoring import known, rewards_of, score


def compute_score(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: Mapping[str, Any] | None = None, **_: Any
) -> dict[str, Any]:
    """`score`, and each component under its kind; RewardError when it could not be computed."""
    extra = {name: value for name, value in (extra_info or {}).items() if value is not None}
    asked = rewards_of(extra.pop("rewards", None) or [{"kind": data_source}])
    truth = (
        dict(ground_truth) if isinstance(ground_truth, Mapping) else {"gold": ground_truth, "reference": ground_truth}
    )
    row = {"id": str(extra.get("index", "verl")), **truth, **extra, "response": solution_str, "rewards": asked}
    scores = score([row])
    parts = {c.kind: c.value for c in scores[0].components if c.value is not None}
    return {"score": known(scores)[0], **parts}


if __name__ == "__main__":
    print(__file__)

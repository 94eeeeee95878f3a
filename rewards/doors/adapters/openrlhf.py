"""Rewards of this project as an OpenRLHF reward file, and the content of its HTTP reward protocol.

    python -m openrlhf.cli.train_ppo_ray --reward.remote_url "$(python -m rewards.doors.adapters.openrlhf)" ...

The label column holds JSON: a row without prompt and response, `{"rewards": [...], "reference": ..., ...}`.
OpenRLHF decodes the whole sequence; the response is what follows the prompt, special tokens at the end taken
off. It swallows what a reward raises and then has no reward for that sample, so the reason is logged here.
"""

import json
import logging
import re
from collections.abc import Sequence
from typing import Any

from rewards.doors.adapters.scoring import known, rewards_of, score
from rewards.errors import RewardError
from rewards.records import Score

logger = logging.getLogger(__name__)

_SPECIAL_END = re.compile(
    r"(?:\s*(?:<\|[^|<>]{1,40}\|>|</s>|<s>|<eos>|<pad>|<end_of_turn>|\[PAD\]|<\|endoftext\|>))+\s*$"
)


def reward_func(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str], **_: Any) -> dict[str, Any]:
    """OpenRLHF's `reward_func`: tensors [n] under `rewards`, `scores` and, for each kind, `extra_logs`."""
    import torch

    try:
        found = answer(score(rows_of(queries, prompts, labels)))
    except RewardError as error:
        logger.error("no reward: %s", error)
        raise
    logs = {kind: torch.tensor(values) for kind, values in found["extra_logs"].items()}
    rewards = torch.tensor(found["rewards"])
    return {"rewards": rewards, "scores": torch.tensor(found["scores"]), "extra_logs": logs}


def rows_of(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of this project from OpenRLHF's three lists; RewardError names what does not fit."""
    if not len(queries) == len(prompts) == len(labels):
        raise RewardError(
            f"{len(queries)} queries, {len(prompts)} prompts and {len(labels)} labels; one each is needed"
        )
    return [_row(*sample) for sample in enumerate(zip(queries, prompts, labels, strict=True))]


def answer(scores: Sequence[Score]) -> dict[str, Any]:
    """The reply of OpenRLHF's protocol as plain lists; RewardError when a reward could not be computed.

    `extra_logs` has the kinds that every sample of the request was scored by.
    """
    rewards = known(scores)
    values = [{c.kind: c.value for c in one.components if c.value is not None} for one in scores]
    shared = set.intersection(*(set(one) for one in values)) if values else set()
    return {
        "rewards": rewards,
        "scores": rewards,
        "extra_logs": {kind: [one[kind] for one in values] for kind in sorted(shared)},
    }


def _row(number: int, sample: tuple[str, str, str]) -> dict[str, Any]:
    query, prompt, label = sample
    try:
        row = json.loads(label)
    except (TypeError, ValueError) as error:
        raise RewardError(f"label {number} is no JSON ({error}); it must be a row with 'rewards'") from None
    if not isinstance(row, dict) or "rewards" not in row:
        raise RewardError(f"label {number} is a JSON {type(row).__name__} without 'rewards'")
    if not query.startswith(prompt):
        raise RewardError(f"query {number} does not start with its prompt, so the response cannot be told apart")
    response = _SPECIAL_END.sub("", query[len(prompt) :])
    return {
        "id": f"openrlhf-{number}",
        "prompt": prompt,
        **row,
        "response": response,
        "rewards": rewards_of(row["rewards"]),
    }


if __name__ == "__main__":
    print(__file__)

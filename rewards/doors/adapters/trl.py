"""Rewards of this project as TRL reward functions.

    from rewards.doors.adapters.trl import trl_reward

    GRPOTrainer(..., reward_funcs=[trl_reward("chrf"), trl_reward({"kind": "direction", "args": {"target": "de"}})])
    GRPOTrainer(..., reward_funcs=trl_reward())           # each row's own column `rewards`

The data set's columns (`reference`, `source`, ...) reach the reward by name. TRL takes None for "not
applicable" and leaves such a sample out; a reward that failed raises instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rewards.doors.adapters.scoring import known, rewards_of, score
from rewards.errors import RewardError

_TRAINERS_OWN = frozenset({"prompts", "completions", "completion_ids", "trainer_state", "log_extra", "log_metric"})


@dataclass(frozen=True)
class TrlReward:
    """A callable with TRL's signature; frozen and picklable, because asynchronous trainers ship it."""

    specs: tuple[Mapping[str, Any], ...]
    __name__: str
    """TRL logs `rewards/<__name__>/mean`."""

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """Rewards in the order of the completions; None where no component applies."""
        passed_on = {name: values for name, values in columns.items() if name not in _TRAINERS_OWN}
        rows = [
            self._row(number, prompt, completion, {name: values[number] for name, values in passed_on.items()})
            for number, (prompt, completion) in enumerate(zip(prompts, completions, strict=True))
        ]
        scores = score(rows)
        known([one for one in scores if any(c.status in ("error", "timeout") for c in one.components)])
        return [one.reward for one in scores]

    def _row(self, number: int, prompt: Any, completion: Any, columns: dict[str, Any]) -> dict[str, Any]:
        asked = self.specs or columns.get("rewards")
        if not asked:
            raise RewardError("trl_reward() without kinds reads the column 'rewards', which this data set has not")
        conversation = {"prompt": prompt} if isinstance(prompt, str) else {"messages": list(prompt)}
        columns = {name: value for name, value in columns.items() if value is not None}
        return {
            "id": f"trl-{number}",
            **columns,
            **conversation,
            "response": _text(completion),
            "rewards": rewards_of(asked),
        }


def trl_reward(*rewards: str | Mapping[str, Any], name: str | None = None) -> TrlReward:
    """A TRL reward function of one or several kinds; without any, each row's column `rewards` decides."""
    specs = tuple({"kind": one} if isinstance(one, str) else dict(one) for one in rewards)
    for spec in specs:
        if "kind" not in spec:
            raise RewardError(f"trl_reward: {spec!r:.100} names no 'kind'")
    return TrlReward(specs, name or "_".join(str(spec["kind"]) for spec in specs) or "dragoman")


def _text(completion: Any) -> str:
    """The text of a completion: itself, or what the assistant said last."""
    if isinstance(completion, str):
        return completion
    answers = [message for message in completion if message.get("role") == "assistant"]
    if not answers:
        raise RewardError("a conversational completion has no assistant message")
    return str(answers[-1]["content"])

"""Scalars of OpenRLHF's TensorBoard files under the names that the house's metrics have."""

from pathlib import Path
from typing import Any

NAMES = {
    "rollout/reward_mean": "reward_mean",
    "rollout/reward_std": "reward_std",
    "rollout/response_length_mean": "length_mean",
    "rollout/truncated_rate": "truncated_share",
    "rollout/num_samples": "samples",
    "timing/step_total": "step_s",
    "timing/generation": "rollout_wait_s",
    "timing/ppo_train": "train_s",
    "timing/broadcast": "sync_s",
    "policy_loss": "policy_loss",
    "entropy": "entropy",
    "actor_lr": "learning_rate",
}
"""Theirs -> ours; what is not here keeps its name under `openrlhf/`"""


class ScalarReader:
    """Steps that have been written since the last look. OpenRLHF counts steps from 1, the house from 0."""

    def __init__(self, folder: Path, started: int) -> None:
        self.folder, self.next = folder, started
        self._events: Any = None

    def new(self) -> list[tuple[int, dict[str, float]]]:
        """(step, values) of every step that is complete: it has its last scalar, the time it took."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        if not self.folder.is_dir():
            return []
        if self._events is None:
            self._events = EventAccumulator(str(self.folder), size_guidance={"scalars": 0})
        self._events.Reload()
        found: dict[int, dict[str, float]] = {}
        for tag in self._events.Tags()["scalars"]:
            name = tag.removeprefix("train/")
            for event in self._events.Scalars(tag):
                if event.step - 1 >= self.next:
                    found.setdefault(event.step - 1, {})[NAMES.get(name, f"openrlhf/{name}")] = event.value
        complete = sorted((step, values) for step, values in found.items() if "step_s" in values)
        self.next = complete[-1][0] + 1 if complete else self.next
        return complete

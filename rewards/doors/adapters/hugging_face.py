"""Rewards of this project as metrics of Hugging Face's `evaluate`: `Trainer.compute_metrics`, `evaluate.combine`.

    from rewards.doors.adapters.hugging_face import RewardMetric

    metric = RewardMetric("chrf", columns=["references"])
    metric.compute(predictions=answers, references=references)      # {"reward": 0.71, "rewards": [...], "failed": 0}

Nothing is fetched from a hub. A reward that does not apply or could not be computed is left out of the mean, never 0.
"""

from collections.abc import Mapping, Sequence

import datasets
import evaluate

from rewards.doors.adapters.scoring import score
from rewards.records import Score

OWN_NAMES = {"references": "reference"}
"""evaluate's name of a column, and ours"""


class RewardMetric(evaluate.Metric):
    """The mean of one reward kind; `columns` are the texts that it needs beside the predictions, `args` the rest."""

    def __init__(self, kind: str, columns: Sequence[str] = (), args: Mapping[str, object] | None = None) -> None:
        self.kind, self.columns, self.args = kind, tuple(columns), dict(args or {})
        super().__init__(experiment_id=f"dragoman-{kind}", keep_in_memory=True)

    def _info(self) -> evaluate.MetricInfo:
        """What `evaluate` asks of a metric: a description and the types of its columns."""
        names = ("predictions", *self.columns)
        return evaluate.MetricInfo(
            description=f"Mean of the reward {self.kind!r}",
            citation="",
            features=datasets.Features({name: datasets.Value("string") for name in names}),
        )

    def _compute(self, predictions: Sequence[str], **columns: Sequence[str]) -> dict[str, object]:
        """Called by `compute`."""
        rows = [
            {
                "id": f"prediction-{number}",
                "response": prediction,
                "rewards": [{"kind": self.kind, "args": self.args}],
                **{OWN_NAMES.get(name, name): values[number] for name, values in columns.items()},
            }
            for number, prediction in enumerate(predictions)
        ]
        scores: list[Score] = score(rows)
        known = [one.reward for one in scores if one.reward is not None]
        failed = sum(bool(one.failures) for one in scores)
        mean = sum(known) / len(known) if known else None
        return {"reward": mean, "rewards": [one.reward for one in scores], "failed": failed}

"""What a task is, and the table of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dragoman.data.rows import Prompt
from dragoman.evaluation.outcomes import Judgement, Metrics, Outcome
from rewards.records import RewardSpec, Score

Unit = Literal["score", "percent", "reward"]
"""score: 0 to 100, one decimal; percent: a fraction shown as a percentage; reward: two decimals."""


@dataclass(frozen=True)
class MetricColumn:
    """A metric that tables show."""

    metric: str
    name: str
    """In words"""
    unit: Unit = "percent"
    higher_is_better: bool = True
    optimised_by: tuple[str, ...] = ()
    """Reward kinds whose optimisation optimises this metric itself: it is marked where a stage trained on one"""


class Task:
    """A task that is judged by its reward alone; subclasses know more about theirs."""

    columns: tuple[MetricColumn, ...] = (MetricColumn("reward_greedy", "reward", "reward"),)
    """Metrics that stand for a suite; the first one is the primary metric."""
    required: tuple[str, ...] = ()
    """Columns that its rows need beside those of every suite"""
    translates: bool = False
    """Whether its answers are translations: they count as translation, all others as general skill."""

    def measures(self, prompt: Prompt) -> tuple[RewardSpec, ...]:
        """Reward kinds by which its greedy answers are measured beside their own reward."""
        return ()

    def judge(self, prompt: Prompt, answer: str, score: Score) -> Judgement:
        """What an answer is worth beside its reward; here nothing more is known."""
        return Judgement()

    def sample_correct(self, prompt: Prompt, answer: str, score: Score) -> bool | None:
        """Whether a sampled answer has full marks; None where only the greedy one is judged."""
        return None

    def metrics(self, outcomes: Sequence[Outcome]) -> Metrics:
        """Metrics of outcomes of this task beside those that every suite has (`evaluation.metrics`)."""
        return {}

    @property
    def primary(self) -> MetricColumn:
        """The metric that stands for the task."""
        return self.columns[0]


_TASKS: dict[str, Task] = {}


def register_task(name: str, task: Task) -> None:
    """Make a task known under the name that rows give in their `task` column."""
    _TASKS[name] = task


def find_task(name: str) -> Task:
    """The task of a name; one that is judged by its reward where nobody registered it."""
    return _TASKS.get(name, Task())


def find_column(metric: str) -> MetricColumn | None:
    """The column of a metric, whichever task has it; None where no task shows it."""
    columns = [column for task in (*_TASKS.values(), Task()) for column in task.columns]
    return next((column for column in columns if column.metric == metric), None)

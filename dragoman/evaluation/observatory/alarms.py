"""When reward and the rest part, in one sentence.

Two kinds of alarm. *Parting*: a reward rises beyond chance, and a metric that no reward optimises worsens beyond chance
by enough to matter. *Indicator*: a figure of the answers leaves where it was in the run's first steps.

Over a whole run the probability of any false alarm is at most `LEVEL`: each of the K one-sided tests of things that
should not worsen (disjoint metrics, indicators; length counts twice) needs odds of K / LEVEL (Bonferroni), and each of
them holds over all its looks (`evidence`). That a reward rises as well is asked for on top, and can only make a parting
rarer. What is assumed: without a change the values are exchangeable. A figure that wanders without any cause, as
training noise makes some do, breaks that; against it steps are taken `BLOCK` at a time, and a change must be large
enough to matter (`Series.least`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from dragoman.evaluation.observatory.evidence import blocks, ends, find_rise
from dragoman.evaluation.observatory.series import Series

LEVEL = 0.05
BLOCK = 3
"""Steps whose mean is one value: neighbouring steps resemble each other. A development metric is one by itself"""
RECENT = 5
"""Steps whose answers the sentence tells to look at"""


@dataclass(frozen=True)
class Move:
    """A series that went up or down beyond chance."""

    series: Series
    up: bool
    since: float
    """The step from which it moved"""
    found: float
    """The step with which that could be said"""

    @property
    def text(self) -> str:
        """What moved from where to where, as the series stands now."""
        first, last = ends(self.series.values)
        verb = "rose" if last > first else "fell"
        return f"{self.series.title} {verb} from {self.series.text(first)} to {self.series.text(last)}"


@dataclass(frozen=True)
class Alarm:
    """One thing that went wrong while the reward did not."""

    worse: Move
    reward: Move | None
    """The reward that rose; an indicator needs none"""

    @property
    def step(self) -> float:
        """The step after which the alarm could be raised."""
        return max(self.worse.found, self.reward.found) if self.reward else self.worse.found

    def sentence(self, run: str) -> str:
        """What rose, what fell, since which step, and what to look at."""
        risen = f"{self.reward.text}, " if self.reward else ""
        low, high = max(self.worse.since, self.step - RECENT + 1), self.step
        look = f"dragoman samples {run} --step {low:g}-{high:g} --sort best"
        return f"{risen}{self.worse.text} since step {self.worse.since:g} (told at step {self.step:g}); see: {look}"


def moved(series: Series, *, up: bool, odds: float, least: float) -> Move | None:
    """Whether a series went one way beyond chance and by `least`."""
    size = BLOCK if series.role in ("reward", "indicator") else 1
    means = blocks(series.values, size)
    found = find_rise(means if up else [-mean for mean in means], odds, least)
    if found is None:
        return None
    return Move(series, up, series.steps[found.since * size], series.steps[(found.found + 1) * size - 1])


def ways(series: Series) -> tuple[bool, ...]:
    """The directions (up?) in which a series worsens."""
    return {"rise": (True,), "fall": (False,), "either": (True, False)}[series.bad]


def alarms_of(series: Sequence[Series], level: float = LEVEL) -> list[Alarm]:
    """All alarms of a run as it stands, the earliest first."""
    watched = [one for one in series if one.role in ("disjoint", "indicator")]
    tests = [(one, up) for one in watched for up in ways(one)]
    worse = [moved(one, up=up, odds=len(tests) / level, least=one.least) for one, up in tests]
    risen = _risen([one for one in series if one.role == "reward"], level)
    found = chain.from_iterable(_alarm(move, risen) for move in worse if move)
    return sorted(found, key=lambda alarm: alarm.step)


def _risen(rewards: Sequence[Series], level: float) -> Move | None:
    """The reward that rose first; the mean comes first among equals."""
    moves = [moved(one, up=True, odds=len(rewards) / level, least=0.0) for one in rewards]
    return min((move for move in moves if move), key=lambda move: move.found, default=None)


def _alarm(worse: Move, risen: Move | None) -> list[Alarm]:
    if worse.series.role == "indicator" or risen:
        return [Alarm(worse, risen)]
    return []

"""When reward and the rest part, in one sentence.

Two kinds of alarm. *Parting*: a metric that no reward optimises worsens beyond chance by enough to matter, while the
reward does not fall. *Indicator*: a figure of the answers leaves where it was in the run's first steps.

Whether a metric worsened is told by the rows of its suite (`worsening`). A run that logged no such p has the history of
its means alone (`evidence`), which sees less; there the reward must rise beyond chance.

Over a whole run the probability of any false alarm is at most `LEVEL`: each of the K one-sided tests of things that
should not worsen (disjoint metrics, indicators; length counts twice) has LEVEL / K (Bonferroni), and each of them holds
over all its looks. What is asked of the reward on top can only make a parting rarer. What `evidence` assumes: without a
change the values are exchangeable. A figure that wanders without any cause, as training noise makes some do, breaks
that; against it steps are taken `BLOCK` at a time, and a change must be large enough to matter (`Series.least`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from dragoman.evaluation.observatory.evidence import blocks, ends, find_rise
from dragoman.evaluation.observatory.series import REWARD_MEAN, Series
from dragoman.evaluation.observatory.worsening import allowance

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
        """What moved from where to where: as the series stands now, or at the look whose rows told."""
        first, last = ends(self.series.values)
        if self.series.p_worse:
            first, last = self.series.values[0], self.series.values[self.series.steps.index(self.found)]
        verb = "rose" if last > first else "fell"
        return f"{self.series.title} {verb} from {self.series.text(first)} to {self.series.text(last)}"


@dataclass(frozen=True)
class Alarm:
    """One thing that went wrong while the reward did not."""

    worse: Move
    reward: Move | None
    """The reward that rose beyond chance; an indicator needs none, nor does a metric that its rows tell of"""
    beside: str = ""
    """What the reward did meanwhile, where nothing is said of chance"""

    @property
    def step(self) -> float:
        """The step after which the alarm could be raised."""
        return max(self.worse.found, self.reward.found) if self.reward else self.worse.found

    def sentence(self, run: str) -> str:
        """What rose, what fell, since which step, and what to look at."""
        risen = f"{self.reward.text}, " if self.reward else f"{self.beside}, " if self.beside else ""
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
    rewards = [one for one in series if one.role == "reward"]
    worse = [
        worsened(one, level / len(tests))
        if one.p_worse
        else moved(one, up=up, odds=len(tests) / level, least=one.least)
        for one, up in tests
    ]
    risen = _risen(rewards, level)
    found = chain.from_iterable(_alarm(move, risen, rewards) for move in worse if move)
    return sorted(found, key=lambda alarm: alarm.step)


def worsened(series: Series, level: float) -> Move | None:
    """The first look at which the rows say so, and the figure by enough."""
    up, first = series.bad == "rise", series.values[0]
    known = [(step, value, p) for step, value, p in zip(series.steps, series.values, series.p_worse, strict=True)
             if p is not None]  # fmt: skip
    for look, (step, value, p) in enumerate(known, 1):
        if p <= level * allowance(look) and (value - first if up else first - value) >= series.least:
            return Move(series, up, series.steps[0], step)
    return None


def _risen(rewards: Sequence[Series], level: float) -> Move | None:
    """The reward that rose first; the mean comes first among equals."""
    moves = [moved(one, up=True, odds=len(rewards) / level, least=0.0) for one in rewards]
    return min((move for move in moves if move), key=lambda move: move.found, default=None)


def _alarm(worse: Move, risen: Move | None, rewards: Sequence[Series]) -> list[Alarm]:
    if worse.series.role == "indicator":
        return [Alarm(worse, risen)]
    if not worse.series.p_worse:
        return [Alarm(worse, risen)] if risen else []
    meanwhile = _meanwhile(rewards, worse.found)
    if risen and risen.found <= worse.found:
        return [Alarm(worse, risen)]
    return [] if meanwhile is None else [Alarm(worse, None, meanwhile)]


def _meanwhile(rewards: Sequence[Series], until: float) -> str | None:
    """What the mean reward, or else the first one, did up to a step; None where it fell or nothing is known."""
    one = min(rewards, key=lambda reward: reward.name != REWARD_MEAN, default=None)
    values = [] if one is None else [v for step, v in zip(one.steps, one.values, strict=True) if step <= until]
    if one is None or not values:
        return None
    first, last = ends(values)
    return f"{one.title} went from {one.text(first)} to {one.text(last)}" if last >= first else None

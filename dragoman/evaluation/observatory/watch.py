"""A run's folder, looked at once or again and again while it grows."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from dragoman.errors import DragomanError
from dragoman.evaluation.observatory.alarms import Alarm, alarms_of
from dragoman.evaluation.observatory.indicators import step_figures
from dragoman.evaluation.observatory.series import Series, series_of
from dragoman.evaluation.run_logs import StepLine, read_metrics, read_rollouts
from dragoman.files import read_json

STAGE = "rl"


class ObservatoryError(DragomanError):
    """A folder in which there is nothing to observe: which, and what to do."""


@dataclass(frozen=True)
class Observation:
    """What a run's logs say so far."""

    run: str
    """Its folder, as commands name it"""
    series: tuple[Series, ...]
    alarms: tuple[Alarm, ...]

    @property
    def sentences(self) -> list[str]:
        """One for each alarm, the earliest first."""
        return [alarm.sentence(self.run) for alarm in self.alarms]


class Observatory:
    """Looks at one stage of a run; figures of steps that were already complete are kept between looks."""

    def __init__(self, folder: Path, stage: str = STAGE) -> None:
        self.folder, self.stage = folder, stage
        self._figures: dict[float, Mapping[str, float]] = {}
        self._told: set[str] = set()

    def look(self) -> Observation:
        """The run as it stands; an empty observation where nothing is logged yet."""
        lines = self._lines()
        found = series_of(lines, self._step_figures(), _optimised(self.folder))
        return Observation(str(self.folder), tuple(found), tuple(alarms_of(found)))

    def new_alarms(self) -> list[str]:
        """Sentences of alarms that no look before told of."""
        found = {alarm.worse.series.name: sentence for alarm, sentence in _told(self.look())}
        fresh = [sentence for name, sentence in found.items() if name not in self._told]
        self._told |= set(found)
        return fresh

    def _lines(self) -> list[StepLine]:
        stages, _ = read_metrics(self.folder / "metrics.jsonl", ())
        return list(stages.get(self.stage, ()))

    def _step_figures(self) -> Mapping[float, Mapping[str, float]]:
        """The last step may still be growing, so it is counted again at the next look."""
        rollouts, *_ = read_rollouts(self.folder / "samples.jsonl")
        known = [line for line in rollouts if line.step is not None]
        steps = {step: list(lines) for step, lines in groupby(known, key=lambda line: line.step or 0.0)}
        last = max(steps, default=0.0)
        for step, lines in steps.items():
            if step not in self._figures or step == last:
                self._figures[step] = step_figures(lines)
        done = {step: self._figures[step] for step in steps}
        self._figures.pop(last, None)
        return done


def observe(folder: Path, stage: str = STAGE) -> Observation:
    """One look; ObservatoryError where the stage has logged nothing."""
    found = Observatory(folder, stage).look()
    if not found.series:
        raise ObservatoryError(f"{folder} has no steps of {stage} in metrics.jsonl or samples.jsonl yet; train first")
    return found


def _told(found: Observation) -> list[tuple[Alarm, str]]:
    return list(zip(found.alarms, found.sentences, strict=True))


def _optimised(folder: Path) -> tuple[str, ...]:
    """Reward kinds that the run's stages optimise, as its lineage says."""
    lineage = read_json(folder / "lineage.json") or {}
    return tuple(kind for stage in lineage.get("stages", ()) for kind in stage.get("optimised", ()))

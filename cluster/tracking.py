"""Metrics to Weights & Biases and MLflow as well, where the recipe asks for it (`tracking`).

    trackers = open_trackers(settings, folder)                 # TrackingError before any actor is started
    MetricsSink(folder, "quickstart", trackers).log(...)        # from then on an error is a warning, the run goes on

A thread of its own sends them, so that a slow server never holds up training. A run that is resumed goes on in the same
run there: `tracking.json` in the run folder has its id. Keys are read by the packages themselves, from the environment
or their own files (`WANDB_API_KEY`, `wandb login`; `MLFLOW_TRACKING_TOKEN`, …); no setting takes one.
"""

import importlib
import os
import queue
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field, field_validator

from dragoman.errors import DragomanError
from dragoman.files import read_json, write_json
from dragoman.settings import RunOnly, Settings

SECRETS = re.compile(r"KEY|TOKEN|PASSWORD|SECRET")
CLOSING_S = 30.0
"""How long the end of a run waits for what has not been sent"""


class TrackingError(DragomanError):
    """A tracker that the recipe asks for cannot be used; the text says why and what to do."""


class WandbSettings(Settings):
    """Weights & Biases."""

    project: RunOnly[str] = Field("dragoman", min_length=1)
    entity: RunOnly[str | None] = None
    """User or team; empty = the key's own"""
    mode: RunOnly[Literal["online", "offline"]] = "online"


class MlflowSettings(Settings):
    """MLflow."""

    uri: RunOnly[str | None] = None
    """Of the server, or `sqlite:///file.db`; empty = $MLFLOW_TRACKING_URI, else MLflow's own default"""
    experiment: RunOnly[str] = Field("dragoman", min_length=1)

    @field_validator("uri")
    @classmethod
    def _no_password(cls, uri: str | None) -> str | None:
        if uri is not None and "@" in uri.partition("://")[2].partition("/")[0]:
            # not a ValueError: those are told with their value
            raise TrackingError(
                "tracking.mlflow.uri holds a user or a password; take it out, and set MLFLOW_TRACKING_USERNAME and "
                "MLFLOW_TRACKING_PASSWORD where the job runs"
            )
        return uri


class TrackingSettings(Settings):
    """Where metrics go besides the run folder; a section that is there turns its tracker on."""

    wandb: RunOnly[WandbSettings | None] = None
    mlflow: RunOnly[MlflowSettings | None] = None


class Tracker(Protocol):
    """One run on a tracker. Any method may raise anything: `Trackers` deals with it."""

    id: str
    """By which the tracker finds the run again"""

    def log(self, stage: str, step: int, values: Mapping[str, float], seconds: float) -> None:
        """Metrics of one step; steps may come late, and again after a resume. `seconds`: since the epoch."""

    def close(self) -> None:
        """The run is over, or stopped."""


class WandbTracker(Tracker):
    """Each stage has a step of its own: W&B's one counter cannot go back."""

    def __init__(self, settings: WandbSettings, folder: Path, known: str | None) -> None:
        wandb = importlib.import_module("wandb")
        self.id = known or uuid.uuid4().hex[:12]
        self._run = wandb.init(
            project=settings.project, entity=settings.entity, mode=settings.mode, name=folder.name, id=self.id,
            dir=str(folder), resume="allow", settings=wandb.Settings(init_timeout=30, console="off", silent=True),
        )  # fmt: skip
        self._stages: set[str] = set()

    def log(self, stage: str, step: int, values: Mapping[str, float], seconds: float) -> None:
        if stage not in self._stages:
            self._stages.add(stage)
            self._run.define_metric(f"{stage}/step", hidden=True)
            self._run.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
        self._run.log({f"{stage}/step": step} | {f"{stage}/{name}": value for name, value in values.items()})

    def close(self) -> None:
        self._run.finish()


class MlflowTracker(Tracker):
    """Through its client: nothing of MLflow's global state is touched."""

    def __init__(self, settings: MlflowSettings, folder: Path, known: str | None) -> None:
        # by default it takes minutes to say that a server is away
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "15")
        mlflow = importlib.import_module("mlflow")
        self._metric = mlflow.entities.Metric
        self._client = mlflow.MlflowClient(tracking_uri=settings.uri)
        found = self._client.get_experiment_by_name(settings.experiment)
        experiment = found.experiment_id if found else self._client.create_experiment(settings.experiment)
        self.id = known or str(self._client.create_run(experiment, run_name=folder.name).info.run_id)
        if known:
            self._client.update_run(known, status="RUNNING")

    def log(self, stage: str, step: int, values: Mapping[str, float], seconds: float) -> None:
        names = {name: re.sub(r"[^\w\-. /]", "_", f"{stage}/{name}") for name in values}
        metrics = [self._metric(names[name], value, int(1000 * seconds), step) for name, value in values.items()]
        self._client.log_batch(self.id, metrics=metrics)

    def close(self) -> None:
        self._client.set_terminated(self.id)


OPENERS: Mapping[str, Callable[[Any, Path, str | None], Tracker]] = {"wandb": WandbTracker, "mlflow": MlflowTracker}


def open_trackers(settings: TrackingSettings, folder: Path) -> "Trackers":
    """The trackers that are asked for, with a run named as its folder.

    TrackingError where a package is missing or a server does not answer.
    """
    file = folder / "tracking.json"
    known = read_json(file) or {}
    opened: dict[str, Tracker] = {}
    for kind, opener in OPENERS.items():
        own = getattr(settings, kind)
        if own is None:
            continue
        try:
            opened[kind] = opener(own, folder, known.get(kind))
        except ImportError:
            raise TrackingError(
                f"tracking.{kind} needs the package {kind}, which is not installed: pip install 'dragoman[{kind}]', or "
                f"take tracking.{kind} out of the recipe"
            ) from None
        except Exception as error:  # whatever their clients raise
            raise TrackingError(
                f"tracking.{kind} cannot be used: {told(error)}; check its server and its key, or take tracking.{kind} "
                "out of the recipe"
            ) from None
    if opened:
        write_json(file, {**known, **{kind: tracker.id for kind, tracker in opened.items()}})
    return Trackers(opened)


class Trackers:
    """Sends metrics from a thread of its own. A tracker's first error is a warning; later ones are counted."""

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self._trackers = trackers
        self._failed = dict.fromkeys(trackers, 0)
        self._queue: queue.SimpleQueue[tuple[str, int, Mapping[str, float], float] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._send, name="trackers", daemon=True)
        if trackers:
            self._thread.start()

    def log(self, stage: str, step: int, values: Mapping[str, float]) -> None:
        """Finite metrics of one step; returns at once."""
        if self._trackers and values:
            self._queue.put((stage, step, dict(values), time.time()))

    def close(self) -> None:
        """Send what is left, for half a minute at most."""
        if not self._trackers:
            return
        self._queue.put(None)
        self._thread.join(CLOSING_S)
        if self._thread.is_alive():
            print(f"warning: tracking did not take the last metrics within {CLOSING_S:g} s", flush=True)
        for kind, count in self._failed.items():
            if count:
                print(f"warning: tracking.{kind} lacks {count} steps; metrics.jsonl has them all", flush=True)

    def _send(self) -> None:
        while (item := self._queue.get()) is not None:
            for kind, tracker in self._trackers.items():
                self._attempt(kind, tracker.log, item)
        for kind, tracker in self._trackers.items():
            self._attempt(kind, tracker.close, ())

    def _attempt(self, kind: str, call: Callable[..., None], arguments: Sequence[object]) -> None:
        try:
            call(*arguments)
        except Exception as error:  # a run of days must not end because a server of curves is away
            if not self._failed[kind]:
                print(f"warning: tracking.{kind} failed, the run goes on: {told(error)}", flush=True)
            self._failed[kind] += 1


def told(error: BaseException) -> str:
    """An error in one line, without keys and passwords."""
    text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    text = re.sub(r"//[^/@\s]+@", "//", text)
    for name, value in os.environ.items():
        if SECRETS.search(name) and len(value) >= 6:
            text = text.replace(value, f"${name}")
    return text

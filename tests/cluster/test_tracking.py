"""Trackers: stand-ins for their packages, of which neither is a dependency."""

import json
import sys
import threading
from types import ModuleType, SimpleNamespace

import pytest

from cluster.metrics import MetricsSink
from cluster.tracking import TrackingError, TrackingSettings, open_trackers
from dragoman.recipes import Recipe, RecipeError, load_recipe
from dragoman.settings import affects_result


class FakeWandb(ModuleType):
    """What `wandb` is asked for."""

    def __init__(self):
        super().__init__("wandb")
        self.begun, self.lines, self.axes, self.finished, self.error = [], [], [], 0, None

    def init(self, **options):
        if self.error:
            raise self.error
        self.begun.append(options)
        return self

    def Settings(self, **options):
        return options

    def define_metric(self, name, **options):
        self.axes.append((name, options.get("step_metric")))

    def log(self, values):
        if self.error:
            raise self.error
        self.lines.append(values)

    def finish(self):
        self.finished += 1


class FakeMlflow(ModuleType):
    """What `mlflow` is asked for; one run."""

    def __init__(self):
        super().__init__("mlflow")
        self.entities = SimpleNamespace(Metric=lambda *values: values)
        self.calls, self.lines, self.experiments = [], [], {}

    def MlflowClient(self, tracking_uri):
        self.calls.append(("uri", tracking_uri))
        return self

    def get_experiment_by_name(self, name):
        return self.experiments.get(name)

    def create_experiment(self, name):
        self.experiments[name] = SimpleNamespace(experiment_id="7")
        return "7"

    def create_run(self, experiment, run_name):
        self.calls.append(("create", experiment, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

    def update_run(self, run, status):
        self.calls.append(("go on", run, status))

    def log_batch(self, run, metrics):
        self.lines += [(run, name, value, step) for name, value, _, step in metrics]

    def set_terminated(self, run):
        self.calls.append(("end", run))


@pytest.fixture
def wandb(monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", found := FakeWandb())
    return found


@pytest.fixture
def mlflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", found := FakeMlflow())
    return found


@pytest.fixture(autouse=True)
def no_gauges(monkeypatch):
    import ray.util.metrics

    monkeypatch.setattr(ray.util.metrics, "Gauge", lambda *_, **__: SimpleNamespace(set=lambda *_, **__: None))


def settings(**sections):
    return TrackingSettings.model_validate(sections)


def log(folder, wanted, *lines):
    sink = MetricsSink(folder, "r", open_trackers(wanted, folder))
    for stage, step, values in lines:
        sink.log(stage, step, values)
    sink.close()
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_every_finite_metric_reaches_both_trackers_with_its_stage_and_step(tmp_path, wandb, mlflow):
    wanted = settings(wandb={"project": "p"}, mlflow={"uri": "http://tracker", "experiment": "e"})
    log(tmp_path, wanted, ("sft", 0, {"loss": 2.0}), ("rl", 1, {"reward/math": 0.5, "x": float("nan")}),
        ("rl", 0, {"agreement": 0.1}))  # fmt: skip
    assert wandb.lines == [
        {"sft/step": 0, "sft/loss": 2.0}, {"rl/step": 1, "rl/reward/math": 0.5}, {"rl/step": 0, "rl/agreement": 0.1},
    ]  # fmt: skip
    assert wandb.begun[0]["dir"] == str(tmp_path)  # and not where the job runs
    assert ("rl/*", "rl/step") in wandb.axes and wandb.finished == 1
    sent = [("sft/loss", 2.0, 0), ("rl/reward/math", 0.5, 1), ("rl/agreement", 0.1, 0)]
    assert mlflow.lines == [("r1", *line) for line in sent]
    assert mlflow.calls == [("uri", "http://tracker"), ("create", "7", tmp_path.name), ("end", "r1")]


def test_a_run_that_goes_on_is_the_same_run_there(tmp_path, wandb, mlflow):
    wanted = settings(wandb={}, mlflow={})
    log(tmp_path, wanted, ("rl", 0, {"loss": 1.0}))
    log(tmp_path, wanted, ("rl", 1, {"loss": 1.0}))
    first, second = wandb.begun
    assert first["id"] == second["id"] and second["resume"] == "allow"
    begun = [call for call in mlflow.calls if call[0] in ("create", "go on")]
    assert begun == [("create", "7", tmp_path.name), ("go on", "r1", "RUNNING")]
    assert len(mlflow.lines) == 2


def test_nothing_is_opened_unless_the_recipe_says_so(tmp_path, wandb, mlflow):
    log(tmp_path, load_recipe().tracking, ("rl", 0, {"loss": 1.0}))
    assert not wandb.begun and not mlflow.calls and not (tmp_path / "tracking.json").exists()


@pytest.mark.parametrize("kind", ["wandb", "mlflow"])
def test_a_missing_package_is_one_sentence_before_anything_starts(tmp_path, monkeypatch, kind):
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(TrackingError, match=rf"needs the package {kind}, .* pip install 'dragoman\[{kind}\]'"):
        open_trackers(settings(**{kind: {}}), tmp_path)


def test_a_server_that_does_not_answer_is_one_sentence_without_its_key(tmp_path, wandb, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "abcdef123456")
    wandb.error = ConnectionError("https://me:secret@host refused abcdef123456\nsecond line")
    with pytest.raises(TrackingError) as found:
        open_trackers(settings(wandb={}), tmp_path)
    assert "tracking.wandb cannot be used: ConnectionError: https://host refused $WANDB_API_KEY;" in str(found.value)
    assert "\n" not in str(found.value)


def test_a_tracker_that_fails_later_is_one_warning_and_the_run_goes_on(tmp_path, wandb, mlflow, capsys):
    sink = MetricsSink(tmp_path, "r", open_trackers(settings(wandb={}, mlflow={}), tmp_path))
    wandb.error = ConnectionError("gone")
    for step in range(3):
        sink.log("rl", step, {"loss": 1.0})
    sink.close()
    out = capsys.readouterr().out
    assert out.count("warning: tracking.wandb failed, the run goes on: ConnectionError: gone") == 1
    assert "warning: tracking.wandb lacks 3 steps; metrics.jsonl has them all" in out
    assert len(mlflow.lines) == 3
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 3


def test_a_slow_tracker_holds_nothing_up(tmp_path, wandb):
    go_on = threading.Event()
    wandb.log = lambda values: (go_on.wait(30), wandb.lines.append(values))
    sink = MetricsSink(tmp_path, "r", open_trackers(settings(wandb={}), tmp_path))
    for step in range(3):
        sink.log("rl", step, {"loss": 1.0})
    assert not wandb.lines
    go_on.set()
    sink.close()
    assert [line["rl/step"] for line in wandb.lines] == [0, 1, 2]


def test_keys_have_no_place_in_a_recipe():
    with pytest.raises(RecipeError, match=r"unknown key 'tracking\.wandb\.api_key'"):
        load_recipe(None, ["tracking.wandb.api_key=abcdef"])
    with pytest.raises(TrackingError, match="MLFLOW_TRACKING_PASSWORD") as found:
        load_recipe(None, ["tracking.mlflow.uri=https://me:secret@host/x"])
    assert "secret" not in str(found.value)


def test_a_tracker_makes_no_stage_out_of_date():
    assert not affects_result(Recipe, "tracking")
    assert load_recipe(None, ["tracking.wandb.project=p"]).tracking.wandb.project == "p"

"""Preflight, ports, progress, metrics."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace

import psutil
import pytest
from ray.job_submission import JobStatus

from cluster import local_job
from cluster.connection import ClusterError
from cluster.head import Head, free_ports, running_dashboard, start_head
from cluster.metrics import MetricsSink
from cluster.placement import check_cluster
from cluster.progress import clock, render
from dragoman.learner.model import build_model
from dragoman.pipeline.model_source import shape_of
from dragoman.pipeline.placement import placements
from dragoman.recipes import load_recipe


def test_parameter_count_is_that_of_the_model():
    recipe = load_recipe()
    model = build_model(recipe.model, recipe.model.vocabulary_size, 4, 0, 0)
    actual = sum(p.numel() for p in model.parameters())
    assert shape_of(recipe).parameters == pytest.approx(actual, rel=0.01)  # norms are left out


def test_a_run_that_does_not_fit_is_refused_with_numbers(monkeypatch):
    import ray

    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    monkeypatch.setattr(ray, "available_resources", lambda: {"CPU": 2.0})
    monkeypatch.setattr(ray, "nodes", lambda: [{}])
    with pytest.raises(ClusterError, match=r"need 4\.5 CPUs, the cluster has 2 and 2 are free.*lower learner\.ranks"):
        check_cluster(
            placements(load_recipe(None, ["learner.ranks=4", "learner.cpus_per_rank=1", "rollout.cpus_per_worker=0.5"]))
        )
    with pytest.raises(ClusterError, match=r"need 2 GPUs, the cluster has 0 and 0 are free"):
        check_cluster(placements(load_recipe(None, ["learner.gpus_per_rank=1"])))
    with pytest.raises(ClusterError, match=r"needs about \d+\.\d GiB of memory.*rollout\.kv_cache_gib"):
        check_cluster(placements(load_recipe(None, ["rollout.kv_cache_gib=900"])))
    check_cluster(placements(load_recipe()))


def test_zero_shards_lower_the_expected_memory_of_a_rank():
    plain, sharded = (
        next(
            p.memory_gib
            for p in placements(load_recipe(None, ["model.hidden_size=4096", "model.layers=32", *o]))
            if p.role == "learner"
        )
        for o in ([], ["learner.zero_stage=3"])
    )
    assert sharded < plain


def test_free_ports_are_distinct_and_out_of_reach_of_whoever_takes_any_port(monkeypatch, tmp_path):
    monkeypatch.setattr("cluster.head.EPHEMERAL", tmp_path / "range")
    (tmp_path / "range").write_text("32768\t60999\n")
    ports = free_ports(5)
    assert len(set(ports)) == 5 and all(20_000 <= port < 32_768 for port in ports)


@pytest.mark.parametrize("said", ["1024\t65535\n", None])
def test_free_ports_where_the_kernel_leaves_no_quiet_range(monkeypatch, tmp_path, said):
    monkeypatch.setattr("cluster.head.EPHEMERAL", tmp_path / "range")
    if said:
        (tmp_path / "range").write_text(said)
    assert len({port for port in free_ports(5) if port > 0}) == 5


def test_a_port_somebody_listens_on_is_not_offered(monkeypatch, tmp_path):
    (taken, free) = free_ports(2)
    monkeypatch.setattr("cluster.head.random.sample", lambda quiet, count: [taken, free])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", taken))
        listener.listen()
        assert free_ports(1) == [free]


def test_a_machine_without_free_ports_is_told_so():
    # a process that may open no further file has no socket to ask with
    code = (
        "import resource, cluster.head as h\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "try:\n    h.free_ports(4)\nexcept h.ClusterError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "no free port on this machine" in done.stdout and "stop a service" in done.stdout, done.stderr


def ends_at_once(folder):
    folder.mkdir()
    with (folder / "head.log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", "echo raylet is missing; exit 3"], stdout=log, stderr=log, start_new_session=True
        )
    return Head(process, "http://127.0.0.1:1", 1, folder), 1


def test_a_head_that_ends_while_starting_is_started_again_and_then_told_of(monkeypatch, tmp_path, capsys):
    folders = [tmp_path / name for name in "abc"]
    unused = iter(folders)
    monkeypatch.setattr("cluster.head._launch", lambda cpus: ends_at_once(next(unused)))
    with pytest.raises(ClusterError, match=r"ended while starting, 3 times(.|\n)*raylet is missing"):
        start_head()
    assert capsys.readouterr().out.count("starting another") == 2
    assert [folder.exists() for folder in folders] == [False, False, True]  # the logs of the last one stay


def test_a_head_that_does_not_come_up_in_time_is_ended(monkeypatch, tmp_path):
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (tmp_path / "head.log").write_text("still loading")
    monkeypatch.setattr("cluster.head._launch", lambda cpus: (Head(process, "http://127.0.0.1:1", 1, tmp_path), 1))
    with pytest.raises(ClusterError, match=r"did not come up within 0\.5 s(.|\n)*still loading"):
        start_head(deadline_s=0.5)
    assert process.poll() is not None


def test_a_head_does_not_outlive_the_command_that_is_stopped_while_it_starts(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        environment.pop(name, None)
    # as if no head ran on the usual port
    code = (
        "import sys, cluster.local_job as job\njob.running_dashboard = lambda: None\n"
        "sys.exit(job.main(['--', 'nothing.py']))"
    )
    command = subprocess.Popen([sys.executable, "-u", "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    assert command.stdout is not None and command.stdout.readline() == "starting a local Ray head\n"
    deadline = time.monotonic() + 60
    while not (heads := processes_naming(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert heads
    command.send_signal(signal.SIGTERM)
    assert command.wait(60) == 130
    assert "stopped" in command.stdout.read()
    assert not processes_naming(tmp_path) and not list(tmp_path.iterdir())


def processes_naming(folder):
    """Processes with the folder in their command line."""
    named = [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]
    return [p for p in named if p.status() != psutil.STATUS_ZOMBIE]


def test_a_named_dashboard_that_does_not_answer_is_no_reason_to_take_another(monkeypatch):
    (port,) = free_ports(1)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", f"http://127.0.0.1:{port + 1}")
    with pytest.raises(ClusterError, match=r"no Ray dashboard answers at http://127\.0\.0\.1.*RAY_API_SERVER_ADDRESS"):
        running_dashboard()


def test_progress_line_has_bar_figures_and_eta():
    line = render("sft", 30, 120, eta_s=65, elapsed_s=22, values={"loss": 1.234, "tokens/s": 8123.0})
    assert line.split() == [
        "sft",
        "━" * 6 + "╌" * 18,
        "30/120",
        "loss",
        "1.23",
        "tokens/s",
        "8,123",
        "0:22",
        "ETA",
        "1:05",
    ]
    assert clock(3723) == "1:02:03"


def test_metrics_reach_file_tensorboard_and_gauges(tmp_path, monkeypatch):
    import ray.util.metrics

    seen = {}

    class Gauge:
        def __init__(self, name, description, tag_keys):
            self.name = name

        def set(self, value, tags):
            seen[self.name] = (value, tags)

    monkeypatch.setattr(ray.util.metrics, "Gauge", Gauge)
    sink = MetricsSink(tmp_path, "r")
    sink.log("rl", 3, {"reward/math": 0.5, "loss": float("nan")})
    sink.close()
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert (line["stage"], line["step"], line["reward/math"], line["loss"]) == ("rl", 3, 0.5, None)
    assert seen["dragoman_reward_math"] == (0.5, {"run": "r", "stage": "rl"})
    assert seen["dragoman_step"][0] == 3
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard" / "rl"))
    events.Reload()
    assert events.Scalars("reward/math")[0].value == 0.5


def test_a_resumed_stage_has_every_step_once_in_tensorboard_too(tmp_path, monkeypatch):
    import ray.util.metrics
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setattr(ray.util.metrics, "Gauge", lambda *_, **__: SimpleNamespace(set=lambda *_, **__: None))
    for stage, steps, value in (("cpt", range(9), 1.0), ("rl", range(6), 1.0)):
        sink = MetricsSink(tmp_path, "r")
        for step in steps:
            sink.log(stage, step, {"loss": value})
        sink.close()
    resumed = MetricsSink(tmp_path, "r")
    resumed.rewind("rl", 4)
    for step in (4, 5, 6):
        resumed.log("rl", step, {"loss": 2.0})
    resumed.close()
    found = {}
    for stage in ("cpt", "rl"):
        events = EventAccumulator(str(tmp_path / "tensorboard" / stage))
        events.Reload()
        found[stage] = [(e.step, e.value) for e in events.Scalars("loss")]
    assert found["cpt"] == [(step, 1.0) for step in range(9)]  # the other stage keeps its later steps
    assert found["rl"] == [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)]


class HungClient:
    """A job whose log stops amid a line while the job goes on and ends, as when Ray's agent has locked itself up."""

    def __init__(self, *statuses: JobStatus) -> None:
        self.statuses = list(statuses)

    async def tail_job_logs(self, job: str) -> AsyncIterator[str]:
        yield "step 1\nste"
        await asyncio.Event().wait()

    def get_job_status(self, job: str) -> JobStatus:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


def test_a_log_that_falls_silent_is_given_up_when_the_job_is_over_and_not_before(monkeypatch, capsys):
    monkeypatch.setattr(local_job, "SILENCE_S", 0.05)
    client = HungClient(JobStatus.RUNNING, JobStatus.RUNNING, JobStatus.SUCCEEDED)
    local_job._watch(client, "j")
    assert client.statuses == [JobStatus.SUCCEEDED]
    printed = capsys.readouterr().out
    assert printed.startswith("step 1\nste[the job is over, but") and "job-driver-j.log" in printed

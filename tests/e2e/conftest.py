"""One head and one finished run for all these tests."""

import contextlib
import json
import shutil
import time

import pytest

from tests.e2e.short_run import finish, get, submit


@pytest.fixture(scope="session")
def head():
    from cluster.head import start_head

    found = start_head(cpus=2)
    yield found
    found.stop()


@pytest.fixture(scope="session")
def output(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def run(head, output):
    """One finished run, with what the dashboard and the metrics port said while RL was going on."""
    process = submit(head, output, wait=False)
    folder, seen = output / "short", {}
    deadline = time.monotonic() + 1200
    while process.poll() is None and time.monotonic() < deadline:
        metrics = folder / "metrics.jsonl"
        if "actors" not in seen and metrics.exists() and '"stage": "rl", "step": 2' in metrics.read_text():
            with contextlib.suppress(TimeoutError):  # a busy dashboard is asked again; the tests look for the answer
                found = json.loads(get(f"{head.dashboard}/api/v0/actors?limit=200&detail=1"))
                seen["actors"] = {a["name"] for a in found["data"]["result"]["result"] if a["state"] == "ALIVE"}
        if "actors" in seen and "ray_dragoman_reward_mean" not in seen.get("metrics", ""):
            seen["metrics"] = get(f"http://127.0.0.1:{head.metrics_port}/metrics")
        time.sleep(0.3)
    code, text = finish(process)
    assert code == 0, f"{text}\nthe head's log:\n{(head.folder / 'head.log').read_text(errors='replace')}"
    shutil.copytree(folder, output / "untouched")
    return folder, text, seen


@pytest.fixture(scope="session")
def untouched(run, output):
    """A copy of the finished run as it was at first: tests go on with the run itself."""
    return output / "untouched"

"""A run of the tests' short recipe as a process whose console and children are watched; for benches that disturb it.

It starts a Ray of its own, evaluates nothing, and says what `rl/train.py` says.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
SHORT = ROOT / "tests/e2e/short.yaml"
LIMIT_S = 600.0
TITLES = {
    "rollout": "ray::RolloutWorker",
    "engine": "VLLM::EngineCore",
    "sync": "VLLM::EngineCore",
    "reward": "ray::RewardWorker",
    "learner": "ray::LearnerRank",
}
DRIVER = (
    "import json, sys\n"
    "from pathlib import Path\n"
    "from dragoman.pipeline import run_command as command\n"
    "recipe, folder = command.open_recipe(Path(sys.argv[1]), json.loads(sys.argv[3]), sys.argv[2], None)\n"
    "command.execute(recipe, folder, until=sys.argv[4], evaluated=False, dry_run=False)\n"
)


class Job:
    """The command, its console with times, and the processes below it."""

    def __init__(self, output: Path, settings: Sequence[str], until: str) -> None:
        self.lines: list[tuple[float, str]] = []
        self.console = output / "console.txt"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environment.pop("RAY_ADDRESS", None)
        environment.setdefault("RAY_worker_niceness", "0")  # as nice as this script, not nicer
        command = [sys.executable, "-u", "-c", DRIVER, str(SHORT), str(output), json.dumps(settings), until]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append((time.monotonic(), line))
            with self.console.open("a") as file:
                file.write(line)

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def below(self) -> list[psutil.Process]:
        """Everything under the driver."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def of_role(self, role: str) -> list[psutil.Process]:
        """Processes by the title that Ray and vLLM give them; one that still starts has none of these."""
        return [p for p in self.below() if title(p).startswith(TITLES[role]) and "__init__" not in title(p)]

    def said(self, text: str, since: float) -> float | None:
        """When the console first had a text."""
        return next((at for at, line in list(self.lines) if at >= since and text in line), None)

    def tail(self) -> str:
        return "".join(line for _, line in self.lines[-30:])


def title(process: psutil.Process) -> str:
    """A process's command line, empty when it is gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def wait_for(condition: Callable[[], object], job: Job, seconds: float = LIMIT_S, pause_s: float = 0.02) -> bool:
    """Until a callable gives something true; False when the job is over or the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not job.over:
        if condition():
            return True
        time.sleep(pause_s)
    return bool(condition())


def ended(processes: Sequence[psutil.Process], seconds: float) -> bool:
    """Whether all of these are gone within so many seconds; those that are not are named and killed."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        print(f"left behind: {process.pid} {title(process)[:80]}")
        process.kill()
    return not alive


def finish(job: Job) -> None:
    """Wait for the end, and for every process; an error when the run failed."""
    below: dict[int, psutil.Process] = {}

    def over() -> bool:
        below.update({p.pid: p for p in job.below()})
        return job.over

    wait_for(over, job, LIMIT_S, 0.5)
    job.reader.join(10)
    if job.process.poll() != 0:
        job.process.kill()
        ended(list(below.values()), 5)
        raise SystemExit(f"the run failed:\n{job.tail()}")
    if not ended(list(below.values()), 10):
        raise SystemExit("processes were left behind 10 s after the end of the run")

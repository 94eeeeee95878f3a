"""A local Ray head with its dashboard, for people who have none running; ended by the process that started it.

`ray start --block` in a child process: ending that process ends this head and no other (`ray stop` would
end every Ray of the machine).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from cluster.connection import ClusterError

FIRST_PORT = 8265


@dataclass(frozen=True)
class Head:
    """A head this process started."""

    process: subprocess.Popen[bytes]
    dashboard: str
    """http://127.0.0.1:port"""
    metrics_port: int
    folder: Path
    """Ray's session and logs, and what `ray start` printed; the caller removes it."""

    def stop(self) -> None:
        """End the head and everything under it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)


def running_dashboard() -> str | None:
    """Address of the dashboard in RAY_API_SERVER_ADDRESS, else of one on this machine's default port, else None.

    Raises `ClusterError` when the named one does not answer: its job must not land on another cluster.
    """
    named = os.environ.get("RAY_API_SERVER_ADDRESS") or os.environ.get("RAY_ADDRESS", "")
    if named.startswith("http"):
        if not _answers(named):
            raise ClusterError(
                f"no Ray dashboard answers at {named} (from RAY_API_SERVER_ADDRESS or RAY_ADDRESS); start that head, "
                "or unset the variable to use this machine"
            )
        return named
    usual = f"http://127.0.0.1:{FIRST_PORT}"
    return usual if _answers(usual) else None


def start_head(cpus: int | None = None, deadline_s: float = 120.0) -> Head:
    """Start a head on free ports; returns when its dashboard answers.

    Raises `ClusterError` with the end of its log when it does not come up.
    """
    gcs, dashboard, metrics, agent, client = free_ports(5)
    folder = Path(tempfile.mkdtemp(prefix="dragoman-head-"))
    log = folder / "head.log"
    binaries = Path(sys.executable).parent
    command = [
        str(binaries / "ray"), "start", "--head", "--block", "--port", str(gcs),
        "--dashboard-host", "127.0.0.1", "--dashboard-port", str(dashboard),
        "--metrics-export-port", str(metrics), "--disable-usage-stats",
        # the agent takes jobs; its usual port is taken where another Ray runs, and then no job can be submitted
        "--dashboard-agent-listen-port", str(agent),
        # where another Ray has the client server's usual port, ours exits, and `--block` takes the head down with it
        "--ray-client-server-port", str(client),
        # Ray tells a job to join the head that was started last in its temporary folder: this one needs its own,
        # or a job submitted here runs on the next head that somebody starts
        "--temp-dir", str(folder / "ray"),
    ]  # fmt: skip
    if cpus is not None:
        command += ["--num-cpus", str(cpus)]
    environment = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    head = Head(process, f"http://127.0.0.1:{dashboard}", metrics, folder)
    began = time.monotonic()
    while not (_answers(head.dashboard) and _answers(head.dashboard, "/api/jobs/")):
        if process.poll() is not None or time.monotonic() - began > deadline_s:
            head.stop()
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise ClusterError(f"the Ray head did not come up within {deadline_s:g} s; the end of its log:\n{tail}")
        time.sleep(0.3)
    return head


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now; the dashboard's usual one first if it is free.

    Raises `ClusterError` when the machine has none left.
    """
    probes = []
    try:
        for _ in range(count):
            probe = socket.socket()
            probes.append(probe)
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    except OSError as error:
        raise ClusterError(f"no free port on this machine: {error}; stop a service or free some ports") from error
    finally:
        for probe in probes:
            probe.close()


def _answers(address: str, path: str = "/api/version") -> bool:
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False

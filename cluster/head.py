"""A local Ray head with its dashboard, for people who have none running; ended by the process that started it.

`ray start --block` in a child process: ending that process ends this head and no other (`ray stop` would
end every Ray of the machine).
"""

import os
import random
import shutil
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
LOOPBACK = "127.0.0.1"
RAY_WORKERS_LAST_PORT = 19_999
"""Ray gives its workers ports from 10002 to here."""
METRICS = {"RAY_enable_open_telemetry": "0"}
"""Ray's older way to its metrics, unless the user chose. The newer one of Ray 2.55 locks up its agent for ever, log
streams and the taking of jobs with it, when Prometheus asks while a metric is registered (pull request 64946)."""
RAY_WITHOUT_CLIENT = (
    "import ray.scripts.scripts as ray\nray.get_ray_client_dependency_error = lambda: 'not wanted here'\nray.main()\n"
)
"""Ray's command line, told that Ray Client cannot be had. `ray start` has no option for that, and the server it starts
for Ray Client, which nothing here uses, gives up when the node is not there within 30 s (on a busy machine it is not)
or its port is taken; `--block` then takes the head down with it, after the dashboard has answered."""
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


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
    usual = f"http://{LOOPBACK}:{FIRST_PORT}"
    return usual if _answers(usual) else None


def start_head(cpus: int | None = None, deadline_s: float = 300.0, attempts: int = 3) -> Head:
    """Start a head on free ports; returns when every part of it answers.

    On a busy machine a part of Ray may give up waiting for another after 30 s, and all end: then another head is
    started. Raises `ClusterError` with the end of the log when the last attempt, too, ends or misses the deadline.
    """
    for attempt in range(attempts):
        head, agent = _launch(cpus)
        try:
            if _came_up(head, agent, deadline_s):
                return head
        except BaseException:  # Ctrl-C, above all: nobody else knows of this head
            head.stop()
            shutil.rmtree(head.folder, ignore_errors=True)
            raise
        ended = head.process.poll() is not None
        head.stop()
        log = (head.folder / "head.log").read_text(errors="replace").splitlines()
        if not ended or attempt + 1 == attempts:
            break
        shutil.rmtree(head.folder, ignore_errors=True)
        print("the Ray head ended while it was starting; starting another", flush=True)
    tail = "\n".join(log[-15:])
    what = f"ended while starting, {attempts} times" if ended else f"did not come up within {deadline_s:g} s"
    raise ClusterError(f"the Ray head {what}; its files are in {head.folder}; the end of head.log:\n{tail}")


def _came_up(head: Head, agent: int, deadline_s: float) -> bool:
    """Wait until every part answers; False when the head ended or the time is over."""
    began = time.monotonic()
    while head.process.poll() is None and time.monotonic() - began < deadline_s:
        if _answers(head.dashboard) and _answers(head.dashboard, "/api/jobs/") and _listens(agent):
            return True
        time.sleep(0.3)
    return False


def _launch(cpus: int | None) -> tuple[Head, int]:
    """Start the process; the head and the port of its agent, which takes jobs."""
    gcs, dashboard, metrics, agent = free_ports(4)
    folder = Path(tempfile.mkdtemp(prefix="dragoman-head-"))
    binaries = Path(sys.executable).parent
    command = [
        sys.executable, "-c", RAY_WITHOUT_CLIENT, "start", "--head", "--block", "--port", str(gcs),
        "--dashboard-host", LOOPBACK, "--dashboard-port", str(dashboard),
        "--metrics-export-port", str(metrics), "--disable-usage-stats",
        # its usual port is taken where another Ray runs, and then no job can be submitted
        "--dashboard-agent-listen-port", str(agent),
        # Ray tells a job to join the head that was started last in its temporary folder: this one needs its own,
        # or a job submitted here runs on the next head that somebody starts
        "--temp-dir", str(folder / "ray"),
    ]  # fmt: skip
    if cpus is not None:
        command += ["--num-cpus", str(cpus)]
    environment = METRICS | os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    with (folder / "head.log").open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    return Head(process, f"http://{LOOPBACK}:{dashboard}", metrics, folder), agent


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now.

    They are used some seconds later, so they come from a range that neither the kernel (for outgoing connections)
    nor a Ray (for its workers) takes ports from by itself; where the kernel leaves no such range, from anywhere.
    Raises `ClusterError` when the machine has none left.
    """
    probes: list[socket.socket] = []
    try:
        quiet = range(RAY_WORKERS_LAST_PORT + 1, _first_ephemeral_port())
        candidates = [*random.sample(quiet, min(len(quiet), 50 * count)), *[0] * count]
        for candidate in candidates:
            if len(probes) == count:
                break
            probe = socket.socket()
            if _bound(probe, candidate):
                probes.append(probe)
            else:
                probe.close()
        return [probe.getsockname()[1] for probe in probes]
    except OSError as error:
        raise ClusterError(f"no free port on this machine: {error}; stop a service or free some ports") from error
    finally:
        for probe in probes:
            probe.close()


def _bound(probe: socket.socket, port: int) -> bool:
    """Bind; False where the port is taken. Port 0, the kernel's choice, is never taken: its failure is raised."""
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        if port == 0:
            raise
        return False
    return True


def _first_ephemeral_port() -> int:
    """First port the kernel gives to outgoing connections (1 where it does not say)."""
    return int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 1


def _answers(address: str, path: str = "/api/version") -> bool:
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=2).close()
    except OSError:
        return False
    return True

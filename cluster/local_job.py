"""Submit a script as a Ray job, show its output, and stop what was started for it.

    python -m cluster.local_job [--working-dir DIR] -- rl/train.py [arguments]

Uses the Ray head whose dashboard answers; if there is none, starts one for the length of the job. Ctrl-C
stops the job. The exit code is 0 when the job succeeded.
"""

import argparse
import asyncio
import shlex
import shutil
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from cluster.connection import ClusterError
from cluster.head import running_dashboard, start_head

CODE = Path(__file__).resolve().parents[1]
SILENCE_S = 10.0
"""Silence of a job's log after which is asked whether the job is over"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m cluster.local_job", description=__doc__)
    parser.add_argument("--working-dir", help="ship this folder with the job (any cluster); default: run in place")
    parser.add_argument("--cpus", type=int, help="CPUs of the head that is started; default: all of the machine")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="-- script.py arguments")
    options = parser.parse_args(arguments)
    script = options.script[1:] if options.script[:1] == ["--"] else options.script
    if not script:
        parser.error("give a script after --, for instance: -- rl/train.py")
    for number in (signal.SIGTERM, signal.SIGHUP):  # from the start: a head must not outlive who started it
        signal.signal(number, _interrupt)
    try:
        return _run(script, options.working_dir, options.cpus)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 130


def entrypoint(script: list[str], working_dir: str | None) -> str:
    """The job's command line. In place it changes into the code's folder first, wherever the head runs."""
    command = shlex.join([sys.executable, "-u", *script])
    return command if working_dir else f"cd {shlex.quote(str(CODE))} && {command}"


def _run(script: list[str], working_dir: str | None, cpus: int | None) -> int:
    address = running_dashboard()
    head = None
    code = 1
    try:
        if address is None:
            print("starting a local Ray head", flush=True)
            head = start_head(cpus)
            address = head.dashboard
            print(f"metrics: http://127.0.0.1:{head.metrics_port}/metrics", flush=True)
        print(f"dashboard: {address}", flush=True)
        code = _submit(address, script, working_dir)
        return code
    finally:
        if head is not None:
            head.stop()
            if code == 0:
                shutil.rmtree(head.folder, ignore_errors=True)
            else:
                print(f"Ray's logs stay in {head.folder}", flush=True)


def _submit(address: str, script: list[str], working_dir: str | None) -> int:
    from ray.job_submission import JobStatus

    client = _client(address)
    runtime = {"working_dir": working_dir} if working_dir else {}
    job = _submit_when_ready(client, entrypoint(script, working_dir), runtime)
    print(f"job: {job}", flush=True)
    try:
        _watch(client, job)
    except KeyboardInterrupt:
        print("stopping the job; the same command goes on where it was", flush=True)
        client.stop_job(job)
        return 130
    status = client.get_job_status(job)
    if status != JobStatus.SUCCEEDED:
        print(f"job {job}: {status}: {client.get_job_info(job).message}", file=sys.stderr, flush=True)
        return 1
    return 0


def _submit_when_ready(client: Any, command: str, runtime: dict[str, Any], deadline_s: float = 60.0) -> str:
    """Submit; a head that has just started may drop the first requests. The fixed id keeps it one job."""
    import requests

    name = f"dragoman-{uuid.uuid4().hex[:12]}"
    began = time.monotonic()
    while True:
        try:
            return str(client.submit_job(entrypoint=command, runtime_env=runtime, submission_id=name))
        except (requests.exceptions.ConnectionError, RuntimeError) as error:
            if any(job.submission_id == name for job in _jobs(client)):
                return name
            if time.monotonic() - began > deadline_s:
                raise ClusterError(f"the Ray head did not take the job within {deadline_s:g} s: {error}") from error
            time.sleep(1)


def _jobs(client: Any) -> list[Any]:
    import requests

    try:
        return list(client.list_jobs())
    except (requests.exceptions.ConnectionError, RuntimeError):
        return []  # not ready either; the caller's deadline decides


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _watch(client: Any, job: str) -> None:
    """Show the job's output until the job is over; a lost log stream is taken up again without repeating."""
    shown = 0
    while True:
        try:
            shown = asyncio.run(_follow(client, job, shown))
        except RuntimeError as error:
            print(f"[the log stream broke off: {error}; the job goes on]", flush=True)
        if client.get_job_status(job).is_terminal():
            return
        time.sleep(1)


async def _follow(client: Any, job: str, skip: int) -> int:
    """Print the log from character `skip` on; returns how much of it has been seen.

    The stream comes from Ray's agent, which can hang for ever (Ray before 2.57, when Prometheus asks it at a wrong
    moment: pull request 64946); the head, which knows the job's status, does not. Then the end of the log is missing.
    """
    seen, stream = 0, client.tail_job_logs(job)
    while (text := await _next_or_over(client, job, stream)) is not None:
        print(text[max(0, skip - seen) :], end="", flush=True)
        seen += len(text)
    return max(seen, skip)


async def _next_or_over(client: Any, job: str, stream: Any) -> str | None:
    """The next piece of a log; None at its end, or when the job is over and nothing more comes."""
    piece = asyncio.ensure_future(anext(stream, None))
    while not (await asyncio.wait({piece}, timeout=SILENCE_S))[0]:
        if client.get_job_status(job).is_terminal():
            piece.cancel()
            print(
                f"[the job is over, but Ray's agent sends no more of its log; all of it: job-driver-{job}.log in the "
                "logs of Ray's session]",
                flush=True,
            )
            return None
    return piece.result()


def _client(address: str) -> Any:
    from ray.job_submission import JobSubmissionClient

    try:
        return JobSubmissionClient(address)
    except RuntimeError as error:
        raise ClusterError(
            f"the Ray head at {address} does not fit this environment: {error}. Start a head from this "
            "environment (`.venv/bin/ray start --head`), or install its version of Ray"
        ) from error


if __name__ == "__main__":
    sys.exit(main())

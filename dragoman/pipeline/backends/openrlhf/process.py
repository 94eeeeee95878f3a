"""OpenRLHF's trainer as a process of its own, which ends with us and says why it failed."""

import asyncio
import ctypes
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from dragoman.errors import DragomanError

MODULE = "openrlhf.cli.train_ppo_ray"
LOOK_S = 2.0
_ERROR = re.compile(r"^(?:.*\b)?([A-Za-z_.]*(?:Error|Exception|Failure))\b(.*)$")


class OpenRlhfError(DragomanError):
    """OpenRLHF's trainer did not finish; the text names the log and what stood there last."""


async def run_trainer(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str], look: Callable[[], Awaitable[None]]
) -> None:
    """Run it to its end with its output in `log`; `look` is called every other second. OpenRlhfError if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-u", "-m", MODULE, *arguments,
            stdout=output, stderr=output, stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, **environment}, preexec_fn=_die_with_parent,
        )  # fmt: skip
    try:
        while process.returncode is None:
            try:
                await asyncio.wait_for(process.wait(), LOOK_S)
            except TimeoutError:
                await look()
        await look()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise OpenRlhfError(
            f"OpenRLHF's trainer ended with {process.returncode}: {last_error(log)}; its output is in {log}. The same "
            "command goes on from its last checkpoint"
        )


def last_error(log: Path) -> str:
    """The last line of a log that names an error, else its last line."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if _ERROR.match(line)]
    return (named or lines or ["it printed nothing"])[-1][:500]


def _die_with_parent() -> None:
    """prctl(PR_SET_PDEATHSIG): the trainer, and with it its actors, must not outlive a driver that was killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)

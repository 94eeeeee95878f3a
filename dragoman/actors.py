"""The processes behind Ray's actors: who they are, ending them for certain, and what they are doing.

`ray.kill` asks a process to end itself, which one that hangs or was stopped does not do; its engine or children would
live on. So an actor tells its process when it starts, and that process, with all below it, is killed on its node.
Where DRAGOMAN_STACKS names a folder, an actor writes the stacks of all its threads there on SIGUSR1, even while it
holds the interpreter lock. psutil is not there in every environment that rewards run in, so only those who need it
import it.
"""

import asyncio
import ctypes.util
import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.util.placement_group import PlacementGroup
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy, PlacementGroupSchedulingStrategy

DEATHS = (ray.exceptions.RayActorError, ray.exceptions.OutOfMemoryError, ray.exceptions.NodeDiedError)
"""What a call ends with when its actor is gone"""
CATCH_UP_S = 0.5
LOOK_S = 1.0
"""Between two looks whether a process that is waited for was stopped"""
STACKS = "DRAGOMAN_STACKS"


@dataclass(frozen=True)
class ActorProcess:
    """A process of the cluster."""

    node: str
    pid: int
    began: float | None = None
    """Its start, if known: the kernel gives process numbers again"""


@dataclass(frozen=True)
class Wait:
    """Something that a part of the system waits for."""

    name: str
    seconds: float
    members: tuple[str, ...]
    processes: tuple[ActorProcess, ...] = ()


@dataclass(frozen=True)
class Places:
    """Where the actors of a role run: each in the bundle of a placement group that has its number, or anywhere."""

    group: PlacementGroup | None = None

    def of(self, number: int) -> PlacementGroupSchedulingStrategy | None:
        """Ray's scheduling strategy of an actor."""
        return None if self.group is None else PlacementGroupSchedulingStrategy(self.group, number)


ANYWHERE = Places()


def this_process() -> ActorProcess:
    """Of the actor that calls it."""
    import psutil

    own = psutil.Process()
    return ActorProcess(ray.get_runtime_context().get_node_id(), own.pid, own.create_time())


def end_actor(actor: Any, process: ActorProcess | None) -> None:
    """Kill an actor for good, with every process below it; returns at once."""
    if process is not None:
        end_process(process)
    ray.kill(actor)


def end_process(process: ActorProcess) -> None:
    """Kill a process and every one below it, without a word to Ray, which may start the actor again."""
    _on_node(process, _end_tree)


async def answer_within(reference: Any, seconds: float, process: ActorProcess | None) -> Any:
    """What an actor answers to a ping; None when it does not, though this process was there to hear it, and at once
    where somebody stopped the actor's process."""
    reply, until = asyncio.ensure_future(_answer(reference)), time.monotonic() + seconds
    while not reply.done() and (left := until - time.monotonic()) > 0:
        await asyncio.wait({reply}, timeout=min(LOOK_S, left))
        if process is not None and is_stopped(process):
            break
    if not reply.done():
        await asyncio.sleep(CATCH_UP_S)  # if this loop was busy all the time, the answer may be there and not heard yet
    if reply.done():
        return reply.result()
    reply.cancel()
    return None


async def _answer(reference: Any) -> Any:
    return await reference


def told(error: BaseException) -> str:
    """The first line of what Ray says of a death; the rest is numbers."""
    return next(iter(str(error).splitlines()), "")


def is_stopped(process: ActorProcess) -> bool:
    """Whether somebody stopped a process of this node (SIGSTOP); False for one of another node, which cannot be looked
    at from here."""
    return process.node == ray.get_runtime_context().get_node_id() and is_stopped_here(process.pid)


def is_stopped_here(pid: int) -> bool:
    """Of a process of this machine. One that a debugger or profiler holds is not counted: that is soon over."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def dump_stacks(process: ActorProcess) -> None:
    """Let a process and those below it that can write their stacks do so; returns at once."""
    _on_node(process, _signal_tree)


def write_stacks_on_signal(name: str) -> None:
    """From now on this process writes its stacks on SIGUSR1 to `<folder>/<name>.<pid>.txt`, if a folder is named."""
    folder = os.environ.get(STACKS)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        file = (Path(folder) / f"{name.replace('/', '-')}.{os.getpid()}.txt").open("a")
        faulthandler.register(signal.SIGUSR1, file=file, all_threads=True)


def end_with(pid: int, each_second: Callable[[], None]) -> None:
    """From now on this process ends within a second of its parent, and of the process `pid`, however that ends; and
    calls a function once a second as long as it runs."""
    import psutil

    parent, above = os.getppid(), psutil.Process(pid) if psutil.pid_exists(pid) else None

    def watch() -> None:
        while os.getppid() == parent and above is not None and above.is_running():
            each_second()
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


def allocator() -> dict[str, str]:
    """The environment of a process on CPU that takes tcmalloc in place of glibc's allocator, where the machine has it
    and the user asks for nothing else: glibc 2.36 hardly uses again what torch frees, and a learner grows to twice of
    what it holds, an engine in 500 steps by 16 % where it was 11 with this (docs/results.md)."""
    found = ctypes.util.find_library("tcmalloc_minimal")
    return {"LD_PRELOAD": found} if found and "LD_PRELOAD" not in os.environ else {}


def _on_node(process: ActorProcess, work: Callable[[ActorProcess], None]) -> None:
    if process.node == ray.get_runtime_context().get_node_id():
        work(process)
        return
    there = NodeAffinitySchedulingStrategy(process.node, soft=False)
    ray.remote(work).options(num_cpus=0, scheduling_strategy=there).remote(process)


def _tree(process: ActorProcess) -> list[Any]:
    """The process and all below it, if it still runs."""
    import psutil

    try:
        found = psutil.Process(process.pid)
        same = process.began is None or abs(found.create_time() - process.began) < 1
        return [found, *found.children(recursive=True)] if same else []
    except psutil.NoSuchProcess:
        return []


def _end_tree(process: ActorProcess) -> None:
    _send(process, signal.SIGKILL)


def _signal_tree(process: ActorProcess) -> None:
    """Only to those that catch it: the signal's usual effect is death."""
    for found in _tree(process):
        if _catches(found.pid, signal.SIGUSR1):
            os.kill(found.pid, signal.SIGUSR1)


def _send(process: ActorProcess, number: signal.Signals) -> None:
    import psutil

    for found in _tree(process):
        try:
            found.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _catches(pid: int, number: signal.Signals) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (number - 1) & 1)

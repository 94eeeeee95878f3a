"""How many untrusted programs the code sandbox judges in a second, and that a hostile soak leaves nothing
behind.

Both sides run in one go: our sandbox (namespaces, seccomp, limits, verdict outside), and a fresh interpreter
for each program without any isolation, as the graders that fork `python` do it. `--soak N` adds N programs
of the attack suite in a row and counts rewarded cheats and leaked processes, files, mounts, descriptors and memory.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rewards.sandbox import Case, Job, Limits, Sandbox  # noqa: E402

PROGRAM = "def f(n):\n    return sum(i * i for i in range(n))\n"
INPUTS = (3, 10, 50)


def call_job(index: int) -> Job:
    cases = [Case([n + index % 7], expected=sum(i * i for i in range(n + index % 7))) for n in INPUTS]
    return Job(str(index), "call", PROGRAM, "f", cases)


def plain_interpreter(index: int) -> bool:
    shift = index % 7
    code = PROGRAM + f"print([f(n + {shift}) for n in {INPUTS}])"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip() == str([sum(i * i for i in range(n + shift)) for n in INPUTS])


def measure(runs: int, workers: int, once: Callable[[int, int], bool]) -> dict[str, float]:
    """Executions a second and latencies, with `workers` threads that each run their share."""
    latencies: list[float] = []

    def share(worker: int) -> None:
        for index in range(worker, runs, workers):
            started = time.perf_counter()
            assert once(worker, index), f"run {index} was judged wrongly"
            latencies.append((time.perf_counter() - started) * 1000)

    started, cpu = time.perf_counter(), cpu_seconds()
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(share, range(workers)))
    latencies.sort()
    return {
        "runs_per_s": round(runs / (time.perf_counter() - started), 1),
        "p50_ms": round(latencies[len(latencies) // 2], 2),
        "p99_ms": round(latencies[int(0.99 * (len(latencies) - 1))], 2),
        "own_cpu_ms": round((cpu_seconds() - cpu) / runs * 1000, 2),
    }


def cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def soak(sandbox: Sandbox, runs: int) -> dict[str, Any]:
    cheats = load_cheats()
    programs = [code for name, code in cheats.CHEATS.items() if name not in cheats.BURNERS and "loop" not in name]
    limits = Limits(cpu_s=1)
    rewarded = 0
    before = (open_files(), resident_mib(), mounts(), temporary_files())
    for index in range(runs):
        code, mode = programs[index % len(programs)], ("call", "stdio", "assert")[index % 3]
        cases = [Case([3], expected=286, stdin="3\n")]
        if mode == "stdio":
            code, cases = code + cheats.TAIL, [Case(stdin="3\n", expected="286")]
        job = Job("s", mode, code, "f", cases, tests="assert f(3) == 286", limits=limits)  # type: ignore[arg-type]
        rewarded += sandbox.run(job).passed > 0
        if index % 500 == 499:
            print(f"  soak {index + 1}/{runs}: {rewarded} rewarded", flush=True)
    honest = all(sandbox.run(call_job(i)).reason == "PASS" for i in range(10))
    after = (open_files(), resident_mib(), mounts(), temporary_files())
    return {
        "runs": runs,
        "rewarded": rewarded,
        "honest_after": honest,
        "leaked_descriptors": after[0] - before[0],
        "harness_growth_mib": round(after[1] - before[1], 1),
        "leaked_mounts": after[2] - before[2],
        "leaked_files": len(after[3] - before[3]),
        "sandbox_processes_left": sandbox_processes(),
    }


def load_cheats() -> Any:
    spec = importlib.util.spec_from_file_location("cheats", ROOT / "tests" / "attacks" / "cheats.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def mounts() -> int:
    return len(Path("/proc/self/mountinfo").read_text().splitlines())


def temporary_files() -> set[str]:
    """What lies in the machine's temporary folders (other programs write there too: soak on a quiet machine)."""
    folders = {tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"}
    return {f"{folder}/{name}" for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)}


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / (1 << 20)


def sandbox_processes() -> int:
    """Living processes started by this one; each running sandbox has two (bubblewrap's, the zygote)."""
    count, parents = 0, {os.getpid()}
    for entry in sorted((e for e in os.listdir("/proc") if e.isdecimal()), key=int):
        try:
            state, parent = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) in parents and state != "Z":
            parents.add(int(entry))
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4, help="sandboxes at work at once")
    parser.add_argument("--soak", type=int, default=0, help="hostile programs to run in a row")
    options = parser.parse_args()
    sandboxes = [Sandbox() for _ in range(options.workers)]
    started = time.perf_counter()
    for sandbox in sandboxes:
        sandbox.start()
    print(
        f"{options.workers} sandboxes started and self-tested in {time.perf_counter() - started:.2f} s",
        flush=True,
    )
    figures: dict[str, Any] = {"load_average": round(os.getloadavg()[0], 2), "workers": options.workers}
    figures["sandbox"] = measure(
        options.runs, options.workers, lambda w, i: sandboxes[w].run(call_job(i)).reason == "PASS"
    )
    print("sandbox", figures["sandbox"], flush=True)
    figures["plain_interpreter"] = measure(options.runs // 4, options.workers, lambda w, i: plain_interpreter(i))
    print("plain interpreter, no isolation", figures["plain_interpreter"], flush=True)
    figures["ratio"] = round(figures["sandbox"]["runs_per_s"] / figures["plain_interpreter"]["runs_per_s"], 2)
    if options.soak:
        figures["soak"] = soak(sandboxes[0], options.soak)
    for sandbox in sandboxes:
        sandbox.close()
    versions = {"python": platform.python_version(), "kernel": platform.release()}
    command = "python bench/sandbox.py " + " ".join(sys.argv[1:])
    print(json.dumps({"bench": "sandbox", **figures, "versions": versions, "command": command.strip()}))


if __name__ == "__main__":
    main()

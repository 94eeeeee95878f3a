"""Prove the walls before the first reward: escapes must be blocked, forgeries refused, honest programs
passed.

Every probe (probes.yaml) is a program whose `probe()` returns "blocked" when the kernel refused it. It runs through the
same path as any solution. One miss refuses the start.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.text.tables import read_table
from rewards.errors import SandboxUnavailable
from rewards.sandbox.launcher import ENVIRONMENT
from rewards.sandbox.verdicts import Case, Job, Limits, Reason, Verdict

if TYPE_CHECKING:
    from rewards.sandbox.runner import Sandbox

PROBES = read_table(__file__, "probes")

_ENVIRONMENT = ("PWD", *ENVIRONMENT)
_LIMITS = Limits(cpu_s=2)


def self_test(sandbox: Sandbox) -> None:
    """SandboxUnavailable with every probe that was not blocked, or every honest program that failed."""
    with tempfile.NamedTemporaryFile("w", suffix=".canary") as file:
        file.write("readable by everybody on the host")
        file.flush()
        Path(file.name).chmod(0o644)
        misses = [f"could {name}: {_describe(v)}" for name, v in _escapes(sandbox, file.name) if not _passed(v)]
    for name, code in PROBES["forgeries"].items():
        verdict = sandbox.run(_job(code, "canary"))
        if verdict.passed or verdict.reason is Reason.SANDBOX_ERROR:
            misses.append(f"was fooled by '{name}': {_describe(verdict)}")
    honest = sandbox.run(_job(PROBES["honest"], "canary"))
    if not _passed(honest):
        misses.append(f"failed an honest program: {_describe(honest)}")
    if misses:
        raise SandboxUnavailable(
            "the code sandbox does not hold on this machine and refuses to start; an untrusted program "
            + "; ".join(misses)
        )


def _escapes(sandbox: Sandbox, canary: str) -> list[tuple[str, Verdict]]:
    escapes = {
        name: PROBES["attempt"].format(attempt=attempt.replace("ENVIRONMENT", repr(_ENVIRONMENT)))
        for name, attempt in PROBES["escapes"].items()
    }
    return [(name, sandbox.run(_job(code, canary))) for name, code in escapes.items()]


def _job(code: str, canary: str) -> Job:
    return Job("self-test", "call", code, "probe", [Case([canary], expected="blocked")], limits=_LIMITS)


def _passed(verdict: Verdict) -> bool:
    return verdict.reason is Reason.PASS


def _describe(verdict: Verdict) -> str:
    return f"{verdict.reason} {verdict.detail}".strip()

"""A machine that cannot isolate code gets no code rewards, and is told why. Each case is a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

START = "from rewards.sandbox import Sandbox\nSandbox().start()\n"


def start_in(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        [*command, sys.executable, "-c", START],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    return done.stderr


def test_without_bubblewrap_it_says_how_to_get_it() -> None:
    error = start_in([], PATH="/nonexistent")
    assert "SandboxUnavailable: code rewards need bubblewrap" in error and "apt-get install bubblewrap" in error


def test_where_no_user_namespace_can_be_made_it_refuses_and_names_the_setting() -> None:
    unshare = shutil.which("unshare")
    assert unshare, "unshare (util-linux) is part of every Linux system"
    forbid = [
        unshare,
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"',
        "-",
    ]
    error = start_in(forbid)
    assert "SandboxUnavailable" in error and "user.max_user_namespaces" in error

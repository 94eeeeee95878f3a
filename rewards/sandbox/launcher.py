"""The bubblewrap command that holds a zygote, and the interpreter it runs.

The zygote runs the interpreter of this environment (its base installation, without site-packages). As root
the whole thing is started under another uid, because the kernel exempts root from RLIMIT_NPROC; where that
user cannot reach the interpreter (it lies in a home folder), the system's python3 is taken instead.
"""

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from rewards.errors import SandboxUnavailable

FIRST_UID = 70_000
UIDS = 10_000
ENVIRONMENT = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
MODULES = ("wire", "walls", "job", "zygote")
BOOT = """
import json, os, socket, sys, types
os.closerange(3, 4096)
control = socket.socket(fileno=0)
length = int.from_bytes(control.recv(4), "big")
data = b""
while len(data) < length:
    data += control.recv(65536)
message = json.loads(data)
for name in ("rewards", "rewards.sandbox", "rewards.sandbox.inside"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, source in message["modules"]:
    full = "rewards.sandbox.inside." + name
    module = sys.modules[full] = types.ModuleType(full)
    setattr(sys.modules["rewards.sandbox.inside"], name, module)
    exec(compile(source, full, "exec"), module.__dict__)
sys.modules["rewards.sandbox.inside.zygote"].main(control, bytes.fromhex(message["filter"]))
"""


@dataclass(frozen=True)
class Launch:
    """How to start a zygote, and as whom (None: as this user)."""

    command: list[str]
    uid: int | None


def prepare_launch() -> Launch:
    """The command for this machine; SandboxUnavailable names what is missing and what to do."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise SandboxUnavailable(
            "code rewards need bubblewrap, and there is no `bwrap` on the PATH; install it (apt-get install "
            "bubblewrap) or leave out the rows with reward kind 'code'"
        )
    uid = FIRST_UID + os.getpid() % UIDS if os.geteuid() == 0 else None
    interpreter, prefix = choose_interpreter(other_user=uid is not None)
    command = [bwrap, "--unshare-all", "--as-pid-1", "--die-with-parent", "--new-session"]
    command += _system_folders()
    if not prefix.is_relative_to("/usr"):
        command += ["--ro-bind", str(prefix), str(prefix)]
    command += ["--proc", "/proc", "--dev", "/dev", "--dir", "/tmp"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    command += [str(interpreter), "-s", "-S", "-B", "-c", BOOT]
    return Launch(command, uid)


def choose_interpreter(other_user: bool) -> tuple[Path, Path]:
    """(interpreter, its installation): this environment's own, or the system's when other users cannot reach it."""
    own, prefix = Path(sys.executable).resolve(), Path(sys.base_prefix).resolve()
    if not other_user or is_reachable(prefix):
        return own, prefix
    for folder in ("/usr/bin", "/usr/local/bin"):
        system = Path(folder) / "python3"
        if system.exists():
            return system.resolve(), Path("/usr")
    raise SandboxUnavailable(
        f"the code sandbox runs as another user, who cannot read the interpreter in {prefix}, "
        "and there is no /usr/bin/python3; install the system's python3, or an interpreter that all can read"
    )


def is_reachable(folder: Path) -> bool:
    """Whether any user may enter a folder."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def module_sources() -> list[tuple[str, str]]:
    """The modules that run inside, in the order of their imports."""
    folder = Path(__file__).parent / "inside"
    return [(name, (folder / f"{name}.py").read_text(encoding="utf-8")) for name in MODULES]


def _system_folders() -> list[str]:
    """Read-only /usr, the links into it from the root, and the linker's cache. Nothing of /etc, /home, /root, /var."""
    arguments = ["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments

"""Start long-lived child processes from one thread that never ends.

The kernel delivers a "parent died" signal when the *thread* that forked the child ends. A thread pool may
let its threads go, so every child of this package is started from this one thread.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reward-spawner")


def spawn(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """`subprocess.Popen(command, **options)` on the spawner thread."""
    return _SPAWNER.submit(lambda: subprocess.Popen(command, **options)).result()

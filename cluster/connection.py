"""Connecting a driver to Ray: the job's cluster, a named one, or one started for this process alone."""

import os
from pathlib import Path
from typing import Any

from dragoman.actors import STACKS
from dragoman.errors import DragomanError


class ClusterError(DragomanError):
    """The cluster cannot run this recipe; the text says what is missing and what to do."""


def connect_once(pythonpath: Path | None) -> None:
    """`connect`, unless this process has joined a cluster: an engine and reward pools of one command share it."""
    import ray

    if not ray.is_initialized():
        connect(pythonpath)


def connect(pythonpath: Path | None, stacks: Path | None = None) -> Any:
    """Join the cluster in RAY_ADDRESS (set inside a Ray job), else start a small one for this process.

    `pythonpath`: folder that workers must import our code from; None inside a job that carries its working
    directory, which Ray distributes itself. `stacks`: where actors write their stacks when they are asked to.
    Raises `ClusterError` when the head runs another version.
    """
    import ray

    given = {"PYTHONPATH": pythonpath, STACKS: stacks}
    variables = {name: str(path) for name, path in given.items() if path}
    runtime: dict[str, Any] = {"env_vars": variables} if variables else {}
    address = os.environ.get("RAY_ADDRESS")
    if address is None:
        print("no RAY_ADDRESS: starting Ray for this process alone (no dashboard)", flush=True)
    options: dict[str, Any] = {} if address else {"include_dashboard": False}
    forwarded = os.environ.get("DRAGOMAN_WORKER_LOGS") == "1"
    try:
        return ray.init(address=address or "local", runtime_env=runtime, log_to_driver=forwarded, **options)
    except RuntimeError as error:
        if "ersion mismatch" in str(error):
            raise ClusterError(
                f"the Ray head at {address} runs another version of Ray or Python than this environment "
                f"(Ray {ray.__version__}): {error}. Start the head from this environment, or install its version"
            ) from error
        raise
    except ConnectionError as error:
        raise ClusterError(f"no Ray head answers at {address}: {error}. Start one with `ray start --head`") from error

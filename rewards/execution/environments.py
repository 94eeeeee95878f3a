"""Separate Python environments for rewards whose packages conflict with the run's own.

unbabel-comet needs numpy 1 and transformers 4, vLLM needs numpy 2 and transformers 5: no single environment holds
both. A kind that names an environment (`RewardKind.environment`) gets workers started by that environment's
interpreter, through Ray's `py_executable`; the rest of the run does not notice. The environment must hold the same
Ray and Python version as the run's own, and this project (`make comet` sees to all of it).

The name `comet` stands for `.venv-comet/bin/python` beside the code or beside the running environment, the variable
`DRAGOMAN_COMET_PYTHON` overrides that, and a path may be given instead of a name (`rewards.pools.comet.environment`).
The path must exist on every node that may run the workers, which is looked at before any is started: Ray itself
would wait for ever.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from rewards.errors import PoolError

CODE = Path(__file__).resolve().parents[2]
PROBE_TIMEOUT_S = 60.0


def python_of(environment: str) -> Path:
    """The interpreter of an environment, given by name or path; PoolError names where it was looked for."""
    if os.sep in environment:
        return Path(environment).expanduser().absolute()
    variable = variable_of(environment)
    if os.environ.get(variable):
        return Path(os.environ[variable]).expanduser().absolute()
    folders = dict.fromkeys([CODE, Path(sys.prefix).parent])
    places = [folder / f".venv-{environment}" / "bin" / "python" for folder in folders]
    for place in places:
        if place.exists():
            return place
    raise PoolError(
        f"the Python environment {environment!r} is not there (looked for {' and '.join(map(str, places))}); "
        f"run `make {environment}`, or set {variable} to its interpreter"
    )


def variable_of(environment: str) -> str:
    """The environment variable that says where an environment's interpreter is."""
    return f"DRAGOMAN_{environment.upper().replace('-', '_')}_PYTHON"


def runtime_environment(environment: str, num_gpus: float = 0) -> dict[str, Any]:
    """Ray's `runtime_env` for workers in that environment; PoolError when a node that may run them lacks it."""
    python = python_of(environment)
    lacking = _nodes_without(python, num_gpus)
    if lacking:
        raise PoolError(
            f"the Python environment {environment!r} ({python}) is missing on {', '.join(sorted(set(lacking)))}; "
            "create it there at the same path, or say where it is (pool setting 'environment')"
        )
    return {"py_executable": shlex.quote(str(python))}


def _nodes_without(python: Path, num_gpus: float) -> list[str]:
    """Addresses of the nodes that may run the workers and have no such file; asks each node but this one."""
    import ray

    here = ray.get_runtime_context().get_node_id()
    able = [node for node in ray.nodes() if node["Alive"] and (not num_gpus or node["Resources"].get("GPU", 0) > 0)]
    nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in able}
    if list(nodes) == [here]:
        return [] if python.exists() else [f"this node ({nodes[here]})"]
    probe = ray.remote(num_cpus=0)(os.path.exists)
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    asked = {node: probe.options(scheduling_strategy=strategy(node, soft=False)).remote(str(python)) for node in nodes}
    found = dict(zip(asked, ray.get(list(asked.values()), timeout=PROBE_TIMEOUT_S), strict=True))
    return [nodes[node] for node, there in found.items() if not there]

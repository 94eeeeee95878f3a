"""Load a user's own reward from `path/to/file.py:function` (the `--reward` of the command line).

The file's text is read once, where the run starts, and travels with the pools as a `PluginSource`: an actor
on another node has no such file. A plain function is registered under its own name, also when it was written
for TRL, verl, OpenRLHF or verifiers (adapters/foreign.py); a function decorated with `@reward` keeps the name and
the settings of its decorator.

A package registers rewards for everybody who installs it with an entry point of the group `dragoman.rewards`
that names a module: `load_entry_points` imports it in every process that scores.
"""

import hashlib
import importlib.metadata
import inspect
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rewards.doors.adapters.foreign import adapt
from rewards.errors import PluginError, nearest
from rewards.registry import RewardKind, kind_of, register

ENTRY_POINTS = "dragoman.rewards"
_MODULE_PREFIX = "dragoman_plugin_"
_INSTALLED: set[str] = set()


@dataclass(frozen=True)
class PluginSource:
    """A user's reward file as text, and which function of it is meant."""

    path: str
    function: str
    source: str


def read_plugin(reference: str) -> PluginSource:
    """Read `path/to/file.py:function`; PluginError names what is missing and what to do."""
    path_text, colon, function = reference.rpartition(":")
    if not colon or not path_text or not function.isidentifier():
        raise PluginError(f"reward {reference!r}: write it as path/to/file.py:function")
    path = Path(path_text).expanduser().resolve()
    if not path.is_file():
        raise PluginError(f"reward {reference!r}: there is no file {path}; give a path that exists on this machine")
    return PluginSource(str(path), function, path.read_text(encoding="utf-8"))


def load_source(plugin: PluginSource) -> str:
    """Run the file's text as a module and register its function; returns the name of the kind."""
    module = _run_module(plugin)
    function = getattr(module, plugin.function, None)
    if function is None:
        defined = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        raise PluginError(f"{plugin.path} has no function {plugin.function!r}{nearest(plugin.function, defined)}")
    if not callable(function):
        raise PluginError(f"{plugin.path}:{plugin.function} is {type(function).__name__}; a reward must be callable")
    kind = kind_of(function)
    if kind is not None:
        return kind.name
    adapted = adapt(function)
    register(RewardKind(plugin.function, adapted.function, batched=adapted.batched))
    return plugin.function


def load_entry_points() -> tuple[str, ...]:
    """Import the reward modules of installed packages; returns their names. PluginError when one cannot load."""
    names = []
    for point in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            point.load()
        except Exception as error:
            package = point.dist.name if point.dist else "a package"
            raise PluginError(
                f"rewards of {package} ({point.name} = {point.value}) could not be loaded: "
                f"{type(error).__name__}: {error}; correct or remove that package"
            ) from error
        _INSTALLED.add(point.value.partition(":")[0])
        names.append(point.name)
    return tuple(names)


def load_plugin(reference: str) -> str:
    """Read and register a reward in this process; returns the name of its kind."""
    return load_source(read_plugin(reference))


def kind_to_ship(kind: RewardKind) -> RewardKind | None:
    """What a worker must be given besides the plug-ins: a kind registered by the user's script or package.

    Built-in kinds and plug-ins the worker loads by itself; a function of the main script travels by value.
    """
    module = kind.function.__module__
    return None if module.startswith((_MODULE_PREFIX, "rewards.")) or module in _INSTALLED else kind


def load_in_worker(plugins: Sequence[PluginSource], shipped: RewardKind | None) -> None:
    """Register in this process what the run registered where it started."""
    for plugin in plugins:
        load_source(plugin)
    if shipped is not None:
        register(shipped)


def _run_module(plugin: PluginSource) -> types.ModuleType:
    digest = hashlib.sha256(plugin.path.encode()).hexdigest()[:12]
    module = types.ModuleType(f"{_MODULE_PREFIX}{digest}")
    module.__file__ = plugin.path
    folder = str(Path(plugin.path).parent)
    if Path(folder).is_dir() and folder not in sys.path:
        sys.path.append(folder)
    sys.modules[module.__name__] = module
    try:
        exec(compile(plugin.source, plugin.path, "exec"), module.__dict__)
    except Exception as error:
        raise PluginError(f"{plugin.path} could not be loaded: {type(error).__name__}: {error}") from error
    return module

"""Code from outside the package that registers stages, algorithms, tasks, data sources or reward kinds.

    extensions: [my_team.dragoman_extras, ./my_stage.py]

A module is imported, a file is run as one, before the recipe is checked. Its classes travel to Ray's actors by value,
so that no actor has to find the module.
"""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from dragoman.errors import DragomanError

_LOADED: dict[str, ModuleType] = {}


class ExtensionError(DragomanError):
    """An extension that cannot be loaded; the text names it and the reason."""


def load_extensions(references: Iterable[str]) -> None:
    """Load each extension once per process."""
    for reference in references:
        if reference not in _LOADED:
            _LOADED[reference] = _load(reference)


def extension_files() -> list[Path]:
    """Files of the extensions that are loaded."""
    return [Path(module.__file__) for module in _LOADED.values() if module.__file__]


def _load(reference: str) -> ModuleType:
    import ray.cloudpickle

    try:
        module = _from_file(Path(reference)) if reference.endswith(".py") else importlib.import_module(reference)
    except Exception as error:
        raise ExtensionError(
            f"extension {reference!r} cannot be loaded ({type(error).__name__}: {error}); extensions takes "
            "package.module or path/to/file.py"
        ) from error
    ray.cloudpickle.register_pickle_by_value(module)
    return module


def _from_file(path: Path) -> ModuleType:
    place = path.expanduser().resolve()
    name = f"dragoman_extension_{path.stem}_{hashlib.sha256(str(place).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise ImportError(f"no module in {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

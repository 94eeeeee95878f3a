"""Our metrics as Hugging Face `evaluate` modules, loaded from their folder without a network.

import evaluate
from dragoman.evaluation.modules import module_path

evaluate.load(module_path("off_target")).compute(predictions=[…], sources=[…], target="de", source="en")
"""

from pathlib import Path

MODULES = ("gated_chrf", "off_target", "adequacy")


def module_path(name: str) -> str:
    """The folder that `evaluate.load` takes; ValueError names those there are."""
    if name not in MODULES:
        raise ValueError(f"no module {name!r}; there are {', '.join(MODULES)}")
    return str(Path(__file__).parent / name)

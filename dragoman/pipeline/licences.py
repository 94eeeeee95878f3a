"""What a stage was made from, and under which licences: the model, the texts of its files, the reward models.

A ledger is part of every stage's manifest. With `licences: commercial` a recipe is refused that takes something whose
licence forbids commercial use, before any compute is spent. What says nothing of its licence is told of: only its owner
knows. Licences that ask for adaptations under the same licence are named in the model card; whether a model is one is
not judged. This is bookkeeping and no legal advice: what else a licence asks (attribution, terms of use) is on record
by its name.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dragoman.files import read_lines
from dragoman.recipes import Recipe, RecipeError
from rewards.settings import PoolSettings

UNKNOWN = "unknown"
FORBIDS = re.compile(r"\bNC\b|non-?commercial|research[- ]only|academic", re.IGNORECASE)
"""In the name of a licence that forbids commercial use"""
SHARES_ALIKE = re.compile(r"\bSA\b|GPL", re.IGNORECASE)
"""In the name of a licence under which adaptations must stay"""
MODELS = {"cometkiwi": "CC-BY-NC-SA-4.0", "xcomet": "CC-BY-NC-SA-4.0", "wmt22-comet-da": "Apache-2.0",
          "metricx": "Apache-2.0", "nllb": "CC-BY-NC-4.0"}  # fmt: skip
"""By a part of the name, where a checkpoint's folder says nothing: as their model cards say"""
SUBSTITUTES = {
    "comet_kiwi": "regression_qe with MetricX (Apache-2.0), or adequacy",
    "xcomet": "comet with wmt22-comet-da (Apache-2.0), or regression with MetricX",
}
"""Kinds without that limit, in place of kinds that usually have it"""
PLACES = 5
"""Provenances named for each licence"""


@dataclass(frozen=True)
class Holding:
    """One thing and its licence."""

    what: str
    """model, teacher, data or reward"""
    name: str
    licence: str
    rows: int = 0
    """Of data"""
    provenances: Sequence[str] = field(default_factory=tuple)
    """Some of them"""

    @property
    def forbids_commerce(self) -> bool:
        """By its licence's name."""
        return bool(FORBIDS.search(self.licence))


def holdings(recipe: Recipe, model: Path, data: Path, files: Iterable[str]) -> list[Holding]:
    """Of a stage that begins with a model and reads some files of the data folder."""
    found = [Holding("model", recipe.model.path or "made here", model_licence(model) if recipe.model.path else "own")]
    teacher = recipe.rl.distillation.teacher
    if teacher:
        found.append(Holding("teacher", teacher, model_licence(Path(teacher))))
    return [*found, *rewards_of(recipe), *(one for file in files for one in texts_of(data / file))]


def rewards_of(recipe: Recipe) -> Iterator[Holding]:
    """Models that the pools of reward kinds name."""
    for kind, pool in recipe.rewards.pools.items():
        for name in _models_of(pool):
            yield Holding("reward", f"{kind}: {name}", model_licence(Path(name).expanduser()))


def texts_of(path: Path) -> list[Holding]:
    """By licence the rows of a file, with some of the places they come from."""
    rows: Counter[str] = Counter()
    places: dict[str, dict[str, None]] = {}
    for _, row in read_lines(path):
        licence = str(row.get("licence") or UNKNOWN)
        rows[licence] += 1
        known = places.setdefault(licence, {})
        if len(known) < PLACES:
            known[str(row.get("provenance") or UNKNOWN)] = None
    return [Holding("data", path.name, name, count, tuple(places[name])) for name, count in sorted(rows.items())]


def model_licence(folder: Path) -> str:
    """What a checkpoint says: the package it came in, or the front matter of its README; else by its name."""
    named = (
        _of_package(folder),
        _of_card(folder),
        next((v for k, v in MODELS.items() if k in folder.name.lower()), ""),
    )
    return next((licence for licence in named if licence), UNKNOWN)


def check(recipe: Recipe, found: Sequence[Holding]) -> None:
    """RecipeError for what forbids the commercial use that a recipe is for; what says nothing is told of."""
    if recipe.licences == "any":
        return
    for one in found:
        if one.forbids_commerce:
            other = SUBSTITUTES.get(one.name.partition(":")[0], "")
            mend = f"take {other}" if other else "leave it out"
            raise RecipeError(
                f"licences=commercial: the {one.what} {one.name} is under {one.licence}, which forbids it; {mend}, or "
                "set licences to any"
            )
    silent = [f"{one.what} {one.name}" for one in found if one.licence == UNKNOWN]
    if silent:
        print(f"warning: licences=commercial: nothing says the licence of {', '.join(silent[:5])}", flush=True)


def recorded(found: Sequence[Holding]) -> list[dict[str, Any]]:
    """As JSON values, for a manifest."""
    return [asdict(one) | {"provenances": list(one.provenances)} for one in found]


def _models_of(pool: PoolSettings) -> list[str]:
    return [str(value) for name, value in pool.arguments.items() if name in ("model", "checkpoint") and value]


def _of_package(folder: Path) -> str:
    origin = folder / "PROVENANCE.json"
    packages = json.loads(origin.read_text(encoding="utf-8")).get("packages", []) if origin.is_file() else []
    return " and ".join(dict.fromkeys(package["licence"] for package in packages))


def _of_card(folder: Path) -> str:
    card = folder / "README.md"
    head = card.read_text(encoding="utf-8", errors="replace")[:4000] if card.is_file() else ""
    match = re.search(r"\A---\n(?:.*\n)*?license:\s*(\S+)", head)
    return match[1] if match else ""

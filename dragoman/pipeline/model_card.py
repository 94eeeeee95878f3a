"""The model card of a stage: what its files say, and nothing else.

    manifests of the stage and of those before it, its evaluation, the run's logs -> ModelCard -> README.md

The front matter is Hugging Face's. A fact that no file states is left out; a licence that nobody stated is no licence.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dragoman.evaluation.comparison import OPTIMISED, Column, columns_of, compare, is_significant
from dragoman.evaluation.intervals import interval_of
from dragoman.evaluation.observatory.watch import STAGE as RL
from dragoman.evaluation.observatory.watch import Observatory
from dragoman.evaluation.outcomes import Evaluation
from dragoman.files import write_text
from dragoman.pipeline.evaluation_folder import read_evaluation
from dragoman.pipeline.fingerprints import CARD_MARK, is_card
from dragoman.pipeline.licences import FORBIDS, SHARES_ALIKE, UNKNOWN, Holding
from dragoman.pipeline.manifest import Manifest, read_manifest
from dragoman.pipeline.run_folder import RunFolder, RunFolderError

HUB_LICENCES = frozenset(
    ("apache-2.0", "mit", "gemma", "openrail", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "cc-by-sa-3.0",
     "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "gpl-3.0", "lgpl-3.0", "mpl-2.0",
     "llama3.1", "llama3.2", "llama3.3")
)  # fmt: skip
"""Identifiers that the hub knows; others are `other` with their name"""
NOT_RIGHT = {"wrong instruction", "prompt"}
"""Forms in which a stage sees a direction without a right answer"""


@dataclass(frozen=True)
class ModelCard:
    """What the files of a stage say."""

    run: str
    lineage: Sequence[tuple[str, Manifest]]
    """From the first stage to this one, as the manifests name their parents"""
    evaluation: Evaluation | None
    parent: Evaluation | None
    """The first stage of the lineage that was evaluated"""
    alarms: Sequence[str] = ()

    @property
    def stage(self) -> str:
        """Its name."""
        return self.lineage[-1][0]

    @property
    def directions(self) -> Mapping[str, set[str]]:
        """Direction -> forms in which any stage saw it."""
        found: dict[str, set[str]] = {}
        for _, manifest in self.lineage:
            for form, counts in _mapping(manifest.metrics.get("directions")).items():
                for direction in _mapping(counts):
                    found.setdefault(direction, set()).add(form)
        return found

    @property
    def ledger(self) -> list[Holding]:
        """Of all stages, each entry once."""
        entries = [entry for _, m in self.lineage for entry in m.metrics.get("licences") or ()]  # type: ignore[union-attr]
        unique = {json.dumps(entry, sort_keys=True): entry for entry in entries}
        return [Holding(**entry) for entry in unique.values()]  # type: ignore[arg-type]


def read_card(run: Path, stage: str) -> ModelCard:
    """RunFolderError where the stage has no manifest."""
    folder = RunFolder(run)
    lineage: list[tuple[str, Manifest]] = []
    name: str | None = stage
    while name is not None and name not in [known for known, _ in lineage]:
        manifest = read_manifest(folder.stage(name))
        if manifest is None:
            if not lineage:
                raise RunFolderError(
                    f"{folder.stage(name)} has no manifest; the stage is unfinished, so finish the run"
                )
            break
        lineage.append((name, manifest))
        name = manifest.parent
    lineage.reverse()
    measured = [found for known, _ in lineage if (found := _evaluation(folder.stage(known)))]
    own = measured[-1] if measured and measured[-1].stage == stage else None
    first = measured[0] if own and len(measured) > 1 else None
    title = run.resolve().name
    alarms = Observatory(run).look().alarms if any(known == RL for known, _ in lineage) else ()
    return ModelCard(title, lineage, own, first, [alarm.sentence(title) for alarm in alarms])


def _evaluation(folder: Path) -> Evaluation | None:
    there = all((folder / name).is_file() for name in ("evaluation.json", "evaluation.jsonl"))
    return read_evaluation(folder) if there else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def card_text(card: ModelCard) -> str:
    """README.md."""
    head = yaml.safe_dump(front_matter(card), sort_keys=False, allow_unicode=True)
    parts = [f"---\n{head}---\n{CARD_MARK}\n", f"# {card.run}, stage {card.stage}\n", _about(card), _metrics(card),
             _directions(card), _ledger(card), _training(card), _limits(card)]  # fmt: skip
    return "\n".join(part for part in parts if part)


def front_matter(card: ModelCard) -> dict[str, object]:
    """Language codes, licence, base model, tags."""
    languages = sorted({code for direction in card.directions for code in direction.split("-", 1)})
    base = base_model(card.ledger)
    return {
        **({"language": languages} if languages else {}),
        **licence_of(card.ledger),
        **({"base_model": base} if base else {}),
        "library_name": "transformers",
        "tags": ["dragoman", *(["translation"] if languages else [])],
    }


def base_model(ledger: Sequence[Holding]) -> str | None:
    """Its name without the machine's folders; None for a model that the run made itself."""
    name = next((one.name for one in ledger if one.what == "model" and one.licence != "own"), None)
    if name is None:
        return None
    plain = name.removeprefix("package:")
    return plain if plain.count("/") == 1 and plain[0] not in "/.~" else Path(plain).name


def licence_of(ledger: Sequence[Holding]) -> dict[str, str]:
    """The one licence of model and texts; with several `other`; nothing where nobody stated one."""
    held = [one.licence for one in ledger if one.what in ("model", "data", "teacher") and one.licence != "own"]
    stated = list(dict.fromkeys(licence for licence in held if licence != UNKNOWN))
    if not stated:
        return {}
    if len(stated) > 1 or UNKNOWN in held:
        return {"license": "other", "license_name": "see-the-ledger-below"}
    known = stated[0].lower()
    return {"license": known} if known in HUB_LICENCES else {"license": "other", "license_name": stated[0]}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def _about(card: ModelCard) -> str:
    stages = " → ".join(f"{name} ({m.title})" if m.title else name for name, m in card.lineage)
    return f"Stages: {stages}.\n"


def _metrics(card: ModelCard) -> str:
    """Greedy answers to held-out rows."""
    if card.evaluation is None:
        return "## Evaluation\n\nThis stage was not evaluated.\n"
    evaluation = card.evaluation
    known = [(c, value) for c in columns_of([evaluation]) if (value := c.value(evaluation)) is not None]
    rows = [
        [c.group, c.label([evaluation]), c.text(v), _interval(c, evaluation), _rows(c, evaluation)] for c, v in known
    ]
    note = "Greedy answers to held-out rows; percentages, chrF from 0 to 100. Intervals: 95 %, bootstrap over rows."
    dagger = f" {OPTIMISED} a stage was trained on this very metric: no independent evidence."
    table = _table(("suite", "metric", "value", "95 % interval", "rows"), rows)
    return f"## Evaluation\n\n{note}{dagger if OPTIMISED in table else ''}\n\n{table}\n"


def _interval(column: Column, evaluation: Evaluation) -> str:
    found = interval_of(column.suite, column.metric, evaluation)
    return " … ".join(map(column.text, found)) if found else "–"


def _rows(column: Column, evaluation: Evaluation) -> str:
    return str(len(evaluation.outcomes_of(column.suite))) if column.suite else "–"


def _directions(card: ModelCard) -> str:
    rows = [[d.replace("-", " → "), ", ".join(sorted(forms))] for d, forms in sorted(card.directions.items())]
    return f"## Directions\n\n{_table(('direction', 'seen in training as'), rows)}\n" if rows else ""


def _ledger(card: ModelCard) -> str:
    rows = [
        [h.what, Path(h.name).name if h.what != "reward" else h.name.rsplit("/", 1)[-1], h.licence,
         f"{h.rows:,}" if h.rows else "", ", ".join(h.provenances)]
        for h in card.ledger
    ]  # fmt: skip
    if not rows:
        return "## Data and licences\n\nThe manifests hold no ledger.\n"
    return f"## Data and licences\n\n{_table(('what', 'name', 'licence', 'rows', 'from, among others'), rows)}\n"


def _training(card: ModelCard) -> str:
    """Settings that each stage's fingerprint covers, without the machine's paths."""
    shown = []
    for name, manifest in card.lineage:
        settings = yaml.safe_dump(_without_paths(manifest.depends_on), sort_keys=False, allow_unicode=True)
        took = f", {manifest.seconds / 60:.0f} min" if manifest.seconds else ""
        shown.append(f"<details><summary>{name}{took}</summary>\n\n```yaml\n{settings}```\n</details>\n")
    packages = ", ".join(f"{name} {version}" for name, version in card.lineage[-1][1].packages.items())
    return "## Training\n\n" + "\n".join(shown) + (f"\nPackages: {packages}.\n" if packages else "")


def _without_paths(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _without_paths(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_paths(part) for part in value]
    return Path(value).name if isinstance(value, str) and value.startswith(("/", "~")) else value


def _limits(card: ModelCard) -> str:
    """Computed from the files."""
    found = [*_unseen(card), *_worse(card), *_unlicensed(card)]
    found += [f"Alarm of the observatory: {sentence}." for sentence in card.alarms]
    found.append("Figures are of one training run: intervals are about the choice of rows, not of seeds.")
    return "## Limits\n\n" + "\n".join(f"- {text}" for text in found) + "\n"


def _unseen(card: ModelCard) -> list[str]:
    """Directions without a right answer in training."""
    asked = {d for suite in (card.evaluation.suites if card.evaluation else ()) for d in suite.by_direction}
    seen = card.directions
    none = sorted(d for d in asked | set(seen) if not seen.get(d, set()) - NOT_RIGHT)
    return [f"No stage saw a right answer in: {', '.join(d.replace('-', ' → ') for d in none)}."] if none else []


def _worse(card: ModelCard) -> list[str]:
    """What the lineage lost beyond chance."""
    if card.evaluation is None or card.parent is None:
        return []
    lost = [row for row in compare(card.parent, card.evaluation) if is_significant(row) and row.test.difference < 0]
    return [
        f"Beyond chance worse than {card.parent.stage}: {row.suite}, {row.measure}, from {row.test.before:.3g} to "
        f"{row.test.after:.3g}."
        for row in lost
    ]


def _unlicensed(card: ModelCard) -> list[str]:
    forbidding = [f"{h.what} {Path(h.name).name} ({h.licence})" for h in card.ledger if FORBIDS.search(h.licence)]
    silent = [f"{h.what} {Path(h.name).name}" for h in card.ledger if h.licence == UNKNOWN]
    alike = sorted({h.licence for h in card.ledger if SHARES_ALIKE.search(h.licence)})
    found = [f"Licences that forbid commercial use: {', '.join(forbidding)}."] if forbidding else []
    found += [f"Adaptations must stay under the same licence: {', '.join(alike)}."] if alike else []
    return [*found, *([f"Nothing says the licence of: {', '.join(silent)}."] if silent else [])]


def write_card(run: Path, stage: str, *, force: bool = False) -> Path:
    """README.md in the stage's model folder; one that `dragoman card` did not write is kept unless `force`."""
    target = RunFolder(run).model(stage) / "README.md"
    if target.is_file() and not is_card(target) and not force:
        raise RunFolderError(f"{target} was not written by `dragoman card`; move it away, or replace it with --force")
    write_text(target, card_text(read_card(run, stage)))
    return target

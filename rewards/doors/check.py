"""Try a data set's rewards before any compute is spent, and score files of responses.

`check_rows` answers each row as a perfect, an empty, a copying and a cheating policy would: the gold answer
must earn full reward, the others must not. What did not behave is listed with its row. `score_file` is for
people who want only the verifiers: JSONL with responses in, JSONL with scores out.

A row's gold answer is its column `gold_response`, or else what its rewards say: the boxed gold of `math`,
the column `solution` or `canonical_solution` of `code`, the first reference of a translation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rewards.errors import RowError
from rewards.records import RewardSpec, Row, Score, prompt_text, specs_of

if TYPE_CHECKING:
    from rewards.execution.pools import RewardPools

FULL_REWARD = 0.99
"""A gold answer must earn at least this."""
MARGIN = 0.1
"""Any other answer must earn this much less than full reward."""
_REFERENCE_KINDS = ("chrf", "chrf++", "bleu", "spbleu", "ter", "exact_match", "adequacy")
"""Kinds that pay a reference in full; learned metrics do not."""
_SOLUTION_COLUMNS = ("solution", "canonical_solution")


@dataclass(frozen=True)
class Probe:
    """One made-up response to a row, and whether it must be paid in full."""

    name: str
    response: str
    must_pass: bool


@dataclass(frozen=True)
class Misbehaviour:
    """A probe that was paid wrongly, or could not be judged."""

    number: int
    """The row's number, from 1."""
    id: str
    probe: str
    reward: float | None
    wanted: str
    detail: str


@dataclass(frozen=True)
class CheckReport:
    rows: int
    rows_without_gold: int
    probes: int
    misbehaviours: tuple[Misbehaviour, ...]

    @property
    def passed(self) -> bool:
        return not self.misbehaviours


def gold_response(row: Row) -> str | None:
    """A response that must earn full reward; None when the row does not say."""
    if isinstance(row.get("gold_response"), str):
        return str(row["gold_response"])
    for spec in specs_of(row):
        found = _gold_of(spec, row)
        if found is not None:
            return found
    return None


def probes_of(row: Row) -> list[Probe]:
    """The responses to try on a row."""
    probes = [Probe("empty", "", False), Probe("unrelated", "I am sorry, I cannot help with that.", False)]
    gold, prompt = gold_response(row), prompt_text(row)
    if gold is not None:
        probes.append(Probe("gold", gold, True))
    if prompt and prompt != gold:
        probes.append(Probe("prompt copied", prompt, False))
    for spec in specs_of(row):
        probes += _cheats(spec, row)
    return [probe for probe in probes if probe.must_pass or probe.response != gold]


def check_rows(pools: RewardPools, rows: Sequence[Row]) -> CheckReport:
    """Score every probe of every row, and report those that were paid wrongly."""
    tried = [(number, row, probe) for number, row in enumerate(rows, start=1) for probe in probes_of(row)]
    scores = pools.score_rows([{**row, "response": probe.response} for _, row, probe in tried])
    wrong = [
        Misbehaviour(number, str(row.get("id")), probe.name, score.reward, _wanted(probe), _details(score))
        for (number, row, probe), score in zip(tried, scores, strict=True)
        if not _behaves(probe, score.reward)
    ]
    without = sum(1 for row in rows if gold_response(row) is None)
    return CheckReport(len(rows), without, len(tried), tuple(wrong))


def read_rows(path: str | Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSONL file; RowError names the file and the line that is no JSON object.

    HumanEval, MBPP and inputs/outputs records are read as rows with a `code` reward (rewards/code/formats.py).
    """
    from rewards.code.formats import row_of

    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise RowError(f"{path}: cannot be read: {error.strerror}; give the path of a JSONL file") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise RowError(f"{path}, line {number}: no JSON ({error}); each line must be one JSON object") from None
        if not isinstance(row, dict):
            raise RowError(f"{path}, line {number}: {type(row).__name__}, not an object; each line must be one row")
        yield row_of(row, number)


def score_file(
    pools: RewardPools,
    source: str | Path,
    target: str | Path,
    progress: Callable[[int, int], None] | None = None,
    chunk: int = 256,
) -> list[Score]:
    """Score a JSONL file of rows with responses into one of scores; `progress(done, total)` each chunk.

    The target appears only when all is done.
    """
    from rewards.validation import validate_rows

    rows = list(read_rows(source))
    validate_rows(rows)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("response"), str):
            raise RowError(f"row {number} (id {row['id']!r}): column 'response' is missing; it is what gets scored")
    scores: list[Score] = []
    for start in range(0, len(rows), chunk):
        scores += pools.score_rows(rows[start : start + chunk])
        if progress is not None:
            progress(len(scores), len(rows))
    aside = Path(f"{target}.partial")
    aside.write_text("".join(json.dumps(s.to_dict(), ensure_ascii=False) + "\n" for s in scores), encoding="utf-8")
    aside.replace(target)
    return scores


def _gold_of(spec: RewardSpec, row: Row) -> str | None:
    if spec.kind == "math":
        return f"\\boxed{{{_argument(spec, row, 'gold')}}}"
    if spec.kind == "preference_label":
        return str(_argument(spec, row, "gold"))
    if spec.kind == "code":
        return next((str(row[name]) for name in _SOLUTION_COLUMNS if isinstance(row.get(name), str)), None)
    if spec.kind in _REFERENCE_KINDS and ("reference" in spec.args or "reference" in row):
        reference = _argument(spec, row, "reference")
        return reference if isinstance(reference, str) else reference[0]
    return None


def _cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """Answers that a lazy verifier pays and that must not be paid."""
    if spec.kind == "math":
        gold = _argument(spec, row, "gold")
        return [
            Probe("two answers", f"\\boxed{{{gold}}} or \\boxed{{{gold}+1}}", False),
            Probe("an equation", f"\\boxed{{{gold}+1={gold}}}", False),
        ]
    if spec.kind == "code":
        entry = (spec.args.get("entry") or "f").split(".")[-1]
        equal = "class E:\n    def __eq__(s, o): return True\n    __hash__ = None\n"
        return [
            Probe("exits with success", "import sys\nsys.exit(0)", False),
            Probe("equals everything", f"{equal}def {entry}(*a, **k): return E()", False),
        ]
    if spec.kind == "preference_label":
        return [Probe("every label", "\n".join(f"Verdict: {label}" for label in _labels(spec, row)), False)]
    if spec.kind in _REFERENCE_KINDS and gold_response(row):
        return [Probe("gold repeated", " ".join([gold_response(row) or ""] * 6), False)]
    return []


def _labels(spec: RewardSpec, row: Row) -> Sequence[str]:
    from rewards.translation.preference_label import LABELS

    given: Sequence[str] = spec.args.get("labels", row.get("labels", LABELS))
    return given


def _argument(spec: RewardSpec, row: Row, name: str) -> Any:
    return spec.args[name] if name in spec.args else row[name]


def _behaves(probe: Probe, reward: float | None) -> bool:
    if reward is None:
        return False
    return reward >= FULL_REWARD if probe.must_pass else reward <= FULL_REWARD - MARGIN


def _wanted(probe: Probe) -> str:
    return f"at least {FULL_REWARD}" if probe.must_pass else f"at most {FULL_REWARD - MARGIN:.2f}"


def _details(score: Score) -> str:
    return "; ".join(f"{c.kind} {c.status} {c.value} {c.detail}".strip() for c in score.components)

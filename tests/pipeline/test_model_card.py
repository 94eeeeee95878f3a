"""`dragoman card`: what the files of a run say, in Hugging Face's form, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dragoman.evaluation.intervals import interval
from dragoman.evaluation.outcomes import Evaluation, Outcome, StageTitle, SuiteResult
from dragoman.pipeline.cli import app
from dragoman.pipeline.fingerprints import model_fingerprint
from dragoman.pipeline.licences import Holding, recorded
from dragoman.pipeline.manifest import Manifest, write_manifest
from dragoman.pipeline.model_card import base_model, licence_of, read_card, write_card
from dragoman.pipeline.run_folder import RunFolderError

LEDGER = [
    Holding("model", "/somewhere/models/tiny-base", "Apache-2.0"),
    Holding("data", "sft.jsonl", "CC-BY-NC-4.0", 1200, ("corpus-a",)),
    Holding("data", "sft.jsonl", "CC-BY-SA-3.0", 100, ("corpus-b",)),
]


def outcomes(right: int) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(f"m{n}", "math", "math", "slots", "1 + 1?", "2", "2", float(n < right), correct=n < right)
        for n in range(100)
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """base (60 of 100 sums) -> sft (20 of 100; trained on `math`)."""
    folder = tmp_path / "my-run"
    seen = {"supervised": {"de-no": 900}, "wrong instruction": {"no-fr": 10}}
    metrics = {"licences": recorded(LEDGER), "directions": seen}
    settings = {"sft": {"steps": 7, "path": "/home/x/rows"}}
    tuned = Manifest(
        "f1", stage="sft", title="fine-tuning", parent="base", metrics=metrics, seconds=600, depends_on=settings
    )
    stages = [("base", 60, Manifest("f0", stage="base", title="random weights")), ("sft", 20, tuned)]
    for name, right, manifest in stages:
        stage = folder / "stages" / name
        (stage / "model").mkdir(parents=True)
        write_manifest(stage, manifest)
        shown = StageTitle(name, name, optimised=("math",) if name == "sft" else ())
        suite = SuiteResult("math", "math", {"accuracy": right / 100, "n": 100.0})
        Evaluation(shown, (suite,), outcomes(right)).save(stage)
    return folder


def parts_of(card: str) -> tuple[dict[str, object], str]:
    _, head, body = card.split("---\n", 2)
    return yaml.safe_load(head), body


def test_a_card_says_what_the_files_say(run: Path) -> None:
    told = CliRunner().invoke(app, ["card", str(run), "--stage", "sft"])
    assert told.exit_code == 0, told.output
    head, body = parts_of((run / "stages" / "sft" / "model" / "README.md").read_text(encoding="utf-8"))
    assert head == {
        "language": ["de", "fr", "no"], "license": "other", "license_name": "see-the-ledger-below",
        "base_model": "tiny-base", "library_name": "transformers", "tags": ["dragoman", "translation"],
    }  # fmt: skip
    assert "| math | accuracy † | 20.0 | 1" in body
    assert "| data | sft.jsonl | CC-BY-NC-4.0 | 1,200 | corpus-a |" in body
    assert "steps: 7" in body
    assert "No stage saw a right answer in: no → fr." in body
    assert "Beyond chance worse than base: math, reward, greedy, from 0.6 to 0.2." in body
    assert "Licences that forbid commercial use: data sft.jsonl (CC-BY-NC-4.0)." in body
    assert "Adaptations must stay under the same licence: CC-BY-SA-3.0." in body
    assert "/somewhere" not in body
    assert "/home" not in body, "a card names no folder of the machine"


def test_an_interval_is_that_of_a_share(run: Path) -> None:
    """20 of 100: the normal approximation is 0.2 ± 1.96 · 0.04."""
    low, high = interval("accuracy", outcomes(20)) or (0.0, 0.0)
    assert low == pytest.approx(0.12, abs=0.015)
    assert high == pytest.approx(0.28, abs=0.015)
    assert interval("bits_per_byte", outcomes(20)) is None


def test_a_foreign_card_is_kept(run: Path) -> None:
    card = run / "stages" / "sft" / "model" / "README.md"
    card.write_text("mine", encoding="utf-8")
    with pytest.raises(RunFolderError, match="was not written by"):
        write_card(run, "sft")
    assert write_card(run, "sft", force=True) == card
    assert write_card(run, "sft") == card, "its own it may replace"


def test_a_stage_that_was_not_evaluated_has_no_metrics(run: Path) -> None:
    (run / "stages" / "sft" / "evaluation.json").unlink()
    card = read_card(run, "sft")
    assert card.evaluation is None
    assert "was not evaluated" in write_card(run, "sft").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (["MIT"], {"license": "mit"}),
        (["MIT", "own"], {"license": "mit"}),
        (["House-1.0"], {"license": "other", "license_name": "House-1.0"}),
        (["MIT", "unknown"], {"license": "other", "license_name": "see-the-ledger-below"}),
        (["unknown"], {}),
        ([], {}),
    ],
)
def test_a_licence_is_named_only_where_all_state_it(licences: list[str], expected: dict[str, str]) -> None:
    assert licence_of([Holding("data", f"{n}.jsonl", name) for n, name in enumerate(licences)]) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("package:tiny", "tiny"), ("google/gemma", "google/gemma"), ("/models/x", "x"), ("~/x", "x"), ("a/b/c", "c")],
)
def test_a_base_model_is_named_without_folders(name: str, expected: str) -> None:
    assert base_model([Holding("model", name, "MIT")]) == expected
    assert base_model([Holding("model", "made here", "own")]) is None


def test_a_card_does_not_change_which_model_it_is(run: Path) -> None:
    model = run / "stages" / "sft" / "model"
    (model / "config.json").write_text("{}", encoding="utf-8")
    before = model_fingerprint(model)
    write_card(run, "sft")
    assert model_fingerprint(model) == before
    (model / "README.md").write_text("another's card", encoding="utf-8")
    assert model_fingerprint(model) != before

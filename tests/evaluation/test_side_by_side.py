"""Several runs on one page, a report's figures as CSV, and the observatory on the page."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from matplotlib.image import imread
from typer.testing import CliRunner

from dragoman.evaluation.outcomes import Evaluation, Outcome, StageTitle, SuiteResult
from dragoman.evaluation.report import RunRecordError, write_report, write_side_by_side
from dragoman.evaluation.report.side_by_side import names_of
from dragoman.pipeline.cli import app


def write_run(folder: Path, accuracy: float, optimised: tuple[str, ...] = ()) -> Path:
    """A run of one stage with 40 sums, of which a share is right, and a reward that rises."""
    shown = StageTitle("rl", "reinforcement learning", optimised=optimised)
    rows = [(n, float(n < 40 * accuracy)) for n in range(40)]
    outcomes = tuple(
        Outcome(f"m{n}", "math", "math", "slots", "1 + 1 = <b>?</b>", "2", "2", right, correct=right > 0)
        for n, right in rows
    )
    Evaluation(shown, (SuiteResult("math", "math", {"accuracy": accuracy, "n": 40.0}),), outcomes).save(
        folder / "stages" / "rl"
    )
    lines = [{"stage": "rl", "step": n, "reward_mean": n / 10} for n in range(4)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [write_run(tmp_path / "plain", 0.5), write_run(tmp_path / "better", 0.9, ("math",))]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_runs_stand_beside_each_other_with_changes_from_the_first(runs: list[Path]) -> None:
    page = write_side_by_side(runs).read_text(encoding="utf-8")
    assert (runs[0].parent / "runs-compared.html").is_file()
    assert "<h1>2 runs side by side</h1>" in page
    assert "better against plain, beyond chance?" in page
    assert "+40.0" in page, "90 of 100 against 50"
    assert "accuracy †" in page
    assert "<figcaption>reward, mean</figcaption>" in page
    assert "<b>?</b>" not in page, "model text is data"


def test_runs_of_one_name_bear_their_parents(tmp_path: Path) -> None:
    assert names_of([tmp_path / "a" / "x", tmp_path / "b" / "x", tmp_path / "y"]) == ["a/x", "b/x", "y"]


def test_a_run_without_evaluation_cannot_be_compared(runs: list[Path], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "metrics.jsonl").write_text('{"stage": "rl", "step": 1, "loss": 1.0}\n', encoding="utf-8")
    with pytest.raises(RunRecordError, match="bare has no evaluation yet"):
        write_side_by_side([*runs, bare])


def test_csv_has_the_figures_of_the_files(runs: list[Path]) -> None:
    page = write_report(runs[1], csv=True).read_text(encoding="utf-8")
    assert 'id="observatory"' in page
    folder = runs[1] / "report-csv"
    assert {path.name for path in folder.iterdir()} == {
        "metrics.csv", "tests.csv", "curves.csv", "observatory.csv", "alarms.csv",
    }  # fmt: skip
    assert rows_of(folder / "metrics.csv")[0] == {
        "stage": "rl", "suite": "math", "direction": "", "metric": "accuracy", "value": "0.9", "optimised": "true",
    }  # fmt: skip
    assert [row["value"] for row in rows_of(folder / "curves.csv")] == ["0.0", "0.1", "0.2", "0.3"]
    assert rows_of(folder / "observatory.csv")[0]["role"] == "reward"
    assert rows_of(folder / "alarms.csv") == []


def test_the_command_takes_one_run_or_several(runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert CliRunner().invoke(app, ["report", *map(str, runs), "--out", str(out)]).exit_code == 0
    assert out.is_file()
    assert CliRunner().invoke(app, ["report", *map(str, runs), "--csv"]).exit_code == 1


def test_drawings_are_written_as_png_in_colours_that_print(whole_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(whole_run, tmp_path / "run")
    write_report(run, png=True)
    names = {path.name for path in (run / "report-png").iterdir()}
    assert {"translation-against-general-skill.png", "rl-reward.png", "sft-loss.png"} <= names
    pixels = imread(run / "report-png" / "rl-reward.png")
    assert pixels.shape[1] == 740, "3.7 inches at 200 dots"
    shades = {to_hex(pixel[:3]) for pixel in pixels.reshape(-1, pixels.shape[2])}
    assert {"#c2571a", "#0f6fa8", "#ffffff"} <= shades, "two series on white"
    assert "#0a0011" not in shades, "no stand-in colour is left"

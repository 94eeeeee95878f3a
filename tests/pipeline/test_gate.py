"""The flywheel with simulated edits: drafts, what an editor made of them, and models of which it is known how good
they are. A planted worse model is refused, a better one accepted, and so is none of which too little is known."""

import json
from random import Random

import pytest
from typer.testing import CliRunner

from dragoman.errors import DragomanError
from dragoman.evaluation.comparing import Pair, Standing
from dragoman.pipeline.cli import app
from dragoman.pipeline.gate import judge
from tests.evaluation.sentences import ENGLISH, GERMAN

ROWS = 120
SUITE = "sources: {path: a.en, references: [a.de], languages: [en, de]}\nmetrics: [chrf, off_target]\n"


def references(count):
    return [f"{GERMAN[n % 10]} Das wissen wir seit {n + 2} Tagen." for n in range(count)]


def drafts(share, seed, count=ROWS):
    """A model's answers: the editor's text with a share of the words wrong."""
    random = Random(seed)
    return [
        " ".join("Wort" if random.random() < share else word for word in text.split()) for text in references(count)
    ]


def evaluated(folder, name, answers, count=ROWS):
    """What `dragoman evaluate` says of a model with these answers, on the customer's segments."""
    (folder / "a.en").write_text("".join(f"{ENGLISH[n % 10]} {n + 2} days.\n" for n in range(count)))
    (folder / "a.de").write_text("".join(f"{line}\n" for line in references(count)))
    (folder / "own.yaml").write_text(SUITE)
    (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in answers))
    called("evaluate", folder / f"{name}.txt", "--suite", folder / "own.yaml", "--out", folder / name)
    return folder / name


def called(*arguments):
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if isinstance(done.exception, DragomanError):
        raise done.exception
    return done


def test_a_planted_worse_model_is_refused_and_a_better_one_accepted(tmp_path):
    old = evaluated(tmp_path, "old", drafts(0.30, 1))
    better = evaluated(tmp_path, "better", drafts(0.20, 2))
    worse = evaluated(tmp_path, "worse", drafts(0.40, 3))
    done = called("gate", old, better)
    assert done.exit_code == 0 and done.output.splitlines()[-1] == "accepted", done.output
    assert "better, beyond chance" in done.output
    done = called("gate", old, worse)
    assert done.exit_code == 1 and done.output.splitlines()[-1] == "refused: keep the old model"
    said = json.loads((worse / "gate.json").read_text())
    assert not said["accepted"] and [suite["finding"] for suite in said["suites"]] == ["worse"]
    assert said["suites"][0]["rows"] == ROWS and said["suites"][0]["high"] < 0
    assert called("gate", old, old).exit_code == 0  # the same answers: no loss at all is possible


def test_of_few_segments_nothing_follows(tmp_path):
    old = evaluated(tmp_path, "old", drafts(0.30, 1, 8), 8)
    other = evaluated(tmp_path, "other", drafts(0.30, 2, 8), 8)
    done = called("gate", old, other)
    assert done.exit_code == 1 and "evaluate on more segments" in done.output
    assert called("gate", old, other, "--tolerance", 50).exit_code == 0


def test_a_suite_that_the_new_model_never_saw_is_named(tmp_path):
    old = evaluated(tmp_path, "old", drafts(0.3, 1))
    (tmp_path / "own.yaml").rename(tmp_path / "second.yaml")
    called("evaluate", tmp_path / "old.txt", "--suite", tmp_path / "second.yaml", "--out", tmp_path / "other")
    with pytest.raises(DragomanError, match=r"was not evaluated on 'own', which .*old was"):
        called("gate", old, tmp_path / "other")


@pytest.mark.parametrize(
    ("metric", "values", "interval", "p", "finding"),
    [
        ("chrf", (50.0, 50.2), (-0.4, 0.8), 0.4, "no worse"),
        ("chrf", (50.0, 49.9), (-1.4, 1.2), 0.9, "undecided"),
        ("chrf", (50.0, 48.0), (-3.0, -1.0), 0.001, "worse"),
        ("off_target", (0.02, 0.06), (0.01, 0.07), 0.01, "worse"),  # lower is better: 2 % before, 6 % after
        ("off_target", (0.06, 0.02), (-0.07, -0.01), 0.01, "better"),
        ("ter", (50.0, 50.1), (-0.7, 0.9), 0.8, "no worse"),
    ],
)
def test_the_four_findings_by_hand(metric, values, interval, p, finding):
    difference = values[1] - values[0]
    pair = Pair("own", metric, "old", "new", *values, difference, *interval, p, p, 100, 100)
    verdict = judge(Standing((), (pair,)), tolerance=1.0)
    assert verdict.suites[0].finding == finding
    assert verdict.accepted == (finding in ("better", "no worse"))
    assert not judge(Standing((), ()), 1.0).accepted

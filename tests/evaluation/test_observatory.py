"""The observatory: evidence by hand, indicators by hand, and whole runs with a planted truth."""

from __future__ import annotations

import itertools
import json
import math
import random
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from dragoman.evaluation.observatory.alarms import alarms_of
from dragoman.evaluation.observatory.evidence import STRENGTHS, blocks, ends, find_rise, fortunes, stakes
from dragoman.evaluation.observatory.indicators import step_figures
from dragoman.evaluation.observatory.series import Series, series_of
from dragoman.evaluation.observatory.terminal import observation_table, sparkline
from dragoman.evaluation.observatory.watch import Observatory, observe
from dragoman.evaluation.observatory.worsening import allowance, sign_test, worsening
from dragoman.evaluation.outcomes import Evaluation, Outcome, StageTitle, SuiteResult
from dragoman.evaluation.run_logs import RolloutLine, StepLine
from dragoman.pipeline.cli import app

SOURCE = "Der Zug nach Hamburg fährt am Montag um 8 Uhr ab"
RIGHT = "Le train pour Hambourg part lundi à 8 heures"


def test_stakes_are_the_means_of_the_power_over_a_rank_s_interval() -> None:
    """κ = 1: the second of two values, being higher, pays 2 (1 − 1/4) = 3/2; being lower, 2 (1/4) = 1/2."""
    at = STRENGTHS.index(1.0)
    assert math.exp(stakes([0.0, 1.0])[at, 1]) == pytest.approx(1.5)
    assert math.exp(stakes([1.0, 0.0])[at, 1]) == pytest.approx(0.5)
    assert math.exp(stakes([1.0, 1.0])[at, 1]) == pytest.approx(0.5), "a tie counts as low"
    assert math.exp(stakes([5.0])[at, 0]) == pytest.approx(1.0), "the first value says nothing"


def test_a_fortune_is_fair_over_all_orders() -> None:
    """Exchangeable values come in every order equally often: the mean fortune over all 720 orders of six is 1."""
    orders = itertools.permutations(range(6))
    last = [math.exp(fortunes(order).logs[-1]) for order in orders]
    assert sum(last) / len(last) == pytest.approx(1.0)


def test_a_rise_is_found_with_its_beginning_and_only_where_it_matters() -> None:
    noise = random.Random(1)
    flat = [noise.random() for _ in range(40)]
    step = flat[:20] + [2 + value for value in flat[20:]]
    found = find_rise(step, 20, 0.5)
    assert found is not None
    assert found.since == 20
    assert found.found < 30
    assert find_rise(flat, 20, 0.0) is None
    assert find_rise(step, 20, 2.5) is None, "a rise of 2 is less than what was asked for"
    assert find_rise([], 20, 0.0) is None


def test_ends_and_blocks() -> None:
    assert ends([1, 3, 5, 5, 7, 9]) == (2.0, 8.0)
    assert blocks([1, 2, 3, 4, 5], 2) == [1.5, 3.5]


def line(response: str, source: str = SOURCE, **more: object) -> RolloutLine:
    return RolloutLine("translation", f"Translate: {source}", response, 1.0, direction="de-fr", source=source, **more)  # type: ignore[arg-type]


def test_indicators_of_a_step_by_hand() -> None:
    other = "Die Katze schläft seit 3 Tagen auf dem alten Sofa"
    figures = step_figures([line(RIGHT), line(SOURCE), line(RIGHT, other), line(""), line("Поезд отходит в 8 часов")])
    assert figures["copies"] == pytest.approx(1 / 5)
    assert figures["empty"] == pytest.approx(1 / 5)
    assert figures["hubs"] == pytest.approx(2 / 4), "four long answers, two of them one text for two sources"
    assert figures["foreign_script"] == pytest.approx(1 / 4), "of four answers with letters one is Cyrillic"
    assert figures["numbers"] == pytest.approx(2 / 5), "the empty one, and 8 where 3 belongs"
    assert "markup" not in figures, "no source has any"


def test_a_log_without_sources_still_shows_copies() -> None:
    old = RolloutLine("translation", f"Translate into French:\n{SOURCE}", SOURCE, 1.0, direction="de-fr")
    assert step_figures([old])["copies"] == 1
    assert "length" not in step_figures([old])


def test_roles_follow_what_the_run_optimises() -> None:
    lines = [StepLine(float(n), {"reward_mean": 0.1, "reward/chrf": 0.1, "development/de-fr/chrf": 40.0,
                                 "development/de-fr/adequacy": 0.5, "development/de-fr/off_target": 0.1,
                                 "score": 0.4, "loss": 1.0}) for n in range(3)]  # fmt: skip
    roles = {one.name: one.role for one in series_of(lines, {}, ["direction"])}
    assert roles == {
        "reward_mean": "reward", "reward/chrf": "reward", "development/de-fr/chrf": "optimised",
        "development/de-fr/adequacy": "disjoint", "development/de-fr/off_target": "optimised",
    }  # fmt: skip


def metric_lines(adequacy: float, reward: float) -> list[StepLine]:
    """A run of 120 steps, measured every fifth; both go steadily by so much, with noise."""
    noise = random.Random(3)
    found = [StepLine(float(n), {"reward_mean": 0.4 + reward * n / 120 + noise.gauss(0, 0.02)}) for n in range(120)]
    looks = range(0, 120, 5)
    return found + [
        StepLine(float(n), {"development/zero/adequacy": 0.6 + adequacy * n / 120 + noise.gauss(0, 0.01)})
        for n in looks
    ]


def test_an_alarm_needs_both_a_rise_and_a_fall() -> None:
    [alarm] = alarms_of(series_of(metric_lines(-0.2, 0.3), {}))
    sentence = alarm.sentence("runs/x")
    assert "reward, mean rose from 0.4" in sentence
    assert "adequacy, zero fell from" in sentence
    assert "dragoman samples runs/x --step" in sentence
    assert alarms_of(series_of(metric_lines(-0.2, 0.0), {})) == [], "a fall alone is no parting"
    assert alarms_of(series_of(metric_lines(0.2, 0.3), {})) == [], "both rise"
    assert alarms_of(series_of(metric_lines(0.0, 0.3), {})) == []


def test_a_sign_test_by_hand() -> None:
    """Five falls of five: 1/32. Four of five: 6/32. What did not change says nothing."""
    assert sign_test([-1, -1, -1, -1, -1, 0, 0]) == pytest.approx(1 / 32)
    assert sign_test([-1, -1, 2, -1, -1]) == pytest.approx(6 / 32)
    assert sign_test([0.0, 0.0]) == 1.0
    assert sum(allowance(look) for look in range(1, 100_000)) == pytest.approx(1, abs=1e-4)


def evaluated(rights: list[bool], clusters: int | None = None) -> Evaluation:
    """A suite of sums, and one of translations that are right or empty."""
    shown = StageTitle("rl", "rl")
    sums = [Outcome(f"m{n}", "math", "math", "slots", "?", "2", "2", 1.0, correct=right,
                    cluster=str(n % clusters) if clusters else "") for n, right in enumerate(rights)]  # fmt: skip
    texts = [Outcome(f"t{n}", "zero", "translation", "slots", "?", "ein Wort", "ein Wort" if right else "", 1.0)
             for n, right in enumerate(rights)]  # fmt: skip
    suites = (SuiteResult("math", "math", {}), SuiteResult("zero", "translation", {}))
    return Evaluation(shown, suites, (*sums, *texts))


def test_rows_say_whether_a_metric_worsened_since_the_first_look() -> None:
    found = worsening(evaluated([True] * 10), evaluated([True] * 4 + [False] * 6))
    assert found["development/math/accuracy/p_worse"] == pytest.approx(1 / 64)
    assert found["development/zero/chrf/p_worse"] == pytest.approx(1 / 64)
    assert "development/zero/off_target/p_worse" not in found, "no row says whether it is on target"
    better = worsening(evaluated([False] * 6), evaluated([True] * 6))
    assert better["development/math/accuracy/p_worse"] == 1
    assert worsening(evaluated([True] * 10, 2), evaluated([False] * 10, 2))[
        "development/math/accuracy/p_worse"
    ] == pytest.approx(1 / 4), "ten wordings of two sums are two questions"


def test_a_metric_that_its_rows_call_worse_is_told_at_once_unless_the_reward_falls_too() -> None:
    """A hack that is over after the first look: the history of the mean says nothing, the rows do."""
    figures = [(0, 0.55, None), (5, 0.2, 1e-6), (10, 0.1, 1e-7), (15, 0.1, 1e-7)]

    def run(reward: float) -> list[StepLine]:
        lines = [StepLine(float(n), {"reward_mean": 0.5 + reward * n}) for n in range(16)]
        for step, value, p in figures:
            more = {} if p is None else {"development/zero/adequacy/p_worse": p}
            lines.append(StepLine(float(step), {"development/zero/adequacy": value, **more}))
        return lines

    [alarm] = alarms_of(series_of(run(0.01), {}))
    assert alarm.step == 5
    assert "reward, mean went from 0.51 to 0.55, adequacy, zero fell from 55.0 % to 20.0 %" in alarm.sentence("x")
    assert alarms_of(series_of(run(-0.01), {})) == [], "a policy that falls apart is no hack"


def test_the_level_of_the_rows_holds_over_all_looks() -> None:
    """300 runs of 19 looks at rows that change at random: 5 % may have an alarm, 8.8 % is three sigma more."""
    alarmed = 0
    for number in range(300):
        noise = random.Random(number)
        lines = [StepLine(float(n), {"reward_mean": float(n)}) for n in range(20)]
        for look in range(1, 20):
            for suite in ("a", "b", "c"):
                p = sign_test([noise.choice((-1, 1)) for _ in range(20)])
                name = f"development/{suite}/adequacy"
                lines.append(StepLine(float(look), {name: 0.5 - look / 20, f"{name}/p_worse": p}))
        alarmed += bool(alarms_of(series_of(lines, {})))
    assert alarmed / 300 <= 0.088


def test_the_level_holds_without_any_smallest_change() -> None:
    """300 runs of noise, four metrics and a rising reward: 5 % of them may have an alarm, 8.8 % is three sigma more."""
    alarmed = 0
    for number in range(300):
        noise = random.Random(number)
        steps = tuple(map(float, range(30)))
        metrics = [tuple(noise.expovariate(1) for _ in steps) for _ in range(4)]
        rows = [Series(f"m{n}", f"m{n}", "disjoint", steps, values) for n, values in enumerate(metrics)]
        alarmed += bool(alarms_of([Series("r", "r", "reward", steps, steps), *rows]))
    assert alarmed / 300 <= 0.088


def write_run(folder: Path, copies_from: int, steps: int = 60) -> Path:
    """Logs of a run whose policy hands back the source more and more often from a step on."""
    noise = random.Random(5)
    metrics, samples = [], []
    for step in range(steps):
        rate = min(0.9, max(0.0, (step - copies_from) / 20))
        metrics.append({"stage": "rl", "step": step, "reward_mean": 0.4 + rate / 3 + noise.gauss(0, 0.02)})
        for number in range(16):
            copied = noise.random() < rate
            source = f"{SOURCE} Gleis {number} {step}"
            answer = source if copied else f"{RIGHT} quai {number} {step}"
            samples.append({"step": step, "task": "translation", "direction": "de-fr", "id": f"p{number}",
                            "source": source, "prompt": source, "response": answer, "reward": 0.5})  # fmt: skip
    folder.mkdir()
    for name, lines in (("metrics", metrics), ("samples", samples)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "leaky", copies_from=10)


def test_a_leaky_run_is_told_of_before_its_half(leaky: Path) -> None:
    found = observe(leaky)
    copies = next(alarm for alarm in found.alarms if alarm.worse.series.name == "copies")
    assert 10 < copies.step < 30
    assert "copies of the source rose from" in copies.sentence("x")


def test_an_honest_run_has_no_alarm(tmp_path: Path) -> None:
    assert observe(write_run(tmp_path / "honest", copies_from=1000)).alarms == ()


def test_a_growing_run_tells_each_alarm_once(leaky: Path) -> None:
    watching = Observatory(leaky)
    assert any("copies" in sentence for sentence in watching.new_alarms())
    assert watching.new_alarms() == []


def test_the_table_fits_a_terminal_and_the_command_says_where_to_look(leaky: Path) -> None:
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(observation_table(observe(leaky)))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "! copies of the source" in text
    told = CliRunner().invoke(app, ["observe", str(leaky), "--fail"])
    assert told.exit_code == 1
    assert "ALARM" in told.output
    assert "dragoman samples" in told.output


def test_sparkline() -> None:
    assert sparkline([0, 7]) == "▁█"
    assert sparkline([1, 1, 1]) == "▁▁▁"
    assert sparkline(list(range(32)), 8) == "▁▂▃▄▅▆▇█"

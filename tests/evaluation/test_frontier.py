"""Which model between two stands on the frontier."""

import asyncio

import pytest

from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.frontier import candidates_of, chosen, table
from dragoman.evaluation.outcomes import StageTitle
from tests.evaluation.conftest import Grader, stand_in


@pytest.fixture(scope="module")
def measured(suites):
    """By skill (translation, general): an evaluation."""

    def of(translation, general):
        generate = stand_in((translation, general, 0.0), "one seed for all", samples=0)
        return asyncio.run(evaluate(suites, generate, Grader(), StageTitle("s", "s")))

    return of


def test_a_model_as_good_as_both_ends_is_chosen_and_one_that_lost_a_skill_is_out(measured):
    # the earlier end knows more, the later translates better; .3 has both, .7 has lost general skill
    candidates = candidates_of(
        {0.0: measured(0.3, 0.9), 0.3: measured(0.9, 0.9), 0.7: measured(0.95, 0.05), 1.0: measured(0.95, 0.6)}
    )
    assert [c.weight for c in candidates] == [0.0, 0.3, 0.7, 1.0]
    assert candidates[1].worse == () and any("than the earlier" in text for text in candidates[2].worse)
    assert chosen(candidates) is candidates[1]
    assert all(name in table(candidates) for name in ("chrF", "worse: ", "than the earlier", "0.3 "))


def test_nothing_is_chosen_where_each_is_worse_than_an_end(measured):
    candidates = candidates_of({0.0: measured(0.9, 0.9), 0.5: measured(0.1, 0.1), 1.0: measured(0.9, 0.9)})
    assert candidates[1].worse and chosen(candidates) is None


def test_of_several_the_one_with_the_highest_mean_of_both_kinds_is_taken(measured):
    candidates = candidates_of(
        {0.0: measured(0.2, 0.2), 0.3: measured(0.5, 0.5), 0.5: measured(0.9, 0.9), 1.0: measured(0.2, 0.2)}
    )
    best = chosen(candidates)
    assert best is candidates[2] and best.score == pytest.approx((best.translation / 100 + best.general) / 2)

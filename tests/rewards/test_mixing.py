"""Mixing against hand calculation."""

from __future__ import annotations

import numpy as np
import pytest

from rewards.mixing import Part, gdpo_advantages, group_advantages, mix, normalised_sums, weighted
from rewards.records import Bonus, RewardResult


def part(value: float | None, weight: float = 1.0, gate: bool = False, floor: float = 0.0, status: str = "ok") -> Part:
    return Part(RewardResult("k", value, status), weight, gate, floor)  # type: ignore[arg-type]


def test_weighted_is_the_weighted_mean() -> None:
    assert weighted([1.0, 0.5], [1.0, 3.0]) == pytest.approx(2.5 / 4)
    assert weighted([], []) is None


def test_gates_take_no_part_in_the_sum() -> None:
    assert mix([part(0.4, 2.0), part(1.0, 1.0), part(1.0, 5.0, gate=True)]) == pytest.approx(1.8 / 3)


def test_a_failed_gate_sets_the_floor_and_subtracts_nothing() -> None:
    assert mix([part(0.9), part(0.49, gate=True, floor=-1.0)]) == -1.0
    assert mix([part(0.9), part(0.5, gate=True, floor=-1.0)]) == pytest.approx(0.9)


def test_the_lowest_floor_of_the_failed_gates_counts() -> None:
    assert mix([part(0.9), part(0.0, gate=True, floor=0.1), part(0.0, gate=True, floor=-2.0)]) == -2.0


def test_weighted_mixing_ignores_gates() -> None:
    assert mix([part(0.9), part(0.0, gate=True)], "weighted") == pytest.approx(0.9)


@pytest.mark.parametrize("status", ["error", "timeout"])
def test_what_could_not_be_computed_is_none_and_never_zero(status: str) -> None:
    assert mix([part(1.0), part(None, status=status)]) is None
    assert mix([part(1.0), part(None, gate=True, status=status)]) is None


def test_a_failed_gate_decides_even_when_another_component_could_not_be_computed() -> None:
    assert mix([part(None, status="timeout"), part(0.0, gate=True, floor=0.0)]) == 0.0


def test_what_does_not_apply_is_left_out() -> None:
    assert mix([part(0.6), part(None, 9.0, status="not_applicable")]) == pytest.approx(0.6)
    assert mix([part(None, status="not_applicable")]) is None


def test_a_row_of_gates_only_scores_their_mean() -> None:
    assert mix([part(1.0, gate=True), part(0.6, gate=True)]) == pytest.approx(0.8)


def test_group_advantages_by_hand() -> None:
    # mean 2, population variance (1 + 0 + 1) / 3
    expected = np.array([-1.0, 0.0, 1.0]) / np.sqrt(2 / 3)
    assert group_advantages(np.array([1.0, 2.0, 3.0]), eps=0.0) == pytest.approx(expected)


def test_a_group_of_equal_rewards_has_no_advantage() -> None:
    assert group_advantages(np.array([0.5, 0.5])) == pytest.approx([0.0, 0.0])


def test_a_component_of_small_spread_counts_as_much_as_one_of_large_spread() -> None:
    components = np.array([[0.0, 0.50], [1.0, 0.50], [0.0, 0.51], [1.0, 0.51]])
    # each column standardises to -1 / +1, so the sums are -2, 0, 0, 2
    assert normalised_sums(components, [1.0, 1.0], eps=0.0) == pytest.approx([-2.0, 0.0, 0.0, 2.0])
    assert normalised_sums(components, [1.0, 0.5], eps=0.0) == pytest.approx([-1.5, 0.5, -0.5, 1.5])


def test_missing_components_add_nothing_and_a_sample_without_any_stays_missing() -> None:
    components = np.array([[0.0, np.nan], [2.0, np.nan], [np.nan, np.nan]])
    sums = normalised_sums(components, [1.0, 1.0], eps=0.0)
    assert sums[:2] == pytest.approx([-1.0, 1.0])
    assert np.isnan(sums[2])


def test_gdpo_whitens_over_the_batch_and_keeps_the_groups() -> None:
    groups = [np.array([[0.0], [1.0]]), np.array([[5.0], [9.0]])]
    # both groups give -1, +1; their batch has mean 0 and standard deviation 1
    first, second = gdpo_advantages(groups, [[1.0], [1.0]], eps=0.0)
    assert first == pytest.approx([-1.0, 1.0])
    assert second == pytest.approx([-1.0, 1.0])


@pytest.mark.parametrize(
    ("verified", "preferred", "expected"),
    [(1.0, 0.9, 2.0), (1.0, 0.8, 0.5), (0.5, 0.9, 1.5), (0.0, 0.9, 0.0), (-1.0, 0.9, -1.0)],
)
def test_a_bonus_is_added_to_what_was_earned_and_to_nothing_else(
    verified: float, preferred: float, expected: float
) -> None:
    parts = [part(verified), Part(RewardResult("judge", preferred), bonus=Bonus(above=0.8))]
    assert mix(parts) == pytest.approx(expected)


def test_a_bonus_behind_a_failed_gate_or_that_failed_itself() -> None:
    judge = Part(RewardResult("judge", 1.0), bonus=Bonus(above=0.5, add=0.25))
    assert mix([part(0.7), judge]) == pytest.approx(0.95)
    assert mix([part(0.7), part(0.0, gate=True), judge]) == 0.0
    broken = Part(RewardResult("judge", None, "timeout"), bonus=Bonus(above=0.5))
    assert mix([part(0.7), broken]) is None
    assert mix([part(0.0), broken]) == 0.0  # nothing earned: the bonus does not matter
    absent = Part(RewardResult("judge", None, "not_applicable"), bonus=Bonus(above=0.5))
    assert mix([part(0.7), absent]) == pytest.approx(0.7)

"""Mixing against hand calculation."""

from __future__ import annotations

import numpy as np
import pytest

from rewards.mixing import (
    Part,
    component_table,
    components_differ,
    gdpo_advantages,
    group_advantages,
    mix,
    normalised_sums,
    weighted,
)
from rewards.records import Bonus, RewardResult, RewardSpec, Score


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


def answers(specs: list[RewardSpec], *rows: tuple[float | str, ...]) -> list[Score]:
    """Scores whose components have these values, or these statuses."""
    return [
        Score("q", None, tuple(
            RewardResult(spec.kind, None, value) if isinstance(value, str) else RewardResult(spec.kind, value)  # type: ignore[arg-type]
            for spec, value in zip(specs, row, strict=True)
        ))
        for row in rows
    ]  # fmt: skip


CHRF, BLEU = RewardSpec("chrf", weight=3.0), RewardSpec("bleu", weight=1.0)
GATE = RewardSpec("direction")
JUDGE = RewardSpec("judge", weight=7.0, bonus=Bonus(above=0.8, add=1.0, otherwise=-0.5))


def test_the_table_has_the_terms_of_the_mixed_sum() -> None:
    specs = [CHRF, GATE, BLEU]
    table, weights = component_table(specs, answers(specs, (0.4, 1.0, 0.2), (0.9, 0.0, 0.8)), "gated")
    assert weights == [0.75, 0.25]  # 3 and 1 of 4
    assert table.tolist() == [[0.4, 0.2], [0.0, 0.0]]  # the second failed the gate, whose floor is 0


def test_gates_act_only_when_mixing_is_gated() -> None:
    specs = [CHRF, GATE]
    table, weights = component_table(specs, answers(specs, (0.4, 1.0), (0.9, 0.0)), "weighted")
    assert (table.tolist(), weights) == ([[0.4], [0.9]], [1.0])
    alone, weights = component_table([GATE], answers([GATE], (1.0,), (0.0,)), "weighted")
    assert (alone.tolist(), weights) == ([[1.0], [0.0]], [1.0])


def test_a_bonus_counts_as_what_it_adds() -> None:
    specs = [CHRF, GATE, JUDGE]
    scores = answers(
        specs, (0.4, 1.0, 0.9), (0.4, 1.0, 0.7), (0.0, 1.0, 0.9), (0.6, 0.0, 0.9), (0.5, 1.0, "not_applicable")
    )
    table, weights = component_table(specs, scores, "gated")
    assert weights == [1.0, 1.0]
    # preferred, not preferred, nothing earned, failed gate, no bonus to judge
    assert table.tolist() == [[0.4, 1.0], [0.4, -0.5], [0.0, 0.0], [0.0, 0.0], [0.5, 0.0]]


@pytest.mark.parametrize("mixing", ["gated", "weighted"])
def test_the_weighted_terms_add_up_to_the_mixed_reward(mixing: str) -> None:
    specs = [CHRF, GATE, BLEU, JUDGE]
    scores = answers(specs, (0.4, 1.0, 0.2, 0.9), (0.4, 0.0, 0.2, 0.1), (0.0, 1.0, 0.0, 0.9), (0.1, 1.0, 0.3, 0.3))
    table, weights = component_table(specs, scores, mixing)  # type: ignore[arg-type]
    for row, score in zip(table, scores, strict=True):
        parts = [
            Part(result, spec.weight, spec is GATE, 0.0, spec.bonus)
            for spec, result in zip(specs, score.components, strict=True)
        ]
        assert float(row @ np.array(weights)) == pytest.approx(mix(parts, mixing))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "mixing"),
    [
        (("error", 1.0, 0.5), "gated"),
        ((0.4, "timeout", 0.5), "gated"),
        ((0.4, 1.0, "timeout"), "gated"),
        ((0.4, 1.0, "error"), "weighted"),
    ],
)
def test_an_answer_without_a_reward_takes_no_part(values: tuple[float | str, ...], mixing: str) -> None:
    specs = [CHRF, GATE, JUDGE]
    table, _ = component_table(specs, answers(specs, (0.4, 1.0, 0.9), values), mixing)  # type: ignore[arg-type]
    assert table[0].tolist() == [0.4, 1.0] and np.isnan(table[1]).all()


def test_gdpo_pays_a_bonus_by_hand() -> None:
    # chrf 0.2, 0.4 standardises to -1, 1; the bonus 1.0, -0.5 to 1, -1: they cancel
    specs = [CHRF, JUDGE]
    first = component_table(specs, answers(specs, (0.2, 0.9), (0.4, 0.1)), "gated")
    # here they add up to -2, 2; over both groups 0, 0, -2, 2 has the standard deviation sqrt 2
    second = component_table(specs, answers(specs, (0.2, 0.1), (0.4, 0.9)), "gated")
    found = gdpo_advantages([first[0], second[0]], [first[1], second[1]], eps=0.0)
    assert found[0] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert found[1] == pytest.approx([-np.sqrt(2), np.sqrt(2)])


def test_answers_of_equal_rewards_may_differ_in_their_components() -> None:
    specs = [RewardSpec("chrf"), RewardSpec("bleu")]
    assert components_differ(specs, answers(specs, (0.2, 0.8), (0.8, 0.2)), "gated")
    assert not components_differ(specs, answers(specs, (0.2, 0.8), (0.2, 0.8)), "gated")
    assert not components_differ(specs, answers(specs, (0.2, 0.8), (0.2, 0.85)), "gated", minimum_spread=0.1)
    unused = [RewardSpec("chrf"), RewardSpec("bleu", weight=0.0)]
    assert not components_differ(unused, answers(unused, (0.2, 0.8), (0.2, 0.1)), "gated")


def test_what_no_mixing_uses_makes_no_difference() -> None:
    specs = [CHRF, GATE]
    scores = answers(specs, (0.5, 1.0), (0.5, 0.0))
    assert components_differ(specs, scores, "gated") and not components_differ(specs, scores, "weighted")
    bonus = [CHRF, JUDGE]
    assert components_differ(bonus, answers(bonus, (0.5, 0.9), (0.5, 0.1)), "gated")
    assert not components_differ(bonus, answers(bonus, (0.5, 0.9), (0.5, 0.85)), "gated")  # both above 0.8
    assert not components_differ(bonus, answers(bonus, (0.5, 0.9), ("error", 0.1)), "gated")
    assert not components_differ(bonus, [], "gated")

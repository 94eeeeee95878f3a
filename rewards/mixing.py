"""Turn the components of a reward into one number: pure functions, no effects.

- `weighted`: sum(w_i v_i) / sum(w_i) over the applicable components; gates take no part unless there is nothing else.
- `gated`: the same, but a failed gate (value < 0.5) sets the reward to a floor. It is not subtracted: a
  subtraction leaves a copied source with a high chrF above an honest poor translation (WALAR, arXiv
  2603.13045, sets a floor too).
- `with_bonuses`: a component that adds to what was earned and never replaces it (IFBench, arXiv 2507.02833: with
  V > 0 the reward is V + 1 where the preference score is above a threshold, V - 0.5 where it is not).

`mix` applies these to results with statuses. What could not be computed is None, never 0.

What a component marks in the answer (`RewardResult.spans`) has no part in that number. `credited_spans` weighs it for
the credit of single tokens: value times `span_weight`, which is the component's weight unless the row says otherwise,
whether the component is part of the sum, a gate or a bonus, and whether or not a gate failed.

GDPO keeps the components apart: each is standardised within its group before the weighted sum, then the sum is
standardised over the batch ("normalize then sum"), so that a component with a small spread is not drowned by one with a
large spread. `component_table` gives it the terms of the sum that `mix` makes, under the same mixing: what decides the
reward decides the advantage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from rewards.errors import RewardError
from rewards.records import Bonus, RewardResult, RewardSpec, Score, Span
from rewards.registry import find_kind

Mixing = Literal["gated", "weighted"]
GATE_THRESHOLD = 0.5
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """One component as the mixing sees it."""

    result: RewardResult
    weight: float = 1.0
    gate: bool = False
    floor: float = 0.0
    bonus: Bonus | None = None


def part_of(spec: RewardSpec, result: RewardResult) -> Part:
    """A component with what its kind declares; an unknown kind is no gate (its result is an error)."""
    try:
        kind = find_kind(spec.kind)
    except RewardError:
        return Part(result, spec.weight, bonus=spec.bonus)
    return Part(result, spec.weight, kind.gate if spec.gate is None else spec.gate, kind.floor, spec.bonus)


def weighted(values: Sequence[float], weights: Sequence[float]) -> float | None:
    """sum(w_i v_i) / sum(w_i); None when there is nothing to weigh."""
    total = sum(weights)
    if total <= 0:
        return None
    return sum(w * v for w, v in zip(weights, values, strict=True)) / total


def gated(reward: float | None, gate_values: Sequence[float], floors: Sequence[float]) -> float | None:
    """The reward itself when every gate holds, else the lowest floor of the failed gates."""
    failed = [floor for value, floor in zip(gate_values, floors, strict=True) if value < GATE_THRESHOLD]
    return min(failed) if failed else reward


def mix(parts: Sequence[Part], mixing: Mixing = "gated") -> float | None:
    """One reward from results with statuses.

    A failed gate decides at once, whatever else could not be computed. Otherwise any needed component with
    status `error` or `timeout` makes the reward None. Components that are not applicable are left out of the
    sum. A row made of gates only scores their weighted mean.
    """
    bonuses = [p for p in parts if p.bonus is not None]
    parts = [p for p in parts if p.bonus is None]
    return with_bonuses(_mix_main(parts, mixing), bonuses)


def with_bonuses(reward: float | None, bonuses: Sequence[Part]) -> float | None:
    """The reward with its conditional bonuses. What was not earned (reward <= 0) gets none; one that failed
    makes the reward None; one that does not apply adds nothing.
    """
    if reward is None or reward <= 0:
        return reward
    if any(p.result.status in ("error", "timeout") for p in bonuses):
        return None
    return reward + sum(_bonus_term(part, reward) for part in bonuses)


def _bonus_term(part: Part, earned: float) -> float:
    """What a bonus adds to a reward of `earned`."""
    if earned <= 0 or part.bonus is None or part.result.status != "ok":
        return 0.0
    return part.bonus.add if _value(part) > part.bonus.above else part.bonus.otherwise


def _mix_main(parts: Sequence[Part], mixing: Mixing) -> float | None:
    scoring = [p for p in parts if not p.gate] or list(parts)
    floor = _failed_floor(parts, mixing)
    if floor is not None:
        return floor
    needed = list(parts) if mixing == "gated" else scoring
    if any(p.result.status in ("error", "timeout") for p in needed):
        return None
    applicable = [p for p in scoring if p.result.status == "ok" and p.weight > 0]
    return weighted([_value(p) for p in applicable], [p.weight for p in applicable])


def _failed_floor(parts: Sequence[Part], mixing: Mixing) -> float | None:
    """The reward of an answer that failed a gate; None when it failed none, or gates do not act."""
    computed = [p for p in parts if p.gate and p.bonus is None and p.result.status == "ok"]
    acting = computed if mixing == "gated" else []
    return gated(None, [_value(p) for p in acting], [p.floor for p in acting])


def credited_spans(specs: Sequence[RewardSpec], score: Score) -> list[Span]:
    """The spans of a row's components with their values weighted; those that weigh nothing are left out."""
    found = []
    for spec, result in zip(specs, score.components, strict=True):
        weight = spec.weight if spec.span_weight is None else spec.span_weight
        found += [replace(span, value=weight * span.value) for span in result.spans]
    return [span for span in found if span.value]


def group_advantages(values: Array, scale: bool = True, eps: float = 1e-6) -> Array:
    """(group,) rewards -> (v - mean) / (std + eps), population std; NaN marks a sample without a reward and stays."""
    known = values[~np.isnan(values)]
    if known.size == 0:
        return values.copy()
    centred = values - known.mean()
    return centred / (known.std() + eps) if scale else centred


def normalised_sums(components_G_K: Array, weights_K: Sequence[float], eps: float = 1e-6) -> Array:
    """(group, kinds) component values -> (group,) weighted sums of per-component advantages (GDPO).

    A NaN entry (not applicable) adds nothing to its sample; a row of NaNs stays NaN.
    """
    columns = [group_advantages(components_G_K[:, k], eps=eps) for k in range(components_G_K.shape[1])]
    stacked = np.stack(columns, axis=1) * np.asarray(weights_K, dtype=np.float64)
    sums: Array = np.nansum(stacked, axis=1)
    sums[np.isnan(components_G_K).all(axis=1)] = np.nan
    return sums


def gdpo_advantages(groups: Sequence[Array], weights: Sequence[Sequence[float]], eps: float = 1e-6) -> list[Array]:
    """GDPO over a batch: `normalised_sums` within each group, then standardised over the whole batch.

    groups: (group, kinds) component values each, weights: the weights of its kinds; both may differ in kinds.
    """
    sums = [normalised_sums(group, given, eps) for group, given in zip(groups, weights, strict=True)]
    whitened = group_advantages(np.concatenate(sums), eps=eps)
    return list(np.split(whitened, np.cumsum([len(s) for s in sums])[:-1]))


def component_table(specs: Sequence[RewardSpec], scores: Sequence[Score], mixing: Mixing) -> tuple[Array, list[float]]:
    """(answers, terms) of the sum that `mix` makes of a row's components, and their weights, for `gdpo_advantages`.

    First the components of the weighted mean, each with its share of the weights; an answer that failed a gate has the
    gate's floor in each. Then one column a bonus, of weight 1: what it added to this answer. NaN is a component that
    does not apply; an answer whose reward `mix` cannot compute has NaN throughout.
    """
    answers = [[part_of(*pair) for pair in zip(specs, score.components, strict=True)] for score in scores]
    main = [k for k, spec in enumerate(specs) if spec.bonus is None]
    gates = [find_kind(spec.kind).gate if spec.gate is None else spec.gate for spec in specs]
    scoring = [k for k in main if not gates[k]] or main
    bonuses = [k for k, spec in enumerate(specs) if spec.bonus is not None]
    table = np.full((len(scores), len(scoring) + len(bonuses)), np.nan)
    for line, parts in enumerate(answers):
        if mix(parts, mixing) is not None:
            table[line] = _terms(parts, scoring, bonuses, mixing)
    total = sum(specs[k].weight for k in scoring) or 1.0
    return table, [*(specs[k].weight / total for k in scoring), *(1.0 for _ in bonuses)]


def components_differ(
    specs: Sequence[RewardSpec], scores: Sequence[Score], mixing: Mixing, minimum_spread: float = 1e-9
) -> bool:
    """Whether a group's answers differ by more than `minimum_spread` in a component that GDPO uses.

    Answers of equal rewards may: one that is right and long and one that is wrong and short teach something under GDPO.
    """
    table, weights = component_table(specs, scores, mixing)
    used = [column[~np.isnan(column)] for column, weight in zip(table.T, weights, strict=True) if weight > 0]
    return any(float(np.ptp(column)) > minimum_spread for column in used if column.size)


def _terms(parts: Sequence[Part], scoring: Sequence[int], bonuses: Sequence[int], mixing: Mixing) -> list[float]:
    main = [part for part in parts if part.bonus is None]
    floor, earned = _failed_floor(main, mixing), _mix_main(main, mixing)
    values = [floor if floor is not None else _value_or_nan(parts[k]) for k in scoring]
    return values + [_bonus_term(parts[k], earned or 0.0) for k in bonuses]


def _value_or_nan(part: Part) -> float:
    return _value(part) if part.result.status == "ok" else float("nan")


def _value(part: Part) -> float:
    assert part.result.value is not None, "status ok without a value"
    return part.result.value

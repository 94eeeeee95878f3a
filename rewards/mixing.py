"""Turn the components of a reward into one number: pure functions, no effects.

- `weighted`: sum(w_i v_i) / sum(w_i) over the applicable components.
- `gated`: the same, but a failed gate (value < 0.5) sets the reward to a floor. It is not subtracted: a
  subtraction leaves a copied source with a high chrF above an honest poor translation (WALAR, arXiv
  2603.13045, sets a floor too).
- `normalised_sums`: each component is standardised within its group before the weighted sum, then the sum is
  standardised over the batch ("normalize then sum" of GDPO), so that a component with a small spread is not
  drowned by one with a large spread.

- `with_bonuses`: a component that adds to what was earned and never replaces it (IFBench, arXiv 2507.02833: with
  V > 0 the reward is V + 1 where the preference score is above a threshold, V - 0.5 where it is not).

`mix` applies the first two to results with statuses. What could not be computed is None, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rewards.records import Bonus, RewardResult, RewardSpec, Score
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
    for part in bonuses:
        if part.result.status == "ok" and part.bonus is not None:
            reward += part.bonus.add if _value(part) > part.bonus.above else part.bonus.otherwise
    return reward


def _mix_main(parts: Sequence[Part], mixing: Mixing) -> float | None:
    gates = [p for p in parts if p.gate]
    scoring = [p for p in parts if not p.gate] or gates
    computed_gates = [p for p in gates if p.result.status == "ok"]
    if mixing == "gated":
        floor = gated(None, [_value(p) for p in computed_gates], [p.floor for p in computed_gates])
        if floor is not None:
            return floor
    needed = list(parts) if mixing == "gated" else scoring
    if any(p.result.status in ("error", "timeout") for p in needed):
        return None
    applicable = [p for p in scoring if p.result.status == "ok" and p.weight > 0]
    return weighted([_value(p) for p in applicable], [p.weight for p in applicable])


def group_advantages(values: Array, scale: bool = True, eps: float = 1e-6) -> Array:
    """(group,) rewards -> (v - mean) / (std + eps), population std; NaN marks a sample without a reward and
    stays.
    """
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


def component_table(specs: Sequence[RewardSpec], scores: Sequence[Score]) -> tuple[Array, list[float]]:
    """(answers, kinds) values of a row's scoring components, and their weights, for `gdpo_advantages`.

    Gates take part as in `mix`: where one failed, every component of that answer counts as the gate's floor. A row
    of gates only is scored by its gates. NaN is a component that does not apply.
    """
    gates = [_is_gate(spec) for spec in specs]
    main = [k for k, spec in enumerate(specs) if spec.bonus is None]
    kept = [k for k in main if not gates[k]] or main
    table = np.full((len(scores), len(kept)), np.nan)
    for line, score in enumerate(scores):
        parts = [
            Part(result, spec.weight, gate, find_kind(spec.kind).floor)
            for spec, result, gate in zip(specs, score.components, gates, strict=True)
        ]
        failed = [p for p in parts if p.gate and p.result.status == "ok" and _value(p) < GATE_THRESHOLD]
        for column, k in enumerate(kept):
            known = parts[k].result.status == "ok"
            table[line, column] = min(p.floor for p in failed) if failed else _value(parts[k]) if known else np.nan
    return table, [specs[k].weight for k in kept]


def _is_gate(spec: RewardSpec) -> bool:
    return find_kind(spec.kind).gate if spec.gate is None else spec.gate


def _value(part: Part) -> float:
    assert part.result.value is not None, "status ok without a value"
    return part.result.value

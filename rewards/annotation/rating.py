"""`rating`: the response gives a number on a scale; 1 - its distance from the right one, as a share of the scale.

The number stands alone on the last line, with a label before it or `/100` behind it, or nowhere: a response that names
several numbers is not searched for one that fits.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from rewards.records import Probe, RewardResult, RewardSpec, Row
from rewards.registry import reward
from rewards.spans import final_part

_NUMBER = re.compile(r"[^\d\n+-]*([+-]?\d{1,9}(?:[.,]\d{1,9})?)\s*(?:/\s*\d{1,9}|%)?[\W_]*")


def read_rating(response: str, low: float, high: float) -> float | None:
    """The number of the last line; None where there is none, or none of the scale."""
    lines = [line for line in final_part(response)[0].splitlines() if line.strip()]
    found = _NUMBER.fullmatch(lines[-1].strip()) if lines and len(lines[-1]) <= 200 else None
    value = float(found[1].replace(",", ".")) if found else math.nan
    return value if low <= value <= high else None


def check_args(args: Mapping[str, Any]) -> None:
    """ValueError when scale or right number are malformed."""
    values = [args.get("gold"), args.get("low", 0), args.get("high", 100)]
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) or not math.isfinite(v) for v in values):
        raise ValueError(f"gold, low and high are {values}; they must be numbers")
    gold, low, high = (float(v) for v in values if isinstance(v, (int, float)))
    if not low < high or not low <= gold <= high:
        raise ValueError(f"gold {gold:g} must lie on the scale from low {low:g} to high {high:g}")


def gold_number(spec: RewardSpec, row: Row) -> str:
    """The right number."""
    return f"{spec.argument('gold', row):g}"


def cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """Several numbers."""
    gold = spec.argument("gold", row)
    return [
        Probe("three numbers", f"{spec.argument('low', row, 0):g} or {gold:g} or {spec.argument('high', row, 100):g}")
    ]


@reward("rating", timeout_s=5, validate=check_args, gold=gold_number, cheats=cheats)
def rating(response: str, gold: float, low: float = 0.0, high: float = 100.0) -> RewardResult:
    """1 - |number - gold| / (high - low)."""
    value = read_rating(response, low, high)
    if value is None:
        return RewardResult("rating", 0.0, "ok", f"no number from {low:g} to {high:g} alone on the last line")
    return RewardResult("rating", 1 - abs(value - gold) / (high - low), "ok", f"{value:g} for {gold:g}")

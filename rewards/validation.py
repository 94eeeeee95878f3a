"""Refuse malformed rows when data is loaded, before any compute is spent.

Every error names the row's number (from 1), its id, the kind and what to do. What a kind's own arguments must
look like is asked of the kind (`RewardKind.validate`): a degenerate math gold, an unknown constraint, a code
case without an expected value.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rewards.calling import missing_arguments, unknown_arguments
from rewards.errors import RowError, nearest
from rewards.records import RewardSpec, Row
from rewards.registry import find_kind, known_kinds

_SPEC_KEYS = ("kind", "weight", "args", "gate", "bonus", "span_weight")
_BONUS_KEYS = ("above", "add", "otherwise")


def sort_out(rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """The rows that can be used, and for each of the others why it cannot."""
    usable, refusals = [], []
    for number, row in enumerate(rows, start=1):
        try:
            check_row(number, row)
            usable.append(row)
        except RowError as error:
            refusals.append(str(error))
    return usable, refusals


def validate_rows(rows: Iterable[Row], kinds_known: Iterable[str] | None = None) -> None:
    """Raise RowError at the first malformed row; `kinds_known` defaults to every registered kind."""
    names = None if kinds_known is None else set(kinds_known)
    for number, row in enumerate(rows, start=1):
        check_row(number, row, names)


def check_row(number: int, row: Row, kinds_known: Collection[str] | None = None) -> None:
    """Raise RowError, which names the row's number and id, unless its rewards can be computed."""
    where = f"row {number} (id {row.get('id')!r})"
    check_specs(where, parse_specs(where, row, kinds_known), row)


def parse_specs(where: str, row: Row, kinds_known: Collection[str] | None = None) -> tuple[RewardSpec, ...]:
    """The rewards of a row; RowError, which begins with `where`, when they are malformed or of an unknown kind."""
    if row.get("id") in (None, ""):
        raise RowError(f"{where}: column 'id' is missing; give each row a name of its own")
    given = row.get("rewards")
    if not isinstance(given, (list, tuple)) or not given:
        raise RowError(f"{where}: column 'rewards' must be a non-empty list of {{kind, weight, args}}")
    names = known_kinds() if kinds_known is None else kinds_known
    return tuple(_parse_spec(where, item, names) for item in given)


def check_specs(where: str, specs: Iterable[RewardSpec], row: Row) -> None:
    """Raise RowError unless every reward finds the arguments it needs, and accepts them."""
    for spec in specs:
        _validate_arguments(f"{where}, kind {spec.kind!r}", spec, row)


def _parse_spec(where: str, item: Any, names: Collection[str]) -> RewardSpec:
    if not isinstance(item, Mapping) or "kind" not in item:
        raise RowError(f"{where}: a reward must be a mapping with 'kind', 'weight' and 'args', not {item!r:.120}")
    for key in item:
        if key not in _SPEC_KEYS:
            raise RowError(f"{where}: unknown key {key!r} in a reward{nearest(str(key), _SPEC_KEYS)}")
    if item["kind"] not in names:
        raise RowError(f"{where}: unknown reward kind {item['kind']!r}{nearest(str(item['kind']), names)}")
    for name in ("weight", "span_weight"):
        weight = item.get(name, 1.0)
        if weight is None and name == "span_weight":
            continue
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not (0 <= weight < math.inf):
            raise RowError(f"{where}, kind {item['kind']!r}: {name} is {weight!r}; it must be a finite number >= 0")
    if not isinstance(item.get("args") or {}, Mapping):
        raise RowError(f"{where}, kind {item['kind']!r}: args must be a mapping, not {type(item['args']).__name__}")
    _check_bonus(f"{where}, kind {item['kind']!r}", item)
    return RewardSpec.from_dict(item)


def _check_bonus(where: str, item: Mapping[str, Any]) -> None:
    bonus = item.get("bonus")
    if bonus is None:
        return
    numbers = isinstance(bonus, Mapping) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        for value in bonus.values()
    )
    if not numbers or "above" not in bonus or set(bonus) - set(_BONUS_KEYS):
        raise RowError(
            f"{where}: bonus is {bonus!r:.120}; it must be {{'above': number, 'add': number, 'otherwise': number}}"
        )
    if item.get("gate"):
        raise RowError(f"{where}: a component is a gate or a bonus, not both; remove one of the two")


def _validate_arguments(where: str, spec: RewardSpec, row: Row) -> None:
    kind = find_kind(spec.kind)
    missing = missing_arguments(kind, spec, row)
    if missing:
        raise RowError(f"{where}: missing {', '.join(map(repr, missing))}; add it to the reward's args or as a column")
    unknown = unknown_arguments(kind, spec)
    if unknown:
        raise RowError(f"{where}: unknown argument {unknown[0]!r}; remove it or correct its name")
    if kind.validate is not None:
        try:
            kind.validate(_with_columns(spec, row))
        except (ValueError, TypeError, KeyError) as error:
            raise RowError(f"{where}: {error}") from error


def _with_columns(spec: RewardSpec, row: Row) -> dict[str, Any]:
    """The arguments as the function will see them: columns of the row, overridden by the spec's args."""
    return {**row, **spec.args}

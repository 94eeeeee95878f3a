"""Quality of an answer relative to the other answers to its prompt.

`relative_quality`: the place of its figure by another kind (`of`) within the group, from 0 (last) to 1 (first); equal
figures share the mean of their places. Outliers and differences of scale between prompts do not count any more, which
they do under a learned metric whose figures depend on script and domain (arXiv 2610.08159).
`consensus`: the mean chrF of an answer against the others, which needs no reference: the utility of minimum Bayes risk
decoding (Eikema and Aziz 2020). It pays what the model says often, so it sharpens and cannot teach what no answer has.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rewards.calling import call, call_batch
from rewards.errors import RewardError
from rewards.records import RewardResult, RewardSpec
from rewards.registry import each, find_kind, reward
from rewards.translation.quality import chrf


def check_relative(args: Mapping[str, Any]) -> None:
    """ValueError when `of` is no kind that can be called here."""
    name = args.get("of", "chrf")
    try:
        kind = find_kind(name)
    except RewardError as error:
        raise ValueError(f"argument 'of': {error}") from None
    if kind.isolated or kind.group or kind.environment:
        raise ValueError(f"argument 'of' is {name!r}, which needs a process of its own or a group; name another kind")


@reward("relative_quality", timeout_s=60, group=True, validate=check_relative)
def relative_quality(
    response: list[str],
    row: list[Mapping[str, Any]],
    of: list[str] = each("chrf"),
    arguments: list[Mapping[str, Any]] = each({}),
) -> list[RewardResult | None]:
    """The place by kind `of` with its `arguments`. One that could not be computed is its own error."""
    from scipy.stats import rankdata

    spec, kind = RewardSpec(of[0], args=arguments[0]), find_kind(of[0])
    checks = [(spec, one) for one in row]
    found = call_batch(kind, checks) if kind.batched else None
    results = found or [call(kind, *check) for check in checks]
    known = [result.value for result in results if result.value is not None]
    if len(known) < 2:
        return [None if result.status == "ok" else _renamed(result) for result in results]
    shares = iter((rankdata(known) - 1) / (len(known) - 1))
    return [
        _renamed(result) if result.value is None
        else RewardResult("relative_quality", float(next(shares)), "ok", f"{of[0]} {result.value:.3g}")
        for result in results
    ]  # fmt: skip


@reward("consensus", timeout_s=60, group=True)
def consensus(response: list[str]) -> list[float | None]:
    """Mean chrF against the other answers, in [0, 1]; does not apply to a single answer."""
    if len(response) < 2:
        return [None] * len(response)
    return [_mean([chrf(one, other) for j, other in enumerate(response) if j != i]) for i, one in enumerate(response)]


def _renamed(result: RewardResult) -> RewardResult:
    return RewardResult("relative_quality", None, result.status, f"{result.kind}: {result.detail}")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

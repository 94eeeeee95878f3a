"""Kind `math`: is the response's final answer equal to the gold answer?

    response -> extraction.py (which answer is meant) -> screening.py (refuse what cannot be a sane answer)
             -> equality.py (exact rationals, else math-verify + sympy, then re-checked) -> 1.0 / 0.0

Everything after extraction runs in a killable child (`isolated=True`): sympy can be made to run for hours,
and math-verify's own time-out is a signal that works in the main thread only. What math-verify 0.9.0 accepts
wrongly (`8=7` for 7, `700\\%` for 7, `{1,2}` for (1,2), 1/2^98 for 1/2^99, ...) is refused here; see
equality.py.
"""

from collections.abc import Mapping
from typing import Any

from dragoman.text.locales import check_locale, to_plain
from rewards.mathematics.extraction import EXTRACTIONS, extract
from rewards.mathematics.screening import screen
from rewards.records import Probe, RewardResult, RewardSpec, Row
from rewards.registry import reward


def check_gold(args: Mapping[str, Any]) -> None:
    """ValueError when the gold answer is degenerate: empty, too long, absurdly large, not parsable."""
    from rewards.mathematics.equality import is_parsable

    gold = args["gold"]
    if isinstance(gold, bool) or not isinstance(gold, (str, int, float)):
        raise ValueError(f"gold is {type(gold).__name__}; it must be a text such as '7' or '\\frac{{1}}{{2}}'")
    if args.get("extraction", "auto") not in EXTRACTIONS:
        raise ValueError(f"extraction is {args['extraction']!r}; it must be one of {', '.join(EXTRACTIONS)}")
    if args.get("locale"):
        check_locale(args["locale"])
    text = str(gold)
    problem = screen(text)
    if problem:
        raise ValueError(f"gold {text[:80]!r} is degenerate: {problem}; correct the row or leave it out")
    if not is_parsable(text):
        raise ValueError(f"gold {text[:80]!r} is degenerate: nothing in it parses; correct the row or leave it out")


def warm() -> None:
    """Fill ANTLR's and sympy's caches, so that forked workers start warm."""
    from rewards.mathematics.equality import WARM_PAIRS, equal

    for gold, answer in WARM_PAIRS:
        equal(gold, answer)


def boxed_gold(spec: RewardSpec, row: Row) -> str:
    """The gold answer as a response gives it."""
    return f"\\boxed{{{spec.argument('gold', row)}}}"


def answer_cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """Responses that hedge: several answers, or an equation that has the right one on a side."""
    gold = spec.argument("gold", row)
    return [
        Probe("two answers", f"\\boxed{{{gold}}} or \\boxed{{{gold}+1}}"),
        Probe("an equation", f"\\boxed{{{gold}+1={gold}}}"),
    ]


@reward(
    "math",
    timeout_s=3,
    isolated=True,
    confine=True,
    validate=check_gold,
    prepare=warm,
    gold=boxed_gold,
    cheats=answer_cheats,
)
def math(response: str, gold: str | int | float, extraction: str = "auto", locale: str | None = None) -> RewardResult:
    """1.0 when the final answer equals `gold`. extraction: `boxed`, `last_number`, or `auto` (boxed, else
    last). `locale` says how the response writes numbers; the gold answer is always plain or LaTeX.
    """
    from rewards.mathematics.equality import equal

    text = to_plain(response.replace("{,}", ","), locale) if locale else response
    found = extract(text, extraction)
    if found.answer is None:
        return RewardResult("math", 0.0, "ok", found.problem)
    problem = screen(found.answer)
    if problem:
        return RewardResult("math", 0.0, "ok", f"answer refused: {problem}")
    verdict = equal(str(gold), found.answer, decimal_comma=not locale)
    return RewardResult("math", float(verdict.equal), "ok", f"answer {found.answer[:80]!r}: {verdict.reason}")

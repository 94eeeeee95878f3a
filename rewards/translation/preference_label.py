"""`preference_label`: the response says which of two translations is better; 1.0 when it is right.

A verdict is a label alone on the last line, bare or as `Verdict: A`, `Answer: B`, `[[A]]`, `\\boxed{B}`. Exactly one
must be there: a response that names A on one line and B on another, or hides a second verdict in its reasoning, earns
nothing, whichever stands last. Without that, a policy learns to name both.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rewards.records import Probe, RewardResult, RewardSpec, Row
from rewards.registry import reward

LABELS = ("A", "B", "tie")
_DRESS = r"\s*_`(\["
_ENDS = " \t*_`()[].!"


def check_gold(args: Mapping[str, Any]) -> None:
    """ValueError when the labels are malformed or the gold is none of them."""
    labels = args.get("labels", LABELS)
    if not isinstance(labels, (list, tuple)) or not all(isinstance(one, str) and one.strip() for one in labels):
        raise ValueError(f"argument 'labels' is {labels!r:.80}; give a list of texts, such as ['A', 'B']")
    if len({one.casefold() for one in labels}) != len(labels) or len(labels) < 2:
        raise ValueError(f"labels {list(labels)} must be at least two, and different whatever their case")
    if args.get("gold") not in labels:
        raise ValueError(f"gold is {args.get('gold')!r:.80}; it must be one of {', '.join(labels)}")


def gold_label(spec: RewardSpec, row: Row) -> str:
    """The right label, bare."""
    return str(spec.argument("gold", row))


def label_cheats(spec: RewardSpec, row: Row) -> list[Probe]:
    """One verdict a line until all labels were named."""
    labels: Sequence[str] = spec.argument("labels", row, LABELS)
    return [Probe("every label", "\n".join(f"Verdict: {label}" for label in labels))]


@reward("preference_label", timeout_s=5, validate=check_gold, gold=gold_label, cheats=label_cheats)
def preference_label(response: str, gold: str, labels: Sequence[str] = LABELS) -> RewardResult:
    """1.0 when the one verdict is `gold`; 0.0 when it is another, missing, or not the only one."""
    verdicts, proper = verdicts_of(response, labels)
    if len(verdicts) != 1:
        reason = "no verdict" if not verdicts else f"{len(verdicts)} verdicts: {', '.join(verdicts)}"
        return RewardResult("preference_label", 0.0, "ok", reason)
    if not proper:
        return RewardResult("preference_label", 0.0, "ok", "the verdict does not stand alone on the last line")
    return RewardResult("preference_label", float(verdicts[0] == gold), "ok", f"verdict {verdicts[0]}")


def verdicts_of(response: str, labels: Sequence[str] = LABELS) -> tuple[list[str], bool]:
    """Every verdict in the text, and whether the last line is a proper one."""
    any_label = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    known = {label.casefold(): label for label in labels}
    lead = rf"(?:verdict|answer|label)\s*(?:is|:)[{_DRESS}]*"
    alone = re.compile(rf"(?:(?:final\s)?{lead})?({any_label})", re.IGNORECASE)
    worded = re.compile(rf"\b{lead}({any_label})\b", re.IGNORECASE)
    marked = re.compile(
        rf"\[\[\s*({any_label})\s*\]\]|\\boxed\{{\s*(?:\\text\{{)?({any_label})\}}?\s*\}}", re.IGNORECASE
    )
    found: list[str] = []
    proper = False
    for line in filter(str.strip, response.splitlines()):
        hits = [match[1] or match[2] for match in marked.finditer(line)]
        if not hits and (whole := alone.fullmatch(line.strip(_ENDS))):
            hits = [whole[1]]
        proper = bool(hits)
        found += [known[hit.casefold()] for hit in hits or [match[1] for match in worded.finditer(line)]]
    return found, proper

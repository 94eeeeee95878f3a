"""`edits`: the response corrects a text; F0.5 over its edits against the reference's (M2: Dahlmeier and Ng 2012).

    source, answer -> tokens -> cheapest alignment -> edits (from token, to token, new tokens) -> right, given, wanted

This is no ERRANT. ERRANT (Bryant et al. 2017) aligns with spaCy's word classes and merges by rules for each language;
here the alignment is Levenshtein's over tokens (a match, else a replacement, then a removal, then an addition), and
edits that touch are one (ERRANT's `-merge all-merge`). Scores are the same where the edits are, and F0.5 is computed as
errant_compare does. Of several references the one counts that gives the answer the best F0.5.
Texts of scripts without spaces go by character.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.text.scripts import is_spaceless
from rewards.annotation.tallies import Tally
from rewards.records import RewardResult, RewardSpec, Row
from rewards.registry import reward
from rewards.translation.quality import References, as_list, check_texts, first_reference

BETA = 0.5
MOST_TOKENS = 1_000
"""Of a source: the alignment costs source times answer"""
_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
Edit = tuple[int, int, tuple[str, ...]]
"""From a token of the source, to one past the last, and what stands there instead"""


def tokens_of(text: str) -> list[str]:
    """Words and signs; characters where the script has no spaces."""
    return list("".join(text.split())) if is_spaceless(text) else _TOKEN.findall(text)


def edits_between(source: Sequence[str], target: Sequence[str]) -> set[Edit]:
    """What has to be done to the source, in as few steps as possible; steps that touch are one edit."""
    head = _common(source, target)
    tail = _common(source[head:][::-1], target[head:][::-1])
    ours, theirs = source[head : len(source) - tail], target[head : len(target) - tail]
    edits, start, end, new = set[Edit](), 0, 0, list[str]()
    for i, j, step in _path(ours, theirs):
        if step == "match":
            if end > start or new:
                edits.add((head + start, head + end, tuple(new)))
            start, end, new = i + 1, i + 1, []
        else:
            end = i + (step != "add")
            new += [theirs[j]] if step != "remove" else []
    return edits | ({(head + start, head + end, tuple(new))} if end > start or new else set())


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _path(source: Sequence[str], target: Sequence[str]) -> list[tuple[int, int, str]]:
    """Steps of the cheapest alignment: the token of each side that a step begins at, and what it does."""
    costs = [list(range(len(target) + 1))]
    for i, token in enumerate(source, start=1):
        above, row = costs[-1], [i]
        for j, other in enumerate(target, start=1):
            row.append(min(above[j - 1] + (token != other), above[j] + 1, row[-1] + 1))
        costs.append(row)
    i, j, steps = len(source), len(target), list[tuple[int, int, str]]()
    while i or j:
        same = bool(i and j) and source[i - 1] == target[j - 1]
        if i and j and costs[i][j] == costs[i - 1][j - 1] + (not same):
            i, j = i - 1, j - 1
            steps.append((i, j, "match" if same else "replace"))
        elif i and costs[i][j] == costs[i - 1][j] + 1:
            i -= 1
            steps.append((i, j, "remove"))
        else:
            j -= 1
            steps.append((i, j, "add"))
    return steps[::-1]


def tally_edits(response: str, source: str, reference: References) -> Tally:
    """Edits that are right, made, and wanted. An answer far longer than source and reference makes one wrong edit."""
    ours, answer = tokens_of(source), tokens_of(response)
    wanted = [edits_between(ours, tokens_of(text)) for text in as_list(reference)]
    longest = max(len(ours), *(len(tokens_of(text)) for text in as_list(reference)))
    if len(answer) > 2 * longest + 50:
        return Tally(0, 1, min(map(len, wanted)))
    given = edits_between(ours, answer)
    tallies = [Tally(len(given & gold), len(given), len(gold)) for gold in wanted]
    return max(tallies, key=lambda tally: (tally.f(BETA), -tally.wanted))


def check_args(args: Mapping[str, Any]) -> None:
    """ValueError when source or reference is malformed, or the source too long to be aligned."""
    check_texts(args)
    if args.get("reference") is None:
        raise ValueError("argument 'reference' must be the corrected text, or a list of them")
    longest = max(len(tokens_of(text)) for text in (args["source"], *as_list(args["reference"])))
    if longest > MOST_TOKENS:
        raise ValueError(
            f"a text has {longest} tokens; edits are counted up to {MOST_TOKENS}, so cut it into sentences"
        )


def gold(spec: RewardSpec, row: Row) -> str | None:
    """The first reference."""
    return first_reference(spec, row)


@reward("edits", timeout_s=20, validate=check_args, gold=gold)
def edits(response: str, source: str, reference: References) -> RewardResult:
    """F0.5 over edits; a text that needs none is right as it is."""
    tally = tally_edits(response, source, reference)
    return RewardResult("edits", tally.f(BETA), "ok", tally.in_words("edits"))

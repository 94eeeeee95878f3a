"""What a set of pairs teaches besides quality: longer answers, or another language."""

from collections import Counter
from collections.abc import Sequence

from dragoman.text.identification import posteriors
from dragoman.text.scripts import script_counts
from pretrain_sft.preference.pairs import Pair

LEAST_LETTERS = 20
"""Shorter answers (numbers, code, a word) say no language"""
LEAST_PAIRS = 10
"""A language on one side of fewer pairs is not reported: its share is chance"""


def length_bias(pairs: Sequence[Pair]) -> dict[str, float]:
    """Share of pairs whose better answer is the longer one, and by how many tokens it is longer on the mean."""
    longer = [len(pair.chosen.token_ids) - len(pair.rejected.token_ids) for pair in pairs]
    return {
        "chosen_longer_share": sum(tokens > 0 for tokens in longer) / max(1, len(longer)),
        "chosen_longer_tokens": sum(longer) / max(1, len(longer)),
    }


def language_bias(pairs: Sequence[Pair]) -> dict[str, float]:
    """`languages_differ_share`: pairs whose answers are in two languages, of those whose languages can be told.

    For each language that stands on one side only of at least ten pairs, `chosen_in_LANGUAGE_share`: how often that
    side is the better one; 0.5 is no bias.
    """
    known = [(a, b) for pair in pairs if (a := _language(pair.chosen.text)) and (b := _language(pair.rejected.text))]
    differ = [(a, b) for a, b in known if a != b]
    won, there = Counter(a for a, _ in differ), Counter(code for both in differ for code in both)
    shares = {
        f"chosen_in_{code}_share": won[code] / there[code] for code in sorted(there) if there[code] >= LEAST_PAIRS
    }
    return {"languages_differ_share": len(differ) / max(1, len(known)), **shares}


def _language(text: str) -> str | None:
    """The likeliest language of an answer; None where it has too few letters."""
    return posteriors(text, None)[0][0] if script_counts(text).total() >= LEAST_LETTERS else None

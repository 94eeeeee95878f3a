"""What hacked rewards look like in the answers themselves: figures of each step's sampled translations.

| name | share of answers that | by |
|---|---|---|
| `copies` | hand back their source | `source_copy` |
| `hubs` | were given for several sources of the step | the digest of `hub` |
| `repetition` | say the same again and again | `repetition` |
| `foreign_script` | (the mean share of) letters of no script of the target language | `dragoman.text.scripts` |
| `off_target_second` | are in another language | CLD2 |
| `empty` | say nothing | |
| `length` | (the mean of) length for each of the source's, scripts weighted | |
| `numbers`, `markup` | lose a number; a placeholder, tag or address of the source | `mt_instructions` |

`samples.jsonl` has no references, so a figure says little by itself: it is compared with the same run's first steps.
Every verifier here may be one that the reward uses; an indicator that moves is a reason to look, no proof.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from dragoman.evaluation.run_logs import RolloutLine
from dragoman.evaluation.tasks.base import Unit
from dragoman.text.languages import base_code
from dragoman.text.scripts import (
    script_counts,
    scripts_of_language,
    share_in_scripts,
    weighted_length,
    weighted_letters,
)
from dragoman.text.second_identifier import second_opinion
from rewards.translation.guards import repetition, source_copy
from rewards.translation.hub import MIN_LETTERS, digest
from rewards.translation.instructions import follows

PER_STEP = 256
"""Answers of a step that are looked at, spread evenly: a look must stay cheap beside training"""
MARKUP = ("placeholders", "tags", "urls")
Bad = Literal["rise", "fall", "either"]


@dataclass(frozen=True)
class Indicator:
    """One figure of a step's answers."""

    name: str
    title: str
    value: Callable[[RolloutLine], float | None]
    """Of one answer; None where it says nothing"""
    least: float = 0.05
    """The smallest change worth an alarm"""
    bad: Bad = "rise"
    unit: Unit = "percent"


def languages_of(line: RolloutLine) -> tuple[str, str] | None:
    """Source and target; None where the direction's codes cannot be told apart."""
    parts = line.direction.split("-")
    return (parts[0], parts[1]) if len(parts) == 2 else None


def is_copy(line: RolloutLine) -> float:
    """Where a log does not say the source, the prompt stands in: it holds the source's n-grams."""
    return float(bool(line.response.strip()) and source_copy(line.response, line.source or line.prompt).value == 0)


def foreign_script(line: RolloutLine) -> float | None:
    """Share of foreign letters; names and units make it a little above 0 in many languages."""
    codes = languages_of(line)
    if codes is None or not script_counts(line.response):
        return None
    return 1 - share_in_scripts(line.response, scripts_of_language(base_code(codes[1])))


def off_target_second(line: RolloutLine) -> float | None:
    """By CLD2; None where it cannot say."""
    codes = languages_of(line)
    if codes is None:
        return None
    judged = second_opinion(line.response, codes[1], codes[0], source_text=line.source or None).on_target
    return None if judged is None else float(not judged)


def length(line: RolloutLine) -> float | None:
    """Characters for each of the source's."""
    of_source = weighted_length(line.source)
    return weighted_length(line.response) / of_source if of_source else None


def _lost(line: RolloutLine, name: str) -> bool | None:
    if not line.source.strip() or follows("x", f"mt:{name}", source=line.source) is None:
        return None
    codes = languages_of(line)
    kept = follows(line.response, f"mt:{name}", source=line.source, locale=codes[1] if codes else None)
    return None if kept is None else not kept


def numbers(line: RolloutLine) -> float | None:
    """Whether a number was lost or changed."""
    found = _lost(line, "numbers")
    return None if found is None else float(found)


def markup(line: RolloutLine) -> float | None:
    """Whether a placeholder, tag or address was lost."""
    found = [lost for name in MARKUP if (lost := _lost(line, name)) is not None]
    return float(any(found)) if found else None


INDICATORS = (
    Indicator("copies", "copies of the source", is_copy),
    Indicator("repetition", "repetition", lambda line: float(repetition(line.response).value == 0), 0.03),
    Indicator("foreign_script", "letters of foreign scripts", foreign_script, 0.03),
    Indicator("off_target_second", "off-target by CLD2", off_target_second),
    Indicator("empty", "empty answers", lambda line: float(not line.response.strip()), 0.03),
    Indicator("length", "length by the source's", length, 0.25, "either", "reward"),
    Indicator("numbers", "numbers lost", numbers, 0.1),
    Indicator("markup", "markup lost", markup, 0.1),
)
HUBS = Indicator("hubs", "one answer for several", lambda line: None, 0.1)
"""Of a step's answers together (`hub_share`)"""


def hub_share(lines: Sequence[RolloutLine]) -> float | None:
    """Share of answers that were also given for another source; short ones (`Ja.`) are honest repeats."""
    long = [line for line in lines if weighted_letters(line.response) >= MIN_LETTERS]
    sources: dict[bytes, set[str]] = defaultdict(set)
    for line in long:
        sources[digest(line.response)].add(line.source or line.prompt)
    return fmean(len(sources[digest(line.response)]) > 1 for line in long) if long else None


def step_figures(lines: Sequence[RolloutLine]) -> dict[str, float]:
    """Every indicator of one step's answers; what cannot be said is left out."""
    asked = [line for line in lines if line.direction]
    stride = max(1, -(-len(asked) // PER_STEP))
    seen = asked[::stride]
    found = {one.name: mean_of(map(one.value, seen)) for one in INDICATORS} | {HUBS.name: hub_share(asked)}
    return {name: value for name, value in found.items() if value is not None}


def mean_of(values: Iterable[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None

"""What keeps a segment out, one filter a fault; `FILTERS` is their table, the cheap ones first.

| filter | leaves out | source |
|---|---|---|
| empty | a side without a letter or digit | |
| encoding | control characters, U+FFFD, half surrogates, text decoded by the wrong table ("FÃ¼r") | ftfy's badness |
| length | a side longer than `longest` | |
| length_ratio | one side `length_ratio` times the other, Han characters weighted | |
| copy | a target that is the source, or nearly | |
| script | letters that are mostly in another script than the language's | |
| numbers | other numbers than the source's, in any digits | |
| placeholders | other placeholders or tags, messages that would crash | |
| duplicates | a pair that was there already, in the same direction | |
| near_duplicates | a source nearly equal to one that was there | MinHash, Broder 1997, by datasketch |
| contamination | a side that stands in a text held out for measuring | |
| language | a side in another language than it says; both sides swapped | |
| quality | less than `least` by a kind of reward | any reward |

A filter says its fault in words, or nothing. Those with a memory see the segments in order, so the first of several
equal ones stays.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dragoman.data.corpora.segments import Segment
from dragoman.text.languages import same_language
from dragoman.text.markup import well_formed_paths
from dragoman.text.messages import compare
from dragoman.text.normalisation import normalised
from dragoman.text.numerals import same_numbers
from dragoman.text.scripts import scripts_of_language, share_in_scripts, weighted_length

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import CorpusSizes

_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f\ufffd\ufffe\uffff\ud800-\udfff]")
_WORDS = re.compile(r"[^\W_]+")
SHORT = 20
"""Characters up to which lengths and near copies say nothing: names, numbers, one word for another"""
PIECE = 5
"""Letters of the pieces that near duplicates are compared by"""
PERMUTATIONS = 128


class Filter(ABC):
    """One fault."""

    def __init__(self, sizes: CorpusSizes) -> None:
        self.limits, self.sizes = sizes.limits, sizes

    @abstractmethod
    def fault(self, segment: Segment) -> str | None:
        """What is wrong, in words; None when the segment may stay."""


FILTERS: dict[str, type[Filter]] = {}
"""By name, in the order in which they are run unless a recipe says another"""


def _filter(name: str) -> Callable[[type[Filter]], type[Filter]]:
    def add(kind: type[Filter]) -> type[Filter]:
        FILTERS[name] = kind
        return kind

    return add


@_filter("empty")
class Empty(Filter):
    """Nothing to learn from."""

    def fault(self, segment: Segment) -> str | None:
        empty = [side for side in ("source", "target") if not _WORDS.search(getattr(segment, side))]
        return f"no letter or digit in the {empty[0]}" if empty else None


@_filter("encoding")
class Encoding(Filter):
    """Bytes that were read as what they are not."""

    def fault(self, segment: Segment) -> str | None:
        from ftfy.badness import is_bad

        for text in (segment.source, segment.target):
            if match := _CONTROL.search(text):
                return f"character U+{ord(match[0]):04X}"
            if not text.isascii() and is_bad(text):
                return "text decoded by the wrong table"
        return None


@_filter("length")
class Length(Filter):
    """Longer than a row can take."""

    def fault(self, segment: Segment) -> str | None:
        longest = max(len(segment.source), len(segment.target))
        return f"{longest} characters" if longest > self.limits.longest else None


@_filter("length_ratio")
class LengthRatio(Filter):
    """One side says much more than the other."""

    def fault(self, segment: Segment) -> str | None:
        shorter, longer = sorted((weighted_length(segment.source), weighted_length(segment.target)))
        if longer <= SHORT:
            return None
        ratio = longer / max(1, shorter)
        return f"one side {ratio:.1f} times the other" if ratio > self.limits.length_ratio else None


@_filter("copy")
class Copy(Filter):
    """Not translated."""

    def fault(self, segment: Segment) -> str | None:
        source, target = (_WORDS.findall(normalised(t).casefold()) for t in (segment.source, segment.target))
        if source == target:
            return "the target is the source"
        shared = 2 * len(set(source) & set(target)) / max(1, len(set(source)) + len(set(target)))
        if len(segment.source) > SHORT and shared >= self.limits.copy_similarity:
            return f"{shared:.0%} of the words are the source's"
        return None


@_filter("script")
class Script(Filter):
    """A side in another script."""

    def fault(self, segment: Segment) -> str | None:
        for side, text, code in _sides(segment):
            scripts = scripts_of_language(code)
            if scripts and any(map(str.isalpha, text)) and share_in_scripts(text, scripts) < self.limits.script_share:
                return f"the {side} is in another script than {code}"
        return None


@_filter("numbers")
class Numbers(Filter):
    """A number lost, changed or made up; spelled-out ones are not read, so a number more is no fault."""

    def fault(self, segment: Segment) -> str | None:
        return "other numbers" if same_numbers(segment.source, segment.target, allow_more=True) is False else None


@_filter("placeholders")
class Placeholders(Filter):
    """A placeholder or tag lost, changed or made up."""

    def fault(self, segment: Segment) -> str | None:
        found = compare(segment.source, segment.target)
        if found.same is False:
            return f"placeholders: {found.note or 'other ones'}"
        paths = well_formed_paths(segment.source)
        if paths and sorted(paths) != sorted(well_formed_paths(segment.target) or ()):
            return "other tags"
        return None


@_filter("duplicates")
class Duplicates(Filter):
    """The same pair again, white space, case and punctuation aside."""

    def __init__(self, sizes: CorpusSizes) -> None:
        super().__init__(sizes)
        self.seen: set[bytes] = set()

    def fault(self, segment: Segment) -> str | None:
        mark = _mark(f"{segment.direction}|{_plain(segment.source)}|{_plain(segment.target)}")
        if mark in self.seen:
            return "was there already"
        self.seen.add(mark)
        return None


@_filter("near_duplicates")
class NearDuplicates(Filter):
    """A source that is nearly another one's of the same direction. Candidates of the index are compared by their
    sketches, whose similarity is off by about 0.03 (one standard deviation at 0.85)."""

    def __init__(self, sizes: CorpusSizes) -> None:
        from datasketch import MinHash

        super().__init__(sizes)
        self.empty = MinHash(num_perm=PERMUTATIONS)
        self.indices: dict[tuple[str, str], Any] = {}
        self.sketches: list[tuple[str, np.ndarray]] = []
        """Place and hash values of every source kept"""

    def fault(self, segment: Segment) -> str | None:
        text = _plain(segment.source)
        sketch, index = self.empty.copy(), self._index(segment.direction)
        sketch.update_batch([text[i : i + PIECE].encode() for i in range(max(1, len(text) - PIECE + 1))])
        values = sketch.hashvalues.astype(np.uint32)
        for number in sorted(index.query(sketch)):
            place, other = self.sketches[number]
            if float((values == other).mean()) >= self.limits.near:
                return f"nearly the source of {place}"
        index.insert(len(self.sketches), sketch)
        self.sketches.append((segment.place, values))
        return None

    def _index(self, direction: tuple[str, str]) -> Any:
        from datasketch import MinHashLSH

        if direction not in self.indices:
            self.indices[direction] = MinHashLSH(threshold=self.limits.near - 0.1, num_perm=PERMUTATIONS)
        return self.indices[direction]


@_filter("contamination")
class Contamination(Filter):
    """Held-out text: the suites of the recipe, and further files that it names."""

    def __init__(self, sizes: CorpusSizes) -> None:
        from pathlib import Path

        from dragoman.files import read_lines

        super().__init__(sizes)
        rows = (row for name in sizes.contamination for _, row in read_lines(Path(name).expanduser()))
        self.held = {_mark(_plain(row[side])) for row in rows for side in ("source", "reference") if row.get(side)}

    def fault(self, segment: Segment) -> str | None:
        held = any(_mark(_plain(text)) in self.held for text in (segment.source, segment.target))
        return "held out for measuring" if held else None


@_filter("language")
class Language(Filter):
    """A side in another language than it says."""

    def fault(self, segment: Segment) -> str | None:
        from dragoman.text.identification import is_on_target

        if same_language(*segment.direction):
            return None  # dialects, scripts and regions of one language: the identifier cannot tell
        wrong = []
        for side, text, code, other in (
            ("source", segment.source, segment.source_language, segment.target_language),
            ("target", segment.target, segment.target_language, segment.source_language),
        ):
            found = is_on_target(text, code, other)
            if found.on_target is False and any(map(str.isalpha, text)):
                wrong.append((side, code, found.detected))
        if len(wrong) == 2:
            return "the sides are swapped"
        return f"the {wrong[0][0]} is {wrong[0][2]}, not {wrong[0][1]}" if wrong else None


@_filter("quality")
class Quality(Filter):
    """Too little by a kind of reward, such as `adequacy` or a regression head; off unless a recipe names one."""

    def fault(self, segment: Segment) -> str | None:
        from rewards.calling import call, call_batch
        from rewards.records import RewardSpec
        from rewards.registry import find_kind

        asked = self.limits.quality
        if asked is None:
            return None
        kind = find_kind(asked.kind)
        row = {
            "id": segment.place, "source": segment.source, "response": segment.target,
            "languages": [*segment.direction], "source_language": segment.source_language,
            "target_language": segment.target_language,
        }  # fmt: skip
        spec = RewardSpec(kind.name, args=asked.args)
        batch = call_batch(kind, [(spec, row)]) if kind.batched else None
        found = batch[0] if batch else call(kind, spec, row)
        if found.status == "not_applicable":
            return None
        if found.value is None:
            return f"{kind.name} could not be computed: {found.detail}"
        return f"{kind.name} {found.value:.2f}" if found.value < asked.least else None


def _sides(segment: Segment) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    return (
        ("source", segment.source, segment.source_language),
        ("target", segment.target, segment.target_language),
    )


def _plain(text: str) -> str:
    """Words and numbers only, case folded."""
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", text).casefold()))


def _mark(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()

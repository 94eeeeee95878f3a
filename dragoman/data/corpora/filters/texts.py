"""Filters that look at one segment and need no model."""

from __future__ import annotations

import re

from dragoman.data.corpora.filters.base import Filter, register_filter
from dragoman.data.corpora.segments import Segment
from dragoman.text.markup import well_formed_paths
from dragoman.text.messages import compare
from dragoman.text.normalisation import normalised
from dragoman.text.numerals import same_numbers
from dragoman.text.scripts import scripts_of_language, share_in_scripts, weighted_length

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffd\ufffe\uffff\ud800-\udfff]|\r(?!\n)")
"""Control characters but tab, line feed and CRLF; a byte order mark inside a text; what no text may hold"""
_WORDS = re.compile(r"[^\W_]+")
SHORT = 20
"""Characters up to which lengths and near copies say nothing: names, numbers, one word for another"""


@register_filter("empty")
class Empty(Filter):
    """Nothing to learn from."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        empty = [side for side in ("source", "target") if not _WORDS.search(getattr(segment, side))]
        return f"no letter or digit in the {empty[0]}" if empty else None


@register_filter("encoding")
class Encoding(Filter):
    """Bytes that were read as what they are not."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        from ftfy.badness import is_bad

        for text in (segment.source, segment.target, segment.draft):
            if match := _CONTROL.search(text):
                return f"character U+{ord(match[0]):04X}"
            if not text.isascii() and is_bad(text):
                return "text decoded by the wrong table"
        return None


@register_filter("length")
class Length(Filter):
    """Longer than a row can take."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        longest = max(map(len, (segment.source, segment.target, segment.draft)))
        return f"{longest} characters" if longest > self.limits.longest else None


@register_filter("length_ratio")
class LengthRatio(Filter):
    """One side says much more than the other."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        shorter, longer = sorted((weighted_length(segment.source), weighted_length(segment.target)))
        if longer <= SHORT:
            return None
        ratio = longer / max(1, shorter)
        return f"one side {ratio:.1f} times the other" if ratio > self.limits.length_ratio else None


@register_filter("copy")
class Copy(Filter):
    """Not translated."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        source, target = (_WORDS.findall(normalised(t).casefold()) for t in (segment.source, segment.target))
        if source == target:
            return "the target is the source"
        shared = 2 * len(set(source) & set(target)) / max(1, len(set(source)) + len(set(target)))
        if len(segment.source) > SHORT and shared >= self.limits.copy_similarity:
            return f"{shared:.0%} of the words are the source's"
        return None


@register_filter("script")
class Script(Filter):
    """A side in another script."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        for side, text, code in _sides(segment):
            scripts = scripts_of_language(code)
            if scripts and any(map(str.isalpha, text)) and share_in_scripts(text, scripts) < self.limits.script_share:
                return f"the {side} is in another script than {code}"
        return None


@register_filter("numbers")
class Numbers(Filter):
    """A number lost, changed or made up; spelled-out ones are not read, so a number more is no fault."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        return "other numbers" if same_numbers(segment.source, segment.target, allow_more=True) is False else None


@register_filter("placeholders")
class Placeholders(Filter):
    """A placeholder or tag lost, changed or made up."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
        found = compare(segment.source, segment.target)
        if found.same is False:
            return f"placeholders: {found.note or 'other ones'}"
        paths = well_formed_paths(segment.source)
        if paths and sorted(paths) != sorted(well_formed_paths(segment.target) or ()):
            return "other tags"
        return None


def _sides(segment: Segment) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    return (
        ("source", segment.source, segment.source_language),
        ("target", segment.target, segment.target_language),
    )

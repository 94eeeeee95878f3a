"""Filters that ask a model: the language identifier, a kind of reward."""

from __future__ import annotations

from dragoman.data.corpora.filters.base import Filter, register_filter
from dragoman.data.corpora.segments import Segment
from dragoman.text.identification import is_on_target
from dragoman.text.languages import same_language
from rewards.calling import call, call_batch
from rewards.records import RewardSpec
from rewards.registry import find_kind


@register_filter("language")
class Language(Filter):
    """A side in another language than it says."""

    alone = True

    def fault(self, segment: Segment) -> str | None:
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


@register_filter("quality")
class Quality(Filter):
    """Too little by a kind of reward, such as `adequacy` or a regression head; off unless a recipe names one."""

    def fault(self, segment: Segment) -> str | None:
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

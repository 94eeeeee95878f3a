"""Translation instructions about documents with a structure: JSON, XML and HTML whose texts alone are translated.

Graded: the value is the share of the document's places that are right, of all that either side has. A place of text is
right when the answer has text there (and none where the source has none) with the same placeholders and tags; any other
place when its value is the same. A document that cannot be read has no right place. Followed is an answer with all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from dragoman.text.markup import unmatched_tags
from dragoman.text.messages import compare
from dragoman.text.trees import Format, Leaf, TreeError, leaves, without_fence
from rewards.constraints.registry import Finding, a_text, one_of, texts
from rewards.translation.blame import whole
from rewards.translation.instruction_table import translation_instruction

SHOWN = 3
"""Faults that a note names"""


@translation_instruction("mt:json_tree", needs_source=True, optional={"unchanged": texts, "locale": a_text})
def json_tree(response: str, source: str, unchanged: Sequence[str] = (), locale: str | None = None) -> Finding:
    """The source's object again, its texts translated: the same keys at every depth, lists as long, other values equal.

    Texts under a key of `unchanged` must stay. With the target's `locale` plurals in texts need CLDR's categories.
    """
    return _compared(response, source, "json", {f".{key}" for key in unchanged}, locale)


@translation_instruction("mt:markup_tree", needs_source=True, format=one_of("xml", "html"), optional={"locale": a_text})
def markup_tree(response: str, source: str, format: Format, locale: str | None = None) -> Finding:
    """The source's elements again, each inside the same ones with the same attributes, its texts translated.

    Elements that stand side by side may change places. XML must be well formed; values of `alt`, `title` and the like
    may differ.
    """
    return _compared(response, source, format, set(), locale)


def _compared(response: str, source: str, form: Format, unchanged: set[str], locale: str | None) -> Finding:
    try:
        wanted = leaves(source, form)
    except TreeError as error:
        return Finding(None, f"the source is no {form}: {error}")
    try:
        given = leaves(without_fence(response), form)
    except TreeError as error:
        return Finding(False, str(error), whole(response, f"no {form}"), share=0.0)
    faults = list(_faults(wanted, given, unchanged, locale))
    places = sum((Counter(leaf.path for leaf in wanted) | Counter(leaf.path for leaf in given)).values())
    share = 1 - len(faults) / places if places else 1.0
    note = "; ".join(fault for fault in faults[:SHOWN]) + (f" and {len(faults) - SHOWN} more" * (len(faults) > SHOWN))
    return Finding(not faults, note, whole(response, f"structure: {faults[0]}") if faults else (), share=share)


def _faults(wanted: Iterable[Leaf], given: Iterable[Leaf], unchanged: set[str], locale: str | None) -> Iterable[str]:
    """What is wrong, a line for each place."""
    left: dict[str, list[Leaf]] = {}
    for leaf in given:
        left.setdefault(leaf.path, []).append(leaf)
    for leaf in wanted:
        answers = left.get(leaf.path, [])
        if not answers:
            yield f"lost {leaf.path}"
            continue
        same = next((place for place, answer in enumerate(answers) if answer.value == leaf.value), 0)
        wrong = _wrong(leaf, answers.pop(same), unchanged, locale)
        if wrong:
            yield f"{leaf.path}: {wrong}"
    for path, more in left.items():
        yield from (f"added {path}" for _ in more)


def _wrong(leaf: Leaf, answer: Leaf, unchanged: set[str], locale: str | None) -> str:
    """What is wrong with the answer at a place; empty when it is right."""
    stays = leaf.text is None or any(leaf.path.endswith(key) for key in unchanged)
    if leaf.value != answer.value or (stays and leaf.text != answer.text):
        return "changed"
    if stays or leaf.text is None:
        return ""
    if bool(leaf.text.strip()) != bool((answer.text or "").strip()):
        return "no text" if leaf.text.strip() else "text where the source has none"
    kept = compare(leaf.text, answer.text or "", locale)
    if kept.same is False:
        return kept.note
    return "other tags" if any(unmatched_tags(leaf.text, answer.text or "")) else ""

"""Translation instructions about what must survive: terms, names, placeholders, tags, addresses, numbers.

Placeholders, tags, URLs and e-mail addresses are compared as multisets with those of the source text. What is wrong is
marked in the response (blame.py).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.text.addresses import address_places, find_addresses, same_addresses, unmatched_addresses
from dragoman.text.markup import tags_of, unmatched_tags, well_formed_paths
from dragoman.text.messages import compare, find_placeholders
from dragoman.text.messages.tokens import stray_marks, token_places
from dragoman.text.normalisation import normalised, normalised_in_place
from dragoman.text.numerals import Number, same_numbers, unmatched_numbers
from dragoman.text.places import Placed
from dragoman.text.terms import term_places
from rewards.constraints.registry import Finding, a_count, a_text, a_truth, must_be, texts
from rewards.records import Span
from rewards.spans import SEVERITY
from rewards.translation.blame import Item, blame, whole
from rewards.translation.instruction_table import translation_instruction

__all__ = ["find_addresses", "find_placeholders"]


def _is_term(item: Any) -> bool:
    if not isinstance(item, Mapping) or set(item) != {"source", "target"} or a_text(item["source"]):
        return False
    return not a_text(item["target"]) or not texts(item["target"])


glossary_terms = must_be(
    'a non-empty list of {"source": text, "target": text or list of texts}',
    lambda value: isinstance(value, (list, tuple)) and len(value) > 0 and all(map(_is_term, value)),
)


@translation_instruction("mt:glossary", terms=glossary_terms, optional={"endings": a_count, "forbidden": texts})
def glossary(
    response: str,
    source: str,
    terms: Sequence[Mapping[str, Any]],
    endings: int = 0,
    forbidden: Sequence[str] = (),
) -> Finding:
    """Each term of the source text is rendered by one of its accepted forms, as a whole word in any case.

    Terms that the source text lacks are left out; without any left the instruction does not apply. `endings`
    accepts up to so many more letters at the end of a form; no `forbidden` form may occur.
    """
    asked = [term for term in terms if not source or _occurs(term["source"], source, endings=2)]
    if not asked:
        return Finding(None)
    used = tuple(
        Span(item.start, item.end, SEVERITY["major"], f"forbidden term: {item.name}")
        for form in forbidden
        for item in _places(form, response)
    )
    lost = [
        next(iter(_places(term["source"], source, endings=2)), Item(0, 1, term["source"]))
        for term in asked
        if not any(_occurs(form, response, endings) for form in _forms(term["target"]))
    ]
    # the forbidden rendering stands for the term
    return Finding(not used and not lost, spans=used + blame(source, response, lost[len(used) :], (), "term"))


@translation_instruction("mt:do_not_translate", terms=texts)
def do_not_translate(response: str, source: str, terms: Sequence[str]) -> Finding:
    """Each term stands in the response, in the same case, as often as in the source (once without one)."""
    wanted = {term: _count(term, source) if source else 1 for term in terms}
    if not any(wanted.values()):
        return Finding(None)
    lost = [
        item
        for term, count in wanted.items()
        for item in (_places(term, source, case=True) or [Item(0, 1, term)])[_count(term, response) : count]
    ]
    return Finding(not lost, spans=blame(source, response, lost, (), "term"))


@translation_instruction("mt:placeholders", needs_source=True, optional={"locale": a_text})
def placeholders(response: str, source: str, locale: str | None = None) -> Finding:
    """The same placeholders as often, in every branch of its plurals and selects; a message that can be read."""
    found = compare(source, response, locale)
    if found.same is not False:
        return Finding(found.same, found.note)
    lost, added = ([Item(t.start, t.start + len(t.text), t.text) for t in some] for some in (found.lost, found.added))
    if len(stray_marks(response)) > len(stray_marks(source)):
        added += [Item(start, end, response[start:end]) for start, end in stray_marks(response)]
    marks = blame(source, response, lost, added, "placeholder") or whole(response, f"placeholders: {found.note}")
    return Finding(False, found.note, marks)


@translation_instruction("mt:tags", needs_source=True, optional={"same_order": a_truth})
def tags(response: str, source: str, same_order: bool = False) -> Finding:
    """The same XML or HTML tags, well nested, each inside the same ones; in the same order on demand.

    Where the source's own tags do not nest, the same tags as often.
    """
    wanted, given = well_formed_paths(source), well_formed_paths(response)
    note = ""
    if wanted is None:
        wanted, given, note = tags_of(source), tags_of(response), "the source's tags do not nest; they were counted"
    if not wanted:
        return Finding(None)
    if given is None:
        return Finding(False, "the tags do not nest", _tag_faults(source, response))
    followed = given == wanted if same_order else Counter(given) == Counter(wanted)
    return Finding(followed, note, () if followed else _tag_faults(source, response))


@translation_instruction("mt:urls", needs_source=True)
def urls(response: str, source: str) -> Finding:
    """The same URLs, e-mail addresses and handles as often."""
    lost, added = (
        [Item(address.start, address.start + len(address.text), address.text) for address in some]
        for some in unmatched_addresses(source, response)
    )
    followed = same_addresses(source, response)
    return Finding(followed, spans=() if followed is not False else blame(source, response, lost, added, "address"))


@translation_instruction("mt:numbers", needs_source=True, optional={"allow_more": a_truth})
def numbers(response: str, source: str, allow_more: bool = False) -> Finding:
    """The same numbers as often, in any digits and with any separators."""
    texts = _numbers_text(source), _numbers_text(response)
    followed = same_numbers(texts[0].text, texts[1].text, allow_more)
    if followed is not False:
        return Finding(followed)
    unmatched = zip(unmatched_numbers(texts[0].text, texts[1].text), texts, (source, response), strict=True)
    lost, added = (_number_items(some, text, original) for some, text, original in unmatched)
    stand_ins = added[: len(lost)] if allow_more else added
    return Finding(False, spans=blame(source, response, lost, stand_ins, "number"))


def _number_items(numbers: Sequence[Number], plain: Placed, original: str) -> list[Item]:
    """One for each place: the parts of a date are one item."""
    places = dict.fromkeys(plain.span(number.start, number.end) for number in numbers)
    return [Item(start, end, original[start:end]) for start, end in places]


def _numbers_text(text: str) -> Placed:
    """What is left for numbers: no addresses, no placeholders, no tags."""
    plain = Placed.of(text).cut(address_places(text), " ")
    return plain.cut(token_places(plain.text)).sub(r"</?[A-Za-z\d][^<>]*>", " ")


def _tag_faults(source: str, response: str) -> tuple[Span, ...]:
    lost, added = (
        [Item(tag.start, tag.end, f"<{tag.label}>") for tag in some] for some in unmatched_tags(source, response)
    )
    return blame(source, response, lost, added, "tag") or whole(response, "tags in another order")


def _forms(target: str | Sequence[str]) -> Sequence[str]:
    return [target] if isinstance(target, str) else target


def _occurs(term: str, text: str, endings: int = 0) -> bool:
    return any(True for _ in term_places(term, normalised(text), endings=int(endings)))


def _places(term: str, text: str, endings: int = 0, case: bool = False) -> list[Item]:
    """Where a term stands in a text."""
    plain = normalised_in_place(text)
    found = term_places(term, plain.text, endings=int(endings), case=case)
    return [Item(*plain.span(start, end), plain.text[start:end]) for start, end in found]


def _count(term: str, text: str) -> int:
    return len(list(term_places(term, normalised(text), case=True)))

"""Translation instructions about the answer as a whole: its length, nothing but the translation, its format.

`mt:no_commentary` looks for what models add: what the gate `several_answers` finds, quotation marks or a code fence
around everything, more lines than the source. What the source itself has is not held against the translation.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from dragoman.text.addition_places import locate_addition
from dragoman.text.markup import has_tags, well_formed_paths
from dragoman.text.normalisation import normalised
from rewards.constraints.registry import Finding, a_positive_count, one_of, texts
from rewards.records import Span
from rewards.spans import SEVERITY
from rewards.translation.instruction_table import translation_instruction
from rewards.translation.several_answers import surplus, surplus_span

FORMATS = ("plain", "json", "xml")
_LINE = re.compile(r"^[^\S\n]*\S[^\n]*", re.MULTILINE)
_QUOTES = ('""', "“”", "„“", "„”", "«»", "»«", "‹›", "「」", "『』", "''", "‘’", "‚‘")


@translation_instruction("mt:max_characters", max_characters=a_positive_count)
def max_characters(response: str, source: str, max_characters: int) -> bool:
    """No longer than so many characters as a reader sees them, white space at the ends not counted."""
    return len(normalised(response).strip()) <= max_characters


@translation_instruction("mt:no_commentary")
def no_commentary(response: str, source: str) -> Finding:
    """Nothing but the translation. Without a source only what is said around it, fences and quotation marks around
    everything are seen.
    """
    text, original = response.strip(), source.strip()
    found = surplus(text, original) if original else locate_addition(text)
    marks = [surplus_span(found)] if found else []
    if "```" in text and "```" not in original:
        marks += [Span(*match.span(), SEVERITY["major"], "code fence") for match in re.finditer(r"```\w*", text)]
    if not marks and _is_quoted(text) and not _is_quoted(original):
        marks += [Span(at, at + 1, SEVERITY["minor"], "quotation marks around all") for at in (0, len(text) - 1)]
    lines, allowed = list(_LINE.finditer(text)), len(_LINE.findall(original))
    if not marks and original and len(lines) > allowed:
        marks.append(Span(lines[allowed].start(), len(text), SEVERITY["major"], "further lines"))
    lead = len(response) - len(response.lstrip())
    return Finding(not marks, spans=tuple(replace(m, start=m.start + lead, end=m.end + lead) for m in marks))


@translation_instruction("mt:output_format", format=one_of(*FORMATS), optional={"keys": texts})
def output_format(response: str, source: str, format: str, keys: Sequence[str] = ()) -> bool:
    """`plain`: no code fence, JSON or tags but the source's. `json`: one object with exactly these keys and
    texts that are not empty. `xml`: tags that nest, and where the source has tags, the same in their places.
    """
    text = response.strip()
    if format == "json":
        return _is_json(text, keys)
    if format == "xml":
        if has_tags(source):
            return sorted(well_formed_paths(text) or ()) == sorted(well_formed_paths(source) or ())
        return bool(well_formed_paths(text)) and text.startswith("<") and text.endswith(">")
    fenced = "```" in text and "```" not in source
    tagged = has_tags(text) and not has_tags(source)
    return bool(text) and not fenced and not tagged and not (_object(text) and not _object(source))


def _is_json(text: str, keys: Sequence[str]) -> bool:
    body = re.sub(r"\A```(?:json)?\s*|\s*```\Z", "", text)
    found = _object(body)
    if not found or (keys and set(found) != set(keys)):
        return False
    return all(isinstance(value, str) and value.strip() for value in found.values()) if keys else True


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_quoted(text: str) -> bool:
    """One pair of quotation marks around the whole, none of the kind inside."""
    for first, last in (*((pair[0], pair[1]) for pair in _QUOTES), ("**", "**")):
        inner = text[len(first) : len(text) - len(last)]
        around = len(text) > 2 and text.startswith(first) and text.endswith(last)
        if around and first not in inner and last not in inner:
            return True
    return False

"""Constraints on the form of the response: lists, JSON, titles, sections, highlights, placeholders, postscripts."""

import json
import re

from rewards.constraints.registry import a_count, a_positive_count, a_text, instruction

CONSTRAINED_OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_FENCE_START = re.compile(r"^```(?:json|Json|JSON)?")


@instruction("detectable_format:number_bullet_lists", num_bullets=a_count)
def number_bullet_lists(response: str, num_bullets: int) -> bool:
    """Exactly so many lines start with `* ` or `-`."""
    lines = [line.lstrip() for line in response.split("\n")]
    return _star_bullets(lines) + sum(line.startswith("-") for line in lines) == num_bullets


def _star_bullets(lines: list[str]) -> int:
    """Lines that start with one star. A star alone takes the next line with it, as in the original's regular
    expression (which needs quadratic time where this is linear).
    """
    count, number = 0, 0
    while number < len(lines):
        line = lines[number]
        alone = line == "*" and number + 1 < len(lines)
        count += alone or (len(line) > 1 and line[0] == "*" != line[1])
        number += 2 if alone else 1
    return count


@instruction("detectable_format:json_format")
def json_format(response: str) -> bool:
    """The whole response, a code fence around it apart, is one JSON value."""
    body = _FENCE_START.sub("", response.strip()).removesuffix("```").strip()
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


@instruction("detectable_format:title")
def title(response: str) -> bool:
    """A non-empty title in double angle brackets, `<<so>>`."""
    found = re.findall(r"<<[^\n]+>>", response)
    return any(text.lstrip("<").rstrip(">").strip() for text in found)


@instruction("detectable_format:constrained_response")
def constrained_response(response: str) -> bool:
    """Contains one of the answers that IFEval allows here."""
    return any(option in response.strip() for option in CONSTRAINED_OPTIONS)


@instruction("detectable_format:number_highlighted_sections", num_highlights=a_count)
def number_highlighted_sections(response: str, num_highlights: int) -> bool:
    """At least so many non-empty `*highlights*` or `**highlights**`."""
    single = [text.strip("*").strip() for text in re.findall(r"\*[^\n\*]*\*", response)]
    double = [text.removeprefix("**").removesuffix("**").strip() for text in re.findall(r"\*\*[^\n\*]*\*\*", response)]
    return sum(1 for text in single + double if text) >= num_highlights


@instruction("detectable_format:multiple_sections", section_spliter=a_text, num_sections=a_positive_count)
def multiple_sections(response: str, section_spliter: str, num_sections: int) -> bool:
    """At least so many sections headed `SPLITTER 1`, `SPLITTER 2`, ... (the kwarg is misspelt in IFEval's files)."""
    pieces = re.split(rf"\s?{re.escape(section_spliter.strip())}\s?\d+\s?", response)
    return len(pieces) - 1 >= num_sections


@instruction("detectable_content:number_placeholders", num_placeholders=a_count)
def number_placeholders(response: str, num_placeholders: int) -> bool:
    """At least so many placeholders in square brackets."""
    closed = [part for line in response.split("\n") for part in line.split("]")[:-1]]
    return sum("[" in part for part in closed) >= num_placeholders


@instruction("detectable_content:postscript", postscript_marker=a_text)
def postscript(response: str, postscript_marker: str) -> bool:
    """A postscript that starts with the marker, in any case (`P.P.S` and `P.S.` also with spaces inside)."""
    marker = postscript_marker.strip()
    patterns = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
    return re.search(patterns.get(marker, re.escape(marker.lower())), response.lower()) is not None

"""Terms in texts: the places are those of one pattern with all boundaries in it."""

import re
from random import Random

import pytest

from dragoman.text.normalisation import APOSTROPHES, normalised
from dragoman.text.segmentation import SPACELESS
from dragoman.text.terms import term_places

PIECES = [*"abAéßİıi_1 -'’.設定のก설정жЖ", "  "]


def one_pattern(term: str, endings: int) -> str:
    """The definition, as one pattern."""
    term = normalised(term)
    escaped = re.sub(f"[{APOSTROPHES}]", f"[{APOSTROPHES}]", r"\s+".join(map(re.escape, term.split())))
    before = "" if re.match(rf"[{SPACELESS}\W]", term) else rf"(?<![^\W{SPACELESS}])"
    after = "" if re.search(rf"[{SPACELESS}\uac00-\ud7af\W]\Z", term) else rf"(?![^\W{SPACELESS}])"
    ending = rf"[^\W\d_]{{0,{endings}}}" if endings and after else ""
    return f"{before}{escaped}{ending}{after}"


@pytest.mark.parametrize("case", [False, True])
@pytest.mark.parametrize("endings", [0, 2])
def test_places_are_those_of_one_pattern(endings: int, case: bool) -> None:
    random, found = Random(f"{endings}{case}"), 0
    for _ in range(400):
        term = "".join(random.choices(PIECES, k=random.randint(1, 3))).strip() or "a"
        text = normalised("".join(random.choices([*PIECES, term, term.upper()], k=random.randint(0, 12))))
        expected = [m.span() for m in re.finditer(one_pattern(term, endings), text, 0 if case else re.IGNORECASE)]
        assert list(term_places(term, text, endings=endings, case=case)) == expected, (term, text)
        found += bool(expected)
    assert 50 < found < 350


@pytest.mark.parametrize(
    ("term", "text", "places"),
    [
        ("Set up", "set  up the setup", [(0, 7)]),
        ("file", "files, a file", [(9, 13)]),
        ("設定", "新設定を開く", [(1, 3)]),
        ("설정", "설정을 설정", [(0, 2), (4, 6)]),
        ("don't", "I don’t", [(2, 7)]),
        ("a a", "a a a", [(0, 3)]),
    ],
)
def test_places_by_hand(term: str, text: str, places: list[tuple[int, int]]) -> None:
    assert list(term_places(term, text)) == places


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("straße", "Die STRASSE? Nein: Straße."), ("l'eau", "Voici L’EAU"), ("New  York", "in new york."),
        ("istanbul", "İstanbul"), ("ΟΔΟΣ", "οδος"), ("kelvin", "300 \u212aelvin"), ("data base", "a data\nbase"),
        ("colour", "the colours"), ("Donau", "am Rhein"), ("a.b", "a-b"), ("café", "cafe\u0301"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("endings", [0, 2])
def test_odd_letters(term: str, text: str, endings: int) -> None:
    plain = normalised(text)
    expected = [m.span() for m in re.finditer(one_pattern(term, endings), plain, re.IGNORECASE)]
    assert list(term_places(term, plain, endings=endings)) == expected

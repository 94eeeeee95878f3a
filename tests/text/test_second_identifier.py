"""The second identifier: the same questions as the first, another judge."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from sentences import SENTENCES

from dragoman.text import identification, second_identifier
from dragoman.text.second_identifier import second_opinion


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_on_target_in_its_own_language_only(code: str) -> None:
    found = second_opinion(SENTENCES[code], code, "en" if code != "en" else "de")
    assert (found.on_target, found.detected) == (True, code)
    assert [
        other for other in SENTENCES if other != code and second_opinion(SENTENCES[code], other, code).on_target
    ] == []


def test_regions_and_dialects_count_as_their_language() -> None:
    assert second_opinion(SENTENCES["pt"], "pt_BR", "en").on_target is True
    assert second_opinion(SENTENCES["zh"], "zh-Hans", "en").on_target is True
    assert second_opinion("Kuća je velika i stara, a vrt je lijep", "sr-Latn", "en").on_target is True
    assert second_opinion("Sepur menyang kutha bakal mangkat jam wolu esuk iki.", "jv", "en").detected == "jv"


def test_text_without_letters_is_judged_as_by_the_first_identifier() -> None:
    for text, source_text in (("12.3.", "on March 12"), ("12.3.", "3/12"), ("12.3.", None), ("", "3/12"), (" ", None)):
        first = identification.is_on_target(text, "de", "en", source_text=source_text)
        assert second_opinion(text, "de", "en", source_text=source_text) == first


def test_what_it_cannot_judge_is_none() -> None:
    assert second_opinion("Guten Tag", "xyz", "en").on_target is None
    assert second_opinion("\x00\ud800 Der Zug nach München fährt heute ab.", "de", "en").on_target is True


@pytest.mark.parametrize(
    ("inside", "rival", "on_target"), [(100.0, 124.0, True), (100.0, 126.0, False), (0.0, 1.0, False), (0.0, 0.0, None)]
)
def test_a_rival_must_find_a_quarter_more_evidence_than_the_target(
    monkeypatch: pytest.MonkeyPatch, inside: float, rival: float, on_target: bool | None
) -> None:
    evidence = {"nb": {"no": inside}, "en": {"en": 1.0} if rival else {}, "sv": {"sv": rival, "da": 900.0}}
    monkeypatch.setattr(second_identifier, "_evidence", lambda text, expected: evidence.get(expected, {}))
    found = second_opinion("hus og hage", "nb", "sv")
    assert found.on_target is on_target
    assert found.detected == {True: "no", False: "en" if rival == 1.0 else "sv", None: "und"}[on_target]


def test_it_is_fast_and_loaded_only_when_asked() -> None:
    started = time.perf_counter()
    for _ in range(50):
        for code, text in SENTENCES.items():
            second_opinion(text, code, "en")
    assert (time.perf_counter() - started) / (50 * len(SENTENCES)) < 0.002
    code = "import sys, dragoman.text.second_identifier; sys.exit('pycld2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0

"""Perplexity: bits per byte of plain texts, for each language and over all, by hand."""

import asyncio
import json
import math

import pytest

from dragoman.evaluation.answering import Answer, AnsweringError, Decoding, EndpointAnswerer, questions_of
from dragoman.evaluation.local_scorer import LocalScorer
from dragoman.evaluation.standalone import Job, run_job
from dragoman.evaluation.suite_files import SuiteFileError
from rewards.models.endpoint import EndpointSettings
from tests.evaluation.test_answering import Counting
from tests.evaluation.test_suite_files import load

SUITE = """
task: perplexity
sources:
  - {path: a.txt, language: en}
  - {path: b.jsonl}
"""
ROWS = "".join(
    json.dumps(row) + "\n" for row in ({"text": "ää", "language": "de"}, {"text": "zu lang", "language": "de"})
)


class Reader(Counting):
    """Gives every text 8 bits, and cannot read one."""

    async def answer(self, question):
        assert not question.text and not question.messages
        (text,) = question.choices
        return Answer("", "too_long") if text == "zu lang" else Answer(text, "stop", (-8 * math.log(2),))


def test_bits_of_all_texts_over_bytes_of_all_texts(tmp_path):
    loaded = load(tmp_path, SUITE, a_txt=["abcd", "", "abcdefgh"], b_jsonl=ROWS)
    job = Job((loaded,), Reader(), Decoding())
    evaluation = asyncio.run(run_job(job, None, LocalScorer(), lambda *_: None))
    (result,) = evaluation.suites
    measured = {value.name: value for value in result.measured}
    # three texts of 8 bits, in 4, 8 and 4 bytes; the fourth is too long and says nothing
    assert measured["bits_per_byte"].value == pytest.approx(24 / 16) == result.metrics["bits_per_byte"]
    assert measured["bits_per_byte"].signature == "rows:3 of 4" and measured["unfinished"].value == 0.25
    by_language = {name: values[0].value for name, values in result.measured_by_direction.items()}
    assert by_language == {"en-en": pytest.approx(16 / 12), "de-de": pytest.approx(2.0)}


def test_a_text_without_language_and_an_endpoint_are_refused(tmp_path):
    with pytest.raises(SuiteFileError, match=r"b.jsonl:1 says no language; add language"):
        load(tmp_path, "task: perplexity\nsources: {path: b.jsonl}\n", b_jsonl='{"text": "abc"}\n')
    with pytest.raises(SuiteFileError, match=r"b.jsonl:1 has no text in column 'body'"):
        load(tmp_path, "task: perplexity\nsources: {path: b.jsonl}\nlabels: {text: body}\n", b_jsonl=ROWS)
    loaded = load(tmp_path, SUITE, a_txt=["abcd"], b_jsonl=ROWS)
    answerer = EndpointAnswerer(EndpointSettings("http://127.0.0.1:9", "m"))
    (first, *_) = questions_of(loaded, answerer, Decoding())

    async def asked():
        await answerer.open()
        await answerer.answer(first)

    with pytest.raises(AnsweringError, match="which an endpoint does not give"):
        asyncio.run(asked())

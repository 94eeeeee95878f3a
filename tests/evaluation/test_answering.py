"""Answers are asked once, kept as they come, and chosen among by formulas that can be counted by hand."""

import asyncio
import json

import pytest

from dragoman.data.rows import Conversation, ParallelPair
from dragoman.evaluation.answering import (
    Answer,
    AnsweringError,
    AnswerStore,
    Decoding,
    EndpointAnswerer,
    OutputsAnswerer,
    Question,
    ask_all,
    questions_of,
)
from dragoman.evaluation.answering.choosing import best_choices, mbr_choice
from dragoman.evaluation.local_scorer import LocalScorer
from dragoman.evaluation.tasks.choice import picked
from rewards.models.endpoint import EndpointSettings
from tests.evaluation.http_stand_in import serve
from tests.evaluation.sentences import ENGLISH, GERMAN
from tests.evaluation.test_suite_files import PAIR, load


class Counting:
    """Answers everything, and may die after so many."""

    name, fingerprint, concurrency, remembers = "counting", "model-1", 2, True

    def __init__(self, dies_after=10**9):
        self.asked, self.opened, self.dies_after = [], 0, dies_after

    async def open(self):
        self.opened += 1

    async def answer(self, question):
        if len(self.asked) >= self.dies_after:
            raise AnsweringError("the engine died")
        self.asked.append(question.id)
        await asyncio.sleep(0)
        return Answer(f"answer to {question.text} {question.sample}")

    def fits(self, text, room):
        return True

    def close(self):
        pass


def ask(answerer, questions, folder):
    return asyncio.run(ask_all(answerer, questions, AnswerStore(folder), lambda done, total: None))


QUESTIONS = [Question(f"r{n}", 0, text=f"text {n}") for n in range(6)]


def test_what_a_dead_evaluation_answered_is_not_asked_again(tmp_path):
    first = Counting(dies_after=3)
    with pytest.raises(AnsweringError, match="died"):
        ask(first, QUESTIONS, tmp_path)
    second = Counting()
    answers = ask(second, QUESTIONS, tmp_path)
    assert sorted(first.asked + second.asked) == [q.id for q in QUESTIONS]
    assert [a.text for a in answers] == [f"answer to text {n} 0" for n in range(6)]
    third = Counting()
    assert ask(third, QUESTIONS, tmp_path) == answers and third.opened == 0


def test_a_torn_line_costs_that_answer_alone(tmp_path):
    ask(Counting(), QUESTIONS, tmp_path)
    path = tmp_path / "answers.jsonl"
    whole = path.read_bytes()
    for cut in (1, 20):  # a kill before the line's end, and within its object
        path.write_bytes(whole[:-cut])
        again = Counting()
        ask(again, QUESTIONS, tmp_path)
        assert again.asked == ([] if cut == 1 else ["r5"])
        assert len([json.loads(line) for line in path.read_text().splitlines()]) == 6


def test_another_model_decoding_or_text_is_another_answer(tmp_path):
    ask(Counting(), QUESTIONS[:1], tmp_path)
    other = Counting()
    other.fingerprint = "model-2"
    for answerer, question in (
        (other, QUESTIONS[0]),
        (Counting(), Question("r0", 0, text="text 0", max_tokens=9)),
        (Counting(), Question("r0", 1, text="text 0", temperature=1.0, seed=4)),
        (Counting(), Question("r0", 0, text="text 0.")),
    ):
        ask(answerer, [question], tmp_path)
        assert answerer.asked == ["r0"]
    renamed = Counting()
    ask(renamed, [Question("other id", 0, text="text 0")], tmp_path)
    assert renamed.asked == []


def test_samples_have_seeds_of_their_own_and_examples_never_show_the_question(tmp_path):
    loaded = load(tmp_path, PAIR, a_en=ENGLISH, a_de=GERMAN)
    asked = questions_of(loaded, Counting(), Decoding(samples=2, temperature=0.7))
    assert [q.sample for q in asked[:3]] == [0, 1, 2] and len({q.seed for q in asked if q.sample}) == 20
    assert asked[0].temperature == 0 and asked[1].temperature == 0.7
    shown = [
        Conversation(s, ({"role": "user", "content": s}, {"role": "assistant", "content": t}), "translation",
                     ParallelPair("en", "de", s, t))
        for s, t in zip(ENGLISH[:3], GERMAN[:3], strict=True)
    ]  # fmt: skip
    first = questions_of(loaded, Counting(), Decoding(), shots=3, examples=shown)[0]
    assert first.text.count("German:") == 3 and first.text.count(ENGLISH[0]) == 1 and first.stop == ("\n",)
    with pytest.raises(AnsweringError, match="no examples for --shots 2"):
        questions_of(loaded, Counting(), Decoding(), shots=2)


def test_an_endpoint_is_asked_for_chats_and_texts_and_again_when_it_is_overloaded(tmp_path, monkeypatch):
    monkeypatch.setattr("rewards.models.endpoint.FIRST_PAUSE_S", 0.01)
    monkeypatch.setenv("STAND_IN_KEY", "secret")
    server, address = serve(tmp_path / "log", failures=2)
    answerer = EndpointAnswerer(EndpointSettings(address, "m", "STAND_IN_KEY"))
    questions = [
        Question("a", 0, ({"role": "user", "content": "Hello"},), max_tokens=7),
        Question("b", 1, text="Hi:", stop=("\n",), temperature=0.5, top_p=0.9, seed=3),
    ]
    answers = ask(answerer, questions, tmp_path)
    server.shutdown()
    assert [a.text for a in answers] == ["Antwort 5", "Antwort 3 3"]
    chat, text = sorted(map(json.loads, (tmp_path / "log").read_text().splitlines()), key=lambda line: line["path"])
    assert chat["path"] == "/v1/chat/completions" and chat["key"] == "Bearer secret" and chat["temperature"] == 0
    assert text["path"] == "/v1/completions" and (text["stop"], text["top_p"]) == (["\n"], 0.9)
    assert "secret" not in (tmp_path / "answers.jsonl").read_text()


def test_outputs_name_their_rows_or_go_line_by_line(tmp_path):
    lines = tmp_path / "out.jsonl"
    lines.write_text('{"id": "a", "response": "1"}\n{"id": "a", "response": "2"}\n{"id": "b", "response": "3"}\n')
    with pytest.raises(AnsweringError, match="no response for 1 of 3 rows, first 'c'"):
        OutputsAnswerer(lines, ["a", "b", "c"])
    found = OutputsAnswerer(lines, ["a", "b"])
    assert asyncio.run(found.answer(Question("a", 1))).text == "2"
    with pytest.raises(AnsweringError, match="lower --samples"):
        asyncio.run(found.answer(Question("b", 1)))
    plain = tmp_path / "out.txt"
    plain.write_text("1\n2\n")
    assert asyncio.run(OutputsAnswerer(plain, ["a", "b"]).answer(Question("b", 0))).text == "2"
    with pytest.raises(AnsweringError, match="2 lines and the suites 3 rows"):
        OutputsAnswerer(plain, ["a", "b", "c"])


def test_minimum_bayes_risk_takes_the_sample_that_the_others_are_nearest_to():
    assert mbr_choice(["Das Haus ist rot.", "Ein Zug.", "Das Haus ist rot", "Das Haus war rot."]) in (0, 2)
    assert mbr_choice(["abc", "xyz", "xyz"]) == 1  # what is drawn twice outweighs what is drawn once
    assert mbr_choice(["abc"]) == 0


def test_best_of_n_takes_what_the_reward_scores_highest(tmp_path):
    prompts = load(tmp_path, PAIR, a_en=ENGLISH, a_de=GERMAN).suite.prompts[:2]
    asked = [(prompts[0], [ENGLISH[0], GERMAN[0]]), (prompts[1], [GERMAN[1], ENGLISH[1]])]
    assert asyncio.run(best_choices("direction", asked, LocalScorer())) == [1, 0]


def test_a_choice_is_read_from_a_text():
    choices = ["the sun", "the moon"]
    assert [picked(t, choices) for t in ("The moon.", "B", " (A) the sun", "B. the moon", "perhaps")] == [
        "the moon", "the moon", "the sun", "the moon", None
    ]  # fmt: skip

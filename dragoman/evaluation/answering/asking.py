"""Asking everything once: answers go to a file as they come, and what the file has is not asked again.

    answers.jsonl: {"key", "id", "sample", "response", "finish_reason", "logprobs"?}

`key` is a hash of the model's fingerprint and all that the answer depends on: the row's text in its prompt form, the
decoding, the sample's seed. So a killed evaluation goes on where it was, a suite that grew asks its new rows only, and
an answer is never taken for another model's. A line that a kill tore is cut off before the first new one.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from dragoman.evaluation.answering.records import Answer, Answerer, Question
from dragoman.files import append_lines, rewind, whole_lines

ANSWERS = "answers.jsonl"


class AnswerStore:
    """The answers of an output folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / ANSWERS
        lines, torn = whole_lines(self.path)
        if torn or not _ends_a_line(self.path):
            rewind(self.path, lambda line: True)
        self._known = {
            str(line["key"]): Answer(line["response"], line["finish_reason"], tuple(line.get("logprobs", ())))
            for line in lines
            if {"key", "response", "finish_reason"} <= line.keys()
        }

    def get(self, key: str) -> Answer | None:
        """The answer that is there already."""
        return self._known.get(key)

    def add(self, key: str, question: Question, answer: Answer) -> None:
        """Keep an answer; it is in the file before this returns."""
        self._known[key] = answer
        line = {
            "key": key, "id": question.id, "sample": question.sample, "response": answer.text,
            "finish_reason": answer.finish_reason,
        }  # fmt: skip
        append_lines(self.path, [{**line, "logprobs": list(answer.logprobs)} if answer.logprobs else line])


async def ask_all(
    answerer: Answerer, questions: Sequence[Question], store: AnswerStore | None, told: Callable[[int, int], None]
) -> list[Answer]:
    """An answer to every question, in their order; the answerer is opened only if one is missing.

    `told(done, total)` after each. A failure ends the rest; what came before it is kept.
    """
    keys = [question.key(answerer.fingerprint) for question in questions]
    found: dict[str, Answer] = {}
    missing: dict[str, Question] = {}
    for key, question in zip(keys, questions, strict=True):
        known = store.get(key) if store is not None else None
        if known is not None:
            found[key] = known
        elif store is None:
            missing[f"{key}/{question.id}"] = question
        else:
            missing[key] = question
    total, done = len(found) + len(missing), len(found)
    told(done, total)
    if missing:
        await answerer.open()
    free = asyncio.Semaphore(answerer.concurrency)

    async def one(key: str, question: Question) -> None:
        nonlocal done
        async with free:
            answer = await answerer.answer(question)
        if store is not None:
            store.add(key, question, answer)
        found[key] = answer
        done += 1
        told(done, total)

    await _all_or_first_error([one(key, question) for key, question in missing.items()])
    return [found.get(key) or found[f"{key}/{q.id}"] for key, q in zip(keys, questions, strict=True)]


async def _all_or_first_error(work: Sequence[Coroutine[None, None, None]]) -> None:
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ends_a_line(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size == 0:
        return True
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"

"""A model folder as an answerer: the house's engine, started for the first answer that is missing."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.checkpoints.pretrained import read_shape
from dragoman.evaluation.answering import Answer, AnsweringError, Question
from dragoman.evaluation.few_shot import ended
from dragoman.pipeline.fingerprints import model_fingerprint
from dragoman.rollout import Completion, RolloutGroup, RolloutSettings, SamplingSettings

MOST_CONTEXT = 8192
GATHER_S = 0.05
"""So long questions wait for others to go with, and answers for others to come with"""


@dataclass(frozen=True)
class _Wanted:
    """An answer that somebody waits for."""

    ids: list[int]
    sampling: SamplingSettings
    seed: int | None
    done: asyncio.Future[Completion]


class EngineAnswerer:
    """A checkpoint in Hugging Face format behind vLLM."""

    remembers = True

    def __init__(self, folder: Path, name: str, settings: RolloutSettings) -> None:
        from dragoman.learner.model import load_tokenizer

        self.folder, self.name, self.settings = folder, name, settings
        self.fingerprint = f"{model_fingerprint(folder)}-{settings.dtype}"
        self.concurrency = 2 * settings.max_sequences * settings.workers
        self.context = min(read_shape(folder).context or MOST_CONTEXT, MOST_CONTEXT)
        self.tokenizer: Any = load_tokenizer(folder)
        self._group: RolloutGroup | None = None
        self._waiting: list[_Wanted] = []
        self._calls: set[asyncio.Future[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        from cluster.connection import connect_once
        from dragoman.pipeline.run_folder import CODE

        connect_once(CODE)
        self._group = RolloutGroup(self.folder, self.settings, self.context, f"evaluate-{uuid.uuid4().hex[:8]}")
        await self._group.start()

    async def answer(self, question: Question) -> Answer:
        """An answer, or none where the prompt leaves no room for one."""
        assert self._group is not None, "open comes first"
        if question.choices and not question.messages and not question.text:
            return await self._read(question.choices[0])
        ids = self._ids(question)
        if question.choices:
            return await self._choose(question, ids)
        room = min(question.max_tokens, self.context - len(ids))
        if room < 1:
            return Answer("", "too_long")
        sampling = SamplingSettings(
            room, question.temperature, question.top_p, stop=question.stop, beams=question.beams, logprobs=False
        )
        done = await self._generated(ids, sampling, question.seed if question.sample else None)
        text = done.text
        for end in question.stop:
            text = ended(text, end) if not question.messages else text.partition(end)[0]
        return Answer(text.encode("utf-8", "replace").decode(), done.finish_reason)

    async def _generated(self, ids: list[int], sampling: SamplingSettings, seed: int | None) -> Completion:
        """One answer. Questions go to the engine some at a time: a call costs as much as a short answer."""
        loop = asyncio.get_running_loop()
        wanted = _Wanted(ids, sampling, seed, loop.create_future())
        self._waiting.append(wanted)
        if len(self._waiting) >= self.settings.max_sequences // 2:
            self._send()
        elif len(self._waiting) == 1:
            self._timer = loop.call_later(GATHER_S, self._send)
        return await wanted.done

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._timer is not None:
            self._timer.cancel()
        for sampling in dict.fromkeys(wanted.sampling for wanted in waiting):
            task = asyncio.ensure_future(self._ask([w for w in waiting if w.sampling == sampling], sampling))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _ask(self, wanted: Sequence[_Wanted], sampling: SamplingSettings) -> None:
        """One call; every future gets its answer, or the error that ended the call."""
        assert self._group is not None, "open comes first"
        try:
            ids, seeds = [w.ids for w in wanted], [w.seed for w in wanted]
            answers = self._group.generate_each(ids, sampling, seeds, GATHER_S)
            async with aclosing(answers):
                async for place, done in answers:
                    if not wanted[place].done.done():
                        wanted[place].done.set_result(done)
        except Exception as error:
            for one in wanted:
                if not one.done.done():
                    one.done.set_exception(error)

    async def _read(self, text: str) -> Answer:
        """A text with its log-probability, as `Session.bits` reads it; none where it is longer than the context."""
        from dragoman.learner.encoding import encode_texts

        assert self._group is not None
        (ids,) = encode_texts(self.tokenizer, [text])
        if len(ids) >= self.context:
            return Answer("", "too_long")
        (found,) = await self._group.logprobs([ids])
        return Answer(text, "stop", (sum(found),))

    async def _choose(self, question: Question, ids: list[int]) -> Answer:
        """The choice with the highest log-probability, its tokens summed; the first of equals."""
        assert self._group is not None
        space = "" if question.messages or question.text.endswith((" ", "\n")) else " "
        added = [self._added(question, ids, f"{space}{choice}") for choice in question.choices]
        sequences = [[*ids, *tokens] for tokens in added]
        if max(map(len, sequences)) > self.context - 1:
            return Answer("", "too_long")
        found = await self._group.logprobs(sequences)
        sums = tuple(sum(steps[-len(tokens) :]) for steps, tokens in zip(found, added, strict=True))
        return Answer(question.choices[max(range(len(sums)), key=sums.__getitem__)], "stop", sums)

    def _added(self, question: Question, ids: list[int], text: str) -> list[int]:
        """The tokens that a choice adds; AnsweringError where it adds none."""
        if question.messages:
            tokens = list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        else:
            whole = list(self.tokenizer(question.text + text)["input_ids"])
            tokens = whole[len(ids) :]
            if whole[: len(ids)] != ids:  # the join made another token: the choice is then tokenised alone
                tokens = list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        if not tokens:
            raise AnsweringError(f"row {question.id}: the choice {text!r} has no tokens; give it a text")
        return tokens

    def _ids(self, question: Question) -> list[int]:
        from dragoman.learner.encoding import encode_prompts

        if not question.messages:
            return list(self.tokenizer(question.text)["input_ids"])
        if not self.tokenizer.chat_template:
            raise AnsweringError(
                f"{self.folder} has no chat template: ask it by examples (--shots N), or in a plain form "
                "(--prompt gemmax, --prompt plain)"
            )
        return encode_prompts(self.tokenizer, [question.messages], [question.id])[0]

    def fits(self, text: str, room: int) -> bool:
        """Whether a plain text leaves room for an answer of so many tokens."""
        return len(self.tokenizer(text)["input_ids"]) + room <= self.context

    def close(self) -> None:
        """End the engine; Ray stays for the scorer."""
        if self._group is not None:
            self._group.close()
            self._group = None

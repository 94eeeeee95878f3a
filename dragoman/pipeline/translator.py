"""A model behind `dragoman translate`: the house's engine, greedy, many texts at a time.

A text is asked for in a prompt form. One whose prompt leaves too little room, and one whose answer does not end, has no
translation; the reply says why.
"""

import asyncio
import uuid
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from cluster.progress import Progress
from dragoman.checkpoints.pretrained import read_shape
from dragoman.data.documents import Reply
from dragoman.data.rows import ParallelPair
from dragoman.evaluation.suite_files.forms import Form, asked
from dragoman.learner.encoding import encode_prompts
from dragoman.rollout import RolloutGroup, RolloutSettings, SamplingSettings

MOST_CONTEXT = 4096
_LEAST_ANSWER = 16


def answer_room(prompt: int, text: int, context: int, longest: int | None) -> int:
    """How many tokens an answer may have, 0 where the prompt leaves too little: a translation is rarely three times as
    long as its source, and one that is has lost its way."""
    wanted = min(longest or context, 3 * text + 2 * _LEAST_ANSWER)
    room = context - prompt
    return min(wanted, room) if room >= min(wanted, text + _LEAST_ANSWER) else 0


class EngineTranslator:
    """Texts of one direction through one engine, which is started for the first of them."""

    def __init__(
        self, folder: Path, source: str, target: str, settings: RolloutSettings, longest: int | None, form: Form
    ) -> None:
        self.folder, self.source, self.target = folder, source, target
        self.settings, self.longest, self.form = settings, longest, form
        self.context = min(read_shape(folder).context or MOST_CONTEXT, MOST_CONTEXT)

    def __call__(self, texts: Sequence[str]) -> list[Reply]:
        """A reply to each text."""
        # half of a surrogate pair, which JSON can hold and no tokenizer reads, becomes a question mark
        return asyncio.run(self._translate([text.encode("utf-8", "replace").decode("utf-8") for text in texts]))

    async def _translate(self, texts: Sequence[str]) -> list[Reply]:
        from dragoman.learner.model import load_tokenizer

        tokenizer = load_tokenizer(self.folder)
        contents = [asked(self.form, ParallelPair(self.source, self.target, text, "")) for text in texts]
        prompts = (
            [list(ids) for ids in tokenizer(contents)["input_ids"]] if self.form.raw
            else encode_prompts(tokenizer, [[{"role": "user", "content": content}] for content in contents])
        )  # fmt: skip
        lengths = [len(ids) for ids in tokenizer(list(texts), add_special_tokens=False)["input_ids"]]
        rooms = [
            answer_room(len(prompt), length, self.context, self.longest)
            for prompt, length in zip(prompts, lengths, strict=True)
        ]
        if not any(rooms):
            return [self._too_long(len(prompt)) for prompt in prompts]
        group = RolloutGroup(self.folder, self.settings, self.context, f"translate-{uuid.uuid4().hex[:8]}")
        try:
            await group.start()
            return await self._answers(group, prompts, rooms)
        finally:
            group.close()

    async def _answers(
        self, group: RolloutGroup, prompts: Sequence[Sequence[int]], rooms: Sequence[int]
    ) -> list[Reply]:
        """Every text at once to the engine's queue, twice as many as it decodes together."""
        progress = Progress("translating", len(prompts))
        free = asyncio.Semaphore(2 * self.settings.max_sequences * self.settings.workers)

        async def one(prompt: Sequence[int], room: int) -> Reply:
            async with free:
                reply = await self._answer(group, prompt, room) if room else self._too_long(len(prompt))
            progress.advance(1)
            return reply

        replies = await asyncio.gather(*(one(p, room) for p, room in zip(prompts, rooms, strict=True)))
        progress.close()
        return list(replies)

    async def _answer(self, group: RolloutGroup, prompt: Sequence[int], room: int) -> Reply:
        greedy = SamplingSettings(room, temperature=0.0, stop=self.form.stop, logprobs=False)
        (done,) = await group.generate_many([prompt], greedy)
        if done.finish_reason == "length":
            return Reply(None, f"the answer did not end within {room} tokens ({done.text[:60]!r}…)")
        return Reply(reduce(str.removesuffix, self.form.stop, done.text))

    def _too_long(self, prompt: int) -> Reply:
        return Reply(None, f"too long: its prompt takes {prompt} of the model's {self.context} tokens")

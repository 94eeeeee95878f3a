"""Any OpenAI-compatible endpoint: chats through `chat/completions`, plain texts through `completions`.

Concurrency, retries and the key are those of the judge's client (`rewards.models.endpoint`): overload and broken
connections are tried again after a growing pause, a refusal is an error at once, the key is read from an environment
variable and shown nowhere. Weights cannot be seen from outside, so the fingerprint is the address and the model's name:
give another --out folder when the server serves another model under the same name.
"""

import hashlib
from typing import Any

from dragoman.evaluation.answering.records import Answer, AnsweringError, Question
from rewards.errors import EndpointError
from rewards.models.endpoint import ChatClient, EndpointSettings, client_of


class EndpointAnswerer:
    """A model behind HTTP."""

    remembers = True

    def __init__(self, settings: EndpointSettings) -> None:
        self.settings = settings
        self.name = settings.model
        self.concurrency = settings.concurrency
        told = f"{settings.endpoint.rstrip('/')} {settings.model}"
        self.fingerprint = f"endpoint-{hashlib.sha256(told.encode()).hexdigest()[:24]}"
        self._client: ChatClient | None = None

    async def open(self) -> None:
        self._client = client_of(self.settings)

    async def answer(self, question: Question) -> Answer:
        """One request; a multiple-choice question is asked as a text, and its answer read."""
        assert self._client is not None, "open comes first"
        if question.choices and not question.messages and not question.text:
            raise AnsweringError(
                f"row {question.id} wants the log-probability of a text, which an endpoint does not give; evaluate the "
                "model's folder, or leave the perplexity suite out"
            )
        if question.beams > 1:
            raise AnsweringError("an endpoint has no beam search; evaluate the model's folder, or leave --beams out")
        decoding: dict[str, Any] = {"max_tokens": question.max_tokens, "temperature": question.temperature}
        if question.sample:
            decoding |= {"top_p": question.top_p, "seed": question.seed}
        if question.stop:
            decoding["stop"] = list(question.stop)
        try:
            if question.messages:
                return await self._ask("chat/completions", {"messages": list(question.messages), **decoding})
            return await self._ask("completions", {"prompt": question.text, **decoding})
        except EndpointError as error:
            raise AnsweringError(str(error)) from None

    async def _ask(self, path: str, body: dict[str, Any]) -> Answer:
        assert self._client is not None
        reply = await self._client.post(path, {"model": self.settings.model, **body})
        try:
            choice = reply.json()["choices"][0]
            text = choice["message"]["content"] if path.startswith("chat") else choice["text"]
        except (ValueError, LookupError, TypeError) as error:
            raise EndpointError(
                f"{self.settings.endpoint} sent no completion ({error!r}): {reply.text[:200]}"
            ) from None
        if text is None:
            text = ""  # a refusal or a call of a tool: no answer
        if not isinstance(text, str):
            raise EndpointError(f"{self.settings.endpoint} sent {type(text).__name__} instead of a text")
        return Answer(text.encode("utf-8", "replace").decode(), str(choice.get("finish_reason") or "stop"))

    def fits(self, text: str, room: int) -> bool:
        """The server knows its context; it refuses what is too long."""
        return True

    def close(self) -> None:
        """Nothing was started."""

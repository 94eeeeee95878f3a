"""Ask a language model over an OpenAI-compatible HTTP endpoint (`POST {endpoint}/chat/completions`).

One client per endpoint and event loop bounds what is in flight (`concurrency`) and how often it asks
(`requests_per_minute`, spread evenly). Answers to equal requests are remembered; equal requests in flight share one
call. Overload, time-outs and broken connections are tried again after a growing pause (or the server's `Retry-After`);
anything else the server refuses is an error at once. The key is read from an environment variable of the worker and
appears in no message.
"""

import asyncio
import os
import random
import weakref
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rewards.errors import EndpointError
from rewards.models.score_cache import ScoreCache

T = TypeVar("T")
Message = Mapping[str, str]
RETRY_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True)
class EndpointSettings:
    """Where a model answers and how hard it may be asked."""

    endpoint: str
    """Address up to and including `/v1`."""
    model: str
    key_variable: str | None = None
    """Environment variable that holds the key; None sends none (local servers)."""
    concurrency: int = 16
    requests_per_minute: float | None = None
    request_timeout_s: float = 60.0
    retries: int = 4

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("http://", "https://")):
            raise EndpointError(f"endpoint is {self.endpoint!r}; give an address such as http://localhost:8000/v1")
        if self.concurrency < 1 or self.retries < 0 or self.request_timeout_s <= 0:
            raise EndpointError("concurrency must be at least 1, retries at least 0, request_timeout_s above 0")
        if self.requests_per_minute is not None and self.requests_per_minute <= 0:
            raise EndpointError(f"requests_per_minute is {self.requests_per_minute}; it must be above 0")


class ChatClient:
    """Asks one endpoint. Lives on one event loop; get it from `client_of`."""

    def __init__(self, settings: EndpointSettings) -> None:
        import httpx

        self.settings = settings
        self._http = httpx.AsyncClient(
            base_url=settings.endpoint.rstrip("/") + "/",
            headers=_authorization(settings),
            timeout=settings.request_timeout_s,
        )
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._next_start = 0.0
        self._known: ScoreCache[Hashable, Any] = ScoreCache()
        self._running: dict[Hashable, asyncio.Task[Any]] = {}

    async def remember(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer remembered under `key`, or what `ask` gives; failures are not remembered."""
        known = self._known.get(key)
        if known is not None:
            return known  # type: ignore[no-any-return]
        if key not in self._running:
            task = asyncio.ensure_future(ask())
            self._running[key] = task
            task.add_done_callback(lambda done: self._finish(key, done))
        return await asyncio.shield(self._running[key])  # type: ignore[no-any-return]

    async def complete(self, messages: Sequence[Message], **options: Any) -> str:
        """The text of the model's answer; EndpointError says what went wrong and how often it was tried."""
        body = {"model": self.settings.model, "messages": list(messages), **options}
        return _content(self.settings.endpoint, await self.post("chat/completions", body))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The server's reply (httpx's) with status 200, tried again as the module says."""
        reason, pause = "", 0.0
        for attempt in range(self.settings.retries + 1):
            if attempt:
                await asyncio.sleep(pause)
            reply, reason, wait = await self._try(path, body)
            if reply is not None:
                return reply
            pause = max(wait, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt) * random.uniform(0.5, 1.0))
        raise EndpointError(f"{self.settings.endpoint} failed {self.settings.retries + 1} times, last: {reason}")

    async def _try(self, path: str, body: Mapping[str, Any]) -> tuple[Any, str, float]:
        """The reply; or None, why it failed and the least pause before trying again."""
        import httpx

        async with self._slots:
            await self._wait_for_turn()
            try:
                reply = await self._http.post(path, json=body)
            except httpx.TransportError as error:
                return None, f"{type(error).__name__} {error}", 0.0
        if reply.status_code in RETRY_STATUS:
            reason = f"HTTP {reply.status_code} {reply.text[:200]}"
            return None, reason, _retry_after(reply.headers.get("retry-after"))
        if reply.status_code != 200:
            raise EndpointError(
                f"{self.settings.endpoint} refused the request: HTTP {reply.status_code} {reply.text[:200]}; "
                f"check the endpoint, the model {self.settings.model!r} and the key variable"
            )
        return reply, "", 0.0

    async def _wait_for_turn(self) -> None:
        if self.settings.requests_per_minute is None:
            return
        loop = asyncio.get_running_loop()
        start = max(loop.time(), self._next_start)
        self._next_start = start + 60.0 / self.settings.requests_per_minute
        await asyncio.sleep(start - loop.time())

    def _finish(self, key: Hashable, done: asyncio.Task[Any]) -> None:
        del self._running[key]
        if not done.cancelled() and done.exception() is None:
            self._known.put(key, done.result())


def client_of(settings: EndpointSettings) -> ChatClient:
    """The one client of these settings on the running loop."""
    clients = _CLIENTS.setdefault(asyncio.get_running_loop(), {})
    if settings not in clients:
        clients[settings] = ChatClient(settings)
    return clients[settings]


_CLIENTS: weakref.WeakKeyDictionary[Any, dict[EndpointSettings, ChatClient]] = weakref.WeakKeyDictionary()


def check_key(key_variable: str | None) -> None:
    """EndpointError when the variable that should hold the key is not set here."""
    if key_variable and not os.environ.get(key_variable):
        raise EndpointError(
            f"environment variable {key_variable} is not set where the reward runs; export it before Ray is started "
            "on each node (or give it in the job's runtime environment)"
        )


def _authorization(settings: EndpointSettings) -> dict[str, str]:
    check_key(settings.key_variable)
    return {"Authorization": f"Bearer {os.environ[settings.key_variable]}"} if settings.key_variable else {}


def _retry_after(header: str | None) -> float:
    try:
        return min(LONGEST_PAUSE_S, max(0.0, float(header or 0)))
    except ValueError:
        return 0.0  # a date; the growing pause does


def _content(endpoint: str, reply: Any) -> str:
    try:
        choice = reply.json()["choices"][0]
        content = choice["message"]["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise EndpointError(f"{endpoint} sent no chat completion ({error!r}): {reply.text[:200]}") from None
    if choice.get("finish_reason") == "length":
        raise EndpointError(f"{endpoint}: the answer was cut off; raise max_tokens")
    if not isinstance(content, str):
        raise EndpointError(f"{endpoint} sent {type(content).__name__} instead of a text")
    return content

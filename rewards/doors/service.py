"""The reward service: scores over HTTP, so that any trainer in any environment can use the verifiers.

    dragoman rewards serve --port 8100        # then: http://127.0.0.1:8100/docs (OpenAPI)

| call | body | answer |
|---|---|---|
| `POST /score` | `{"rows": [row, ...]}` | `{"scores": [{"id", "reward", "components"}, ...]}` in the same order |
| `POST /openrlhf` | OpenRLHF's `{"query", "prompts", "labels"}` | `{"rewards", "scores", "extra_logs"}` |
| `GET /kinds` | | the reward kinds with their arguments |
| `GET /stats` | | checks by kind and status, mean and p99 latency |
| `GET /health` | | `{"status": "ok"}` |

A malformed row is 422 with its number and what to do, and nothing of that request is scored. A reward that could
not be computed is `null` with the statuses of its components; `/openrlhf`, which has no place for that, answers
500, and OpenRLHF then tries again. Whoever may call `/score` may run code in the sandbox: on any but the loopback
address a token is required.
"""

import asyncio
import inspect
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from rewards.doors.adapters.openrlhf import answer, rows_of
from rewards.errors import RewardError, RowError
from rewards.execution.pools import RewardPools
from rewards.records import Score
from rewards.registry import find_kind, known_kinds
from rewards.validation import validate_rows

MAX_ROWS = 4096
MAX_BODY_BYTES = 64 * 1024 * 1024
INJECTED = frozenset({"response", "row"})
"""Parameters that the caller never gives as arguments"""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Spec(BaseModel):
    """One component asked for."""

    model_config = ConfigDict(extra="allow")
    kind: str
    weight: float = 1.0
    span_weight: float | None = None
    args: dict[str, Any] = Field(default_factory=dict)


class Row(BaseModel):
    """A response and how it is to be rewarded; further columns reach the rewards by name."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "id": "t1",
                "prompt": "Translate into German: The house is small.",
                "response": "Das Haus ist klein.",
                "rewards": [
                    {"kind": "chrf", "args": {"reference": "Das Haus ist klein."}},
                    {"kind": "direction", "args": {"source": "en", "target": "de"}},
                ],
            }
        },
    )
    id: str
    response: str
    rewards: list[Spec] = Field(min_length=1)


class Rows(BaseModel):
    """The rows of one request, scored together."""

    rows: list[Row] = Field(min_length=1, max_length=MAX_ROWS)


class Scores(BaseModel):
    """One entry for each row, in the order of the request."""

    scores: list[Score]


class OpenRlhfRequest(BaseModel):
    """OpenRLHF's request: whole texts, their prompts, and labels that hold rows as JSON."""

    query: list[str]
    prompts: list[str]
    labels: list[str]


class OpenRlhfReply(BaseModel):
    """OpenRLHF's reply; `extra_logs` has the value of each kind."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


class Kind(BaseModel):
    """A reward kind and the arguments of its function."""

    name: str
    gate: bool
    arguments: list[str]
    about: str


def check_binding(host: str, token: str | None) -> None:
    """RewardError when the service would be open to the network without a token."""
    if host not in LOOPBACK and not token:
        raise RewardError(
            f"--host {host} lets other machines run code in this machine's sandbox; set DRAGOMAN_REWARDS_TOKEN and "
            "send it as `Authorization: Bearer ...`, or bind to 127.0.0.1"
        )


def create_app(pools: RewardPools, token: str | None = None) -> FastAPI:
    """The service over these pools; with a token, every call but /health needs it."""
    app = FastAPI(title="Dragoman rewards", description=__doc__ or "", version="1")
    guarded = [Depends(_token_check(token))]

    @app.middleware("http")
    async def limit_body(request: Request, forward: Callable[[Request], Awaitable[Response]]) -> Response:
        length = request.headers.get("content-length", "")
        if request.method == "POST" and (not length.isdecimal() or int(length) > MAX_BODY_BYTES):
            reason = f"send a Content-Length of at most {MAX_BODY_BYTES} bytes; split the rows over several calls"
            return Response(f'{{"detail": "{reason}"}}', status_code=413, media_type="application/json")
        return await forward(request)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/kinds", dependencies=guarded)
    async def kinds() -> list[Kind]:
        return [describe(name) for name in known_kinds()]

    @app.get("/stats", dependencies=guarded)
    async def stats() -> dict[str, dict[str, Any]]:
        return pools.stats()

    @app.post("/score", dependencies=guarded, response_model=Scores)
    async def score(request: Rows) -> JSONResponse:
        scores = await _score(pools, [row.model_dump() for row in request.rows])
        return JSONResponse({"scores": [score.to_dict() for score in scores]})

    @app.post("/openrlhf", dependencies=guarded)
    async def openrlhf(request: OpenRlhfRequest) -> OpenRlhfReply:
        try:
            rows = rows_of(request.query, request.prompts, request.labels)
        except RewardError as error:
            raise HTTPException(422, str(error)) from None
        try:
            return OpenRlhfReply(**answer(await _score(pools, rows)))
        except RewardError as error:
            raise HTTPException(500, str(error)) from None

    return app


def describe(name: str) -> Kind:
    """A kind's arguments as its function declares them, and the first line of what it says of itself."""
    kind = find_kind(name)
    about = (inspect.getdoc(kind.function) or "").split("\n")[0]
    arguments = [str(p) for p in inspect.signature(kind.function).parameters.values() if p.name not in INJECTED]
    return Kind(name=name, gate=kind.gate, arguments=arguments, about=about)


async def _score(pools: RewardPools, rows: list[dict[str, Any]]) -> list[Score]:
    try:
        await asyncio.to_thread(validate_rows, rows)
        return await pools.score_rows_async(rows)
    except RowError as error:
        raise HTTPException(422, str(error)) from None
    except RewardError as error:  # a pool that cannot work: no sandbox, no checkpoint
        raise HTTPException(503, str(error)) from None


def _token_check(token: str | None) -> Callable[[Request], None]:
    def check(request: Request) -> None:
        given = request.headers.get("authorization", "")
        if token and not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "wrong or missing token; send `Authorization: Bearer $DRAGOMAN_REWARDS_TOKEN`")

    return check

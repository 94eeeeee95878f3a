"""The application: both interfaces, a key, errors in each caller's form, and vLLM's own interface behind it."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from dragoman.pipeline.serving import deepl, libretranslate
from dragoman.pipeline.serving.bodies import body_of
from dragoman.pipeline.serving.translating import ServiceError, TranslationService

OPEN = ("/health", "/docs", "/openapi.json")
"""Paths that need no key"""
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "content-encoding"})


def application(service: TranslationService, key: str | None = None) -> FastAPI:
    """The service as an ASGI application. `key`: what callers must show, as any of the interfaces has it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=None) as app.state.client:
            yield

    app = FastAPI(title="Dragoman", description="Translation by a model of your own.", lifespan=lifespan)
    app.include_router(libretranslate.router(service))
    app.include_router(deepl.router(service))

    @app.exception_handler(ServiceError)
    async def refused(request: Request, error: ServiceError) -> JSONResponse:
        """LibreTranslate calls it `error`, DeepL `message`."""
        return JSONResponse({"error": str(error), "message": str(error)}, error.status)

    @app.middleware("http")
    async def keyed(request: Request, call_next: Any) -> Response:
        if key is not None and request.url.path not in OPEN and not await _shows(request, key):
            return JSONResponse({"error": "the key is missing or wrong", "message": "wrong key"}, 403)
        return await call_next(request)  # type: ignore[no-any-return]

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Answers while the service runs."""
        return {"status": "ok"}

    @app.api_route("/v1/{path:path}", methods=["GET", "POST"], include_in_schema=False)
    async def passed_on(path: str, request: Request) -> Response:
        """As it is to the model's server, and back as it comes."""
        return await _passed_on(app.state.client, f"{service.endpoint.endpoint.rstrip('/')}/{path}", request)

    return app


async def _shows(request: Request, key: str) -> bool:
    """Whether a request has the key: a bearer, DeepL's header, or LibreTranslate's field."""
    given = request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("DeepL-Auth-Key ")
    if not given and request.method == "POST":
        try:
            given = (await body_of(request)).text("api_key")
        except ServiceError:
            return False
    return hmac.compare_digest(given.encode(), key.encode())


async def _passed_on(client: httpx.AsyncClient, address: str, request: Request) -> Response:
    headers = {k: v for k, v in request.headers.items() if k not in HOP_BY_HOP | {"authorization"}}
    asked = client.build_request(
        request.method, address, params=request.query_params, headers=headers, content=await request.body()
    )
    try:
        reply = await client.send(asked, stream=True)
    except httpx.TransportError as error:
        raise ServiceError(f"the model's server does not answer: {error}", 502) from None
    kept = {k: v for k, v in reply.headers.items() if k not in HOP_BY_HOP}
    return StreamingResponse(reply.aiter_bytes(), reply.status_code, kept, background=_closing(reply))


def _closing(reply: httpx.Response) -> Any:
    from starlette.background import BackgroundTask

    return BackgroundTask(reply.aclose)

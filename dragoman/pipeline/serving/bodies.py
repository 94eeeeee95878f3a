"""Fields of a request's body, JSON or form, with errors in a sentence."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request

from dragoman.pipeline.serving.translating import ServiceError

MOST_BYTES = 4 << 20


async def body_of(request: Request) -> dict[str, Any]:
    """The body's fields; of a form one that is given several times is a list."""
    content = await request.body()
    if len(content) > MOST_BYTES:
        raise ServiceError(f"the request has more than {MOST_BYTES >> 20} MiB; send it in several", 413)
    if "form" in request.headers.get("content-type", ""):
        found = parse_qs(content.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
    try:
        read = await request.json()
    except ValueError:
        raise ServiceError("the body is no JSON; send JSON, or a form with its content type") from None
    if not isinstance(read, dict):
        raise ServiceError("the body must be a JSON object")
    return read


def text_field(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A field that is a text."""
    value = body.get(name, default)
    if not isinstance(value, str) or not value.strip():
        raise ServiceError(f"field {name!r} is missing; give a text")
    return value


def texts_field(body: Mapping[str, Any], name: str) -> tuple[tuple[str, ...], bool]:
    """A field that is a text or a list of texts; whether it was one text."""
    value = body.get(name)
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given or not all(isinstance(text, str) for text in given):
        raise ServiceError(f"field {name!r} is missing; give a text or a list of texts")
    return tuple(given), isinstance(value, str)

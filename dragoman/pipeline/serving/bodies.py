"""Fields of a request's body, JSON or form, with errors in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from dragoman.pipeline.serving.translating import ServiceError

MOST_BYTES = 4 << 20


@dataclass(frozen=True)
class Fields:
    """What a body holds; ServiceError where a field is not what it must be."""

    values: Mapping[str, object]

    def text(self, name: str, default: str | None = None) -> str:
        """A field that is a text."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or not value.strip():
            raise ServiceError(f"field {name!r} is missing; give a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that is a text or a list of texts."""
        value = self.values.get(name)
        given = value if isinstance(value, list) else [value]
        if not given or not all(isinstance(text, str) for text in given):
            raise ServiceError(f"field {name!r} is missing; give a text or a list of texts")
        return tuple(given)

    def is_one(self, name: str) -> bool:
        """Whether it was one text, and not a list."""
        return isinstance(self.values.get(name), str)

    def has(self, name: str) -> bool:
        """Whether a field says anything."""
        return bool(self.values.get(name))


async def body_of(request: Request) -> Fields:
    """The body's fields; of a form one that is given several times is a list."""
    content = await request.body()
    if len(content) > MOST_BYTES:
        raise ServiceError(f"the request has more than {MOST_BYTES >> 20} MiB; send it in several", 413)
    if "form" in request.headers.get("content-type", ""):
        found = parse_qs(content.decode("utf-8", "replace"), keep_blank_values=True)
        return Fields({name: values[0] if len(values) == 1 else values for name, values in found.items()})
    try:
        read = await request.json()
    except ValueError:
        raise ServiceError("the body is no JSON; send JSON, or a form with its content type") from None
    if not isinstance(read, dict):
        raise ServiceError("the body must be a JSON object")
    return Fields(read)


Body = Annotated[Fields, Depends(body_of)]

"""LibreTranslate's interface (docs.libretranslate.com), JSON or form bodies."""

from collections.abc import Sequence
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel

from dragoman.pipeline.serving.bodies import Body
from dragoman.pipeline.serving.translating import Job, ServiceError, TranslationService
from dragoman.text.languages import language_name

FORMATS = ("text", "html")
T = TypeVar("T")


class Detected(BaseModel):
    """A language, and how sure that is in per cent."""

    language: str
    confidence: float


class Translation(BaseModel):
    """A reply; of a list of texts everything is a list."""

    translatedText: str | list[str]
    detectedLanguage: Detected | list[Detected] | None = None
    warnings: str | list[str] | None = None
    """Ours: what an answer lost"""


class Language(BaseModel):
    """A language, and what it can be translated into."""

    code: str
    name: str
    targets: list[str]


def router(service: TranslationService) -> APIRouter:
    """`/translate`, `/detect`, `/languages`."""
    routes = APIRouter(tags=["LibreTranslate"])

    @routes.post("/translate", response_model_exclude_none=True)
    async def translate(body: Body) -> Translation:
        """`q` (a text or a list), `source` (a code or `auto`), `target`, `format` (text, html)."""
        form, source, single = body.text("format", "text"), body.text("source", "auto"), body.is_one("q")
        if form not in FORMATS:
            raise ServiceError(f"format {form!r} is none of {', '.join(FORMATS)}")
        found = await service.translate(Job(body.texts("q"), body.text("target"), None if source == "auto" else source))
        detected = [Detected(language=f.source, confidence=round(100 * f.confidence, 1)) for f in found]
        warnings = [f.warning for f in found]
        return Translation(
            translatedText=_one_or_all([f.text for f in found], single),
            detectedLanguage=_one_or_all(detected, single) if source == "auto" else None,
            warnings=_one_or_all(warnings, single) if any(warnings) else None,
        )

    @routes.post("/detect")
    async def detect(body: Body) -> list[Detected]:
        """Languages of `q`, the likeliest first."""
        ranked = service.detect(" ".join(body.texts("q")))
        return [Detected(language=c, confidence=round(100 * share, 1)) for c, share in ranked if share >= 0.01]

    @routes.get("/languages")
    async def languages() -> list[Language]:
        """What can be translated into what."""
        codes = service.languages
        return [Language(code=c, name=language_name(c), targets=[o for o in codes if o != c]) for c in codes]

    return routes


def _one_or_all(values: Sequence[T], single: bool) -> T | list[T]:
    return values[0] if single else list(values)

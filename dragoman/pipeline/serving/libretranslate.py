"""LibreTranslate's interface (docs.libretranslate.com), JSON or form bodies."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from dragoman.pipeline.serving.bodies import body_of, text_field, texts_field
from dragoman.pipeline.serving.translating import Job, ServiceError, Translated, TranslationService
from dragoman.text.languages import language_name

Body = Annotated[dict[str, Any], Depends(body_of)]
FORMATS = ("text", "html")


def router(service: TranslationService) -> APIRouter:
    """`/translate`, `/detect`, `/languages`."""
    routes = APIRouter(tags=["LibreTranslate"])

    @routes.post("/translate")
    async def translate(body: Body) -> dict[str, Any]:
        """`q` (a text or a list), `source` (a code or `auto`), `target`, `format` (text, html)."""
        if body.get("format", "text") not in FORMATS:
            raise ServiceError(f"format {body['format']!r} is none of {', '.join(FORMATS)}")
        texts, single = texts_field(body, "q")
        source = text_field(body, "source", "auto")
        asked = None if source == "auto" else source
        found = await service.translate(Job(texts, text_field(body, "target"), asked))
        reply: dict[str, Any] = {"translatedText": _one_or_all([f.text for f in found], single)}
        if asked is None:
            reply["detectedLanguage"] = _one_or_all([_detected(f) for f in found], single)
        if any(f.warning for f in found):
            reply["warnings"] = _one_or_all([f.warning for f in found], single)
        return reply

    @routes.post("/detect")
    async def detect(body: Body) -> list[dict[str, Any]]:
        """Languages of `q`, the likeliest first."""
        texts, _ = texts_field(body, "q")
        ranked = service.detect(" ".join(texts))
        return [{"language": code, "confidence": round(100 * share, 1)} for code, share in ranked if share >= 0.01]

    @routes.get("/languages")
    async def languages(request: Request) -> list[dict[str, Any]]:
        """What can be translated into what."""
        codes = list(service.languages)
        return [
            {"code": code, "name": language_name(code), "targets": [other for other in codes if other != code]}
            for code in codes
        ]

    return routes


def _detected(found: Translated) -> dict[str, Any]:
    return {"language": found.source, "confidence": round(100 * found.confidence, 1)}


def _one_or_all(values: list[Any], single: bool) -> Any:
    return values[0] if single else values

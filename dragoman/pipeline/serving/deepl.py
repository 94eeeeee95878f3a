"""DeepL's interface (developers.deepl.com), version 2: translate, languages, glossaries, usage.

A glossary is kept in memory, for one direction; of its terms a prompt gets those that its text has. `formality` is a
rule in the prompt; `tag_handling` needs nothing, since tags are always kept and checked. What has no meaning here
(`split_sentences`, `outline_detection`, `model_type`, ...) is accepted and ignored, as by DeepL for some languages.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends

from dragoman.data.localisation.terms import Term
from dragoman.pipeline.serving.bodies import body_of, text_field, texts_field
from dragoman.pipeline.serving.translating import Job, ServiceError, Translated, TranslationService
from dragoman.text.languages import base_code, language_name

Body = Annotated[dict[str, Any], Depends(body_of)]
ADDRESS: Mapping[str, Literal["formal", "informal"] | None] = {
    "default": None, "more": "formal", "prefer_more": "formal", "less": "informal", "prefer_less": "informal",
}  # fmt: skip
SEPARATORS = {"tsv": "\t", "csv": ","}
MOST_GLOSSARIES, MOST_ENTRIES = 1_000, 20_000


@dataclass(frozen=True)
class Glossary:
    """Terms of one direction."""

    id: str
    name: str
    source: str
    target: str
    terms: tuple[Term, ...]

    def described(self) -> dict[str, Any]:
        """As DeepL lists it."""
        return {
            "glossary_id": self.id, "name": self.name, "ready": True, "source_lang": self.source,
            "target_lang": self.target, "entry_count": len(self.terms),
        }  # fmt: skip


@dataclass
class Shelf:
    """Glossaries by their id, and how many characters were translated."""

    glossaries: dict[str, Glossary] = field(default_factory=dict)
    characters: int = 0

    def find(self, id: str) -> Glossary:
        """ServiceError where there is none."""
        if id not in self.glossaries:
            raise ServiceError(f"there is no glossary {id}; glossaries are lost when the service ends", 404)
        return self.glossaries[id]


def router(service: TranslationService) -> APIRouter:
    """Everything below `/v2`."""
    routes, shelf = APIRouter(prefix="/v2", tags=["DeepL"]), Shelf()

    @routes.post("/translate")
    async def translate(body: Body) -> dict[str, Any]:
        """`text` (a list), `target_lang`, `source_lang`, `formality`, `glossary_id`."""
        job = _job(body, shelf)
        found = await service.translate(job)
        shelf.characters += sum(map(len, job.texts))
        return {"translations": [_shown(one) for one in found]}

    @routes.get("/languages")
    async def languages(type: Literal["source", "target"] = "source") -> list[dict[str, Any]]:
        """What can be translated."""
        formal = {"supports_formality": True} if type == "target" else {}
        return [{"language": code.upper(), "name": language_name(code), **formal} for code in service.languages]

    @routes.post("/glossaries", status_code=201)
    async def create(body: Body) -> dict[str, Any]:
        """`name`, `source_lang`, `target_lang`, `entries`, `entries_format` (tsv, csv)."""
        if len(shelf.glossaries) >= MOST_GLOSSARIES:
            raise ServiceError(f"there are {MOST_GLOSSARIES} glossaries already; delete one", 413)
        made = _glossary(body)
        shelf.glossaries[made.id] = made
        return made.described()

    @routes.get("/glossaries")
    async def listed() -> dict[str, Any]:
        """All glossaries."""
        return {"glossaries": [found.described() for found in shelf.glossaries.values()]}

    @routes.get("/glossaries/{id}")
    async def one(id: str) -> dict[str, Any]:
        """One glossary."""
        return shelf.find(id).described()

    @routes.delete("/glossaries/{id}", status_code=204)
    async def delete(id: str) -> None:
        """Forget a glossary."""
        del shelf.glossaries[shelf.find(id).id]

    @routes.get("/usage")
    async def usage() -> dict[str, Any]:
        """Characters since the start; there is no limit."""
        return {"character_count": shelf.characters, "character_limit": 10**12}

    return routes


def _job(body: Mapping[str, Any], shelf: Shelf) -> Job:
    texts, _ = texts_field(body, "text")
    target, given = _code(text_field(body, "target_lang")), body.get("source_lang")
    source = _code(text_field(body, "source_lang")) if given else None
    formality = body.get("formality", "default")
    if formality not in ADDRESS:
        raise ServiceError(f"formality {formality!r} is none of {', '.join(ADDRESS)}")
    terms: tuple[Term, ...] = ()
    if body.get("glossary_id"):
        glossary = shelf.find(text_field(body, "glossary_id"))
        if source is None or (base_code(source), base_code(target)) != (glossary.source, glossary.target):
            raise ServiceError(f"the glossary is for {glossary.source} to {glossary.target}; give that source_lang")
        terms = glossary.terms
    return Job(texts, target, source, terms, ADDRESS[formality])


def _glossary(body: Mapping[str, Any]) -> Glossary:
    separator = SEPARATORS.get(body.get("entries_format", "tsv"))
    if separator is None:
        raise ServiceError(f"entries_format {body['entries_format']!r} is none of {', '.join(SEPARATORS)}")
    lines = [line.split(separator) for line in text_field(body, "entries").splitlines() if line.strip()]
    wrong = next((n for n, parts in enumerate(lines, start=1) if len(parts) < 2 or not all(parts[:2])), None)
    if wrong is not None or len(lines) > MOST_ENTRIES:
        reason = f"line {wrong} has no two terms" if wrong else f"{len(lines)} entries are more than {MOST_ENTRIES}"
        raise ServiceError(f"entries: {reason}; write a term, {'a tab' if separator == chr(9) else 'a comma'}, a term")
    terms = tuple(Term(parts[0].strip(), parts[1].strip()) for parts in lines)
    source, target = (base_code(_code(text_field(body, name))) for name in ("source_lang", "target_lang"))
    return Glossary(uuid.uuid4().hex, text_field(body, "name"), source, target, terms)


def _shown(found: Translated) -> dict[str, str]:
    warning = {"warning": found.warning} if found.warning else {}
    return {"detected_source_language": found.source.upper(), "text": found.text, **warning}


def _code(given: str) -> str:
    """DeepL's `EN-US`, `PT-BR`, `ZH-HANT` as ours."""
    language, *rest = given.strip().replace("_", "-").split("-")
    return "-".join([language.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])

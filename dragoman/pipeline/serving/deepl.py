"""DeepL's interface (developers.deepl.com), version 2: translate, languages, glossaries, usage.

A glossary is kept in memory, for one direction; of its terms a prompt gets those that its text has. `formality` is a
rule in the prompt; `tag_handling` needs nothing, since tags are always kept and checked. What has no meaning here
(`split_sentences`, `outline_detection`, `model_type`, ...) is accepted and ignored, as by DeepL for some languages.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from dragoman.data.localisation.terms import Term
from dragoman.pipeline.serving.bodies import Body, Fields
from dragoman.pipeline.serving.translating import Job, ServiceError, Translated, TranslationService
from dragoman.text.languages import base_code, language_name

ADDRESS: Mapping[str, Literal["formal", "informal"] | None] = {
    "default": None, "more": "formal", "prefer_more": "formal", "less": "informal", "prefer_less": "informal",
}  # fmt: skip
SEPARATORS = {"tsv": "\t", "csv": ","}
MOST_GLOSSARIES, MOST_ENTRIES = 1_000, 20_000


class Translation(BaseModel):
    """One text's."""

    detected_source_language: str
    text: str
    warning: str | None = None
    """Ours: what the answer lost"""


class Translations(BaseModel):
    """A reply."""

    translations: list[Translation]


class Language(BaseModel):
    """A language on offer."""

    language: str
    name: str
    supports_formality: bool | None = None


class GlossaryInfo(BaseModel):
    """A glossary as it is listed."""

    glossary_id: str
    name: str
    ready: bool = True
    source_lang: str
    target_lang: str
    entry_count: int


class GlossaryList(BaseModel):
    """All of them."""

    glossaries: list[GlossaryInfo]


class Usage(BaseModel):
    """Characters since the start."""

    character_count: int
    character_limit: int = 10**12
    """There is none"""


@dataclass(frozen=True)
class Glossary:
    """Terms of one direction."""

    id: str
    name: str
    source: str
    target: str
    terms: tuple[Term, ...]

    def info(self) -> GlossaryInfo:
        """As it is listed."""
        return GlossaryInfo(
            glossary_id=self.id, name=self.name, source_lang=self.source, target_lang=self.target,
            entry_count=len(self.terms),
        )  # fmt: skip


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

    @routes.post("/translate", response_model_exclude_none=True)
    async def translate(body: Body) -> Translations:
        """`text` (a list), `target_lang`, `source_lang`, `formality`, `glossary_id`."""
        job = _job(body, shelf)
        found = await service.translate(job)
        shelf.characters += sum(map(len, job.texts))
        return Translations(translations=[_shown(one) for one in found])

    @routes.get("/languages", response_model_exclude_none=True)
    async def languages(type: Literal["source", "target"] = "source") -> list[Language]:
        """What can be translated."""
        formal = True if type == "target" else None
        codes = service.languages
        return [Language(language=c.upper(), name=language_name(c), supports_formality=formal) for c in codes]

    @routes.post("/glossaries", status_code=201)
    async def create(body: Body) -> GlossaryInfo:
        """`name`, `source_lang`, `target_lang`, `entries`, `entries_format` (tsv, csv)."""
        if len(shelf.glossaries) >= MOST_GLOSSARIES:
            raise ServiceError(f"there are {MOST_GLOSSARIES} glossaries already; delete one", 413)
        made = _glossary(body)
        shelf.glossaries[made.id] = made
        return made.info()

    @routes.get("/glossaries")
    async def listed() -> GlossaryList:
        """All glossaries."""
        return GlossaryList(glossaries=[found.info() for found in shelf.glossaries.values()])

    @routes.get("/glossaries/{id}")
    async def one(id: str) -> GlossaryInfo:
        """One glossary."""
        return shelf.find(id).info()

    @routes.delete("/glossaries/{id}", status_code=204)
    async def delete(id: str) -> None:
        """Forget a glossary."""
        del shelf.glossaries[shelf.find(id).id]

    @routes.get("/usage")
    async def usage() -> Usage:
        """Characters since the start; there is no limit."""
        return Usage(character_count=shelf.characters)

    return routes


def _job(body: Fields, shelf: Shelf) -> Job:
    target, formality = _code(body.text("target_lang")), body.text("formality", "default")
    source = _code(body.text("source_lang")) if body.has("source_lang") else None
    if formality not in ADDRESS:
        raise ServiceError(f"formality {formality!r} is none of {', '.join(ADDRESS)}")
    terms: tuple[Term, ...] = ()
    if body.has("glossary_id"):
        glossary = shelf.find(body.text("glossary_id"))
        if source is None or (base_code(source), base_code(target)) != (glossary.source, glossary.target):
            raise ServiceError(f"the glossary is for {glossary.source} to {glossary.target}; give that source_lang")
        terms = glossary.terms
    return Job(body.texts("text"), target, source, terms, ADDRESS[formality])


def _glossary(body: Fields) -> Glossary:
    form = body.text("entries_format", "tsv")
    separator = SEPARATORS.get(form)
    if separator is None:
        raise ServiceError(f"entries_format {form!r} is none of {', '.join(SEPARATORS)}")
    lines = [line.split(separator) for line in body.text("entries").splitlines() if line.strip()]
    wrong = next((n for n, parts in enumerate(lines, start=1) if len(parts) < 2 or not all(parts[:2])), None)
    if wrong is not None or len(lines) > MOST_ENTRIES:
        reason = f"line {wrong} has no two terms" if wrong else f"{len(lines)} entries are more than {MOST_ENTRIES}"
        raise ServiceError(f"entries: {reason}; write a term, {'a tab' if separator == chr(9) else 'a comma'}, a term")
    terms = tuple(Term(parts[0].strip(), parts[1].strip()) for parts in lines)
    source, target = (base_code(_code(body.text(name))) for name in ("source_lang", "target_lang"))
    return Glossary(uuid.uuid4().hex, body.text("name"), source, target, terms)


def _shown(found: Translated) -> Translation:
    return Translation(detected_source_language=found.source.upper(), text=found.text, warning=found.warning or None)


def _code(given: str) -> str:
    """DeepL's `EN-US`, `PT-BR`, `ZH-HANT` as ours."""
    language, *rest = given.strip().replace("_", "-").split("-")
    return "-".join([language.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)])

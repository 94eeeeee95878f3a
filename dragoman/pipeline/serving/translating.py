"""Texts through a chat endpoint, as `dragoman translate` asks them, with what programs can see checked.

A text of several lines is translated line by line, as training and `dragoman translate` have it. An answer that lost
or invented a placeholder or a tag is asked for again, sampled; if none of `ATTEMPTS` keeps them all, the first is given
with a warning. Glossary and form of address become rules in the words that training uses.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dragoman.data.documents.base import Slot
from dragoman.data.documents.checking import fault, has_words, surrounded
from dragoman.data.localisation.instructing import WORDINGS
from dragoman.data.localisation.terms import Term, terms_in
from dragoman.data.rows import ParallelPair
from dragoman.errors import DragomanError
from dragoman.evaluation.suite_files.forms import FORMS, Form, asked
from dragoman.text.identification import known_languages, posteriors
from dragoman.text.languages import LanguageError, language_name
from dragoman.text.messages.tokens import without_tokens
from rewards.errors import EndpointError
from rewards.models.endpoint import EndpointSettings, client_of

ATTEMPTS = 3
MOST_CHARACTERS = 20_000
"""Of a line: more would not fit a context"""
MOST_TEXTS = 1_000
LEAST_TOKENS = 32
"""Of an answer, beside two for each character of its source; one that does not end within is an error"""


class ServiceError(DragomanError):
    """A request that cannot be served; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Job:
    """What a request asks for."""

    texts: tuple[str, ...]
    target: str
    source: str | None = None
    """None: it is to be found out, for each text"""
    terms: tuple[Term, ...] = ()
    address: Literal["formal", "informal"] | None = None


@dataclass(frozen=True)
class Translated:
    """A translation."""

    text: str
    source: str
    """The language that it was translated from"""
    confidence: float
    """1 where the request said it"""
    warning: str = ""
    """What its best answer lost"""


@dataclass(frozen=True)
class TranslationService:
    """Translates through an OpenAI-compatible endpoint; `languages` are those that it offers."""

    endpoint: EndpointSettings
    languages: tuple[str, ...]
    form: Form = FORMS["house"]
    """In which the model is asked, a chat"""

    async def translate(self, job: Job) -> list[Translated]:
        """Every text; ServiceError when one cannot be translated."""
        self.check(job)
        return list(await asyncio.gather(*(self._one(text, job) for text in job.texts)))

    def check(self, job: Job) -> None:
        """ServiceError for unknown languages and for more than there may be."""
        for code in filter(None, (job.source, job.target)):
            try:
                language_name(code)
            except LanguageError as error:
                raise ServiceError(str(error)) from None
        if len(job.texts) > MOST_TEXTS:
            raise ServiceError(f"{len(job.texts)} texts are more than {MOST_TEXTS}; send them in several requests", 413)
        longest = max((len(line) for text in job.texts for line in text.splitlines()), default=0)
        if longest > MOST_CHARACTERS:
            raise ServiceError(f"a line has {longest} characters, more than {MOST_CHARACTERS}; split it", 413)

    def detect(self, text: str) -> list[tuple[str, float]]:
        """Languages on offer with their probabilities, the likeliest first."""
        asked = tuple(sorted({code.split("-")[0] for code in self.languages} & known_languages()))
        return posteriors(without_tokens(text), asked or None)

    async def _one(self, text: str, job: Job) -> Translated:
        source, confidence = job.source, 1.0
        if source is None:
            ranked = self.detect(text) if any(map(str.isalpha, text)) else []
            source, confidence = ranked[0] if ranked else (job.target, 0.0)
        if source == job.target:
            return Translated(text, source, confidence)
        lines = await asyncio.gather(*(self._line(line, source, job) for line in text.split("\n")))
        warnings = "; ".join(dict.fromkeys(warning for _, warning in lines if warning))
        return Translated("\n".join(line for line, _ in lines), source, confidence, warnings)

    async def _line(self, line: str, source: str, job: Job) -> tuple[str, str]:
        """A line's translation, and what it lost."""
        slot = Slot("", line)
        if not has_words(slot):
            return line, ""
        prompt = _prompt(line.strip(), source, job, self.form)
        first: tuple[str, str] | None = None
        for attempt in range(ATTEMPTS):
            answer = surrounded(line, await self._ask(prompt, attempt, 2 * len(line) + LEAST_TOKENS))
            wrong = fault(slot, answer, job.target)
            if not wrong:
                return answer, ""
            first = first or (answer, wrong)
        assert first is not None, "there is at least one attempt"
        return first

    async def _ask(self, prompt: str, attempt: int, most_tokens: int) -> str:
        options: dict[str, Any] = {"temperature": 0.0} if attempt == 0 else {"temperature": 0.7, "seed": attempt}
        messages = [{"role": "user", "content": prompt}]
        try:
            return await client_of(self.endpoint).complete(messages, max_tokens=most_tokens, **options)
        except EndpointError as error:
            raise ServiceError(f"the model's server: {error}", 502) from None


def _prompt(text: str, source: str, job: Job, form: Form) -> str:
    request = asked(form, ParallelPair(source, job.target, text, ""))
    words: Mapping[str, Sequence[str]] = WORDINGS["en"]
    found = terms_in(text, job.terms)
    rules = [words[job.address][0]] if job.address else []
    if found:
        rules.append(words["glossary"][0].format(terms="; ".join(term.shown for term in found)))
    listed = "\n".join(f"- {rule}" for rule in rules)
    return words["frame"][0].format(request=request, rules=listed) if rules else request

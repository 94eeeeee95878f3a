"""Reading suite files: YAML with errors that name file, line, key and what to write; then the rows.

    load_suite_files([Path("flores.yaml"), Path("data/eval")]) -> [LoadedSuite, ...]

What is named may be a suite's YAML file, the name of one that is shipped, a JSON-lines file of the house's own prompt
rows, or a folder with any of these.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from dragoman.data.rows import Conversation, DataError
from dragoman.errors import DragomanError
from dragoman.evaluation.suite_files.rows import examples_of, prompts_of, reasked
from dragoman.evaluation.suite_files.settings import FormName, PromptSettings, SuiteSettings
from dragoman.evaluation.suites import Suite, SuiteError, load_suite
from dragoman.files import FileError
from rewards.errors import RewardError

SHIPPED = Path(__file__).parent / "shipped"


class SuiteFileError(SuiteError):
    """A suite file that cannot be used: file, line, key, reason and mend."""


@dataclass(frozen=True)
class LoadedSuite:
    """A suite that is ready to be asked."""

    suite: Suite
    settings: SuiteSettings | None = None
    """None: rows of the house's own, asked as they stand"""
    examples: tuple[Conversation, ...] = ()

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.suite.name

    def limited(self, limit: int | None, seed: int) -> LoadedSuite:
        """At most so many rows, drawn at random: the first ones would be of one kind."""
        if limit is None or len(self.suite.prompts) <= limit:
            return self
        chosen = Random(f"{seed}/limit/{self.name}").sample(range(len(self.suite.prompts)), limit)
        return replace(self, suite=Suite(self.name, tuple(self.suite.prompts[n] for n in sorted(chosen))))

    def with_form(self, form: FormName) -> LoadedSuite:
        """Translations asked in another prompt form; other rows stay as they are."""
        prompts = tuple(reasked(prompt, PromptSettings(form=form)) for prompt in self.suite.prompts)
        chosen = self.settings or SuiteSettings.model_construct(name=self.name)
        return replace(
            self,
            suite=Suite(self.name, prompts),
            settings=chosen.model_copy(update={"prompt": PromptSettings(form=form)}),
        )


def load_suite_files(named: Sequence[str], accepted: Sequence[str] = ()) -> list[LoadedSuite]:
    """Every suite that is named, in that order.

    SuiteFileError or SuiteError before anything is generated; of several faulty suites each has its line.

    `accepted` are licences of packages that are not permissive, beside those that a suite's own file accepts.
    """
    found, faults = [], []
    for path in [path for name in named for path in _files(name)]:
        try:
            found.append(_load(path, accepted))
        except (SuiteFileError, SuiteError) as error:
            faults.append(error)
    if faults:
        raise faults[0] if len(faults) == 1 else SuiteFileError("\n".join(map(str, faults)))
    for name, times in Counter(loaded.name for loaded in found).items():
        if times > 1:
            raise SuiteFileError(f"{times} suites are called {name!r}; give each its own name")
    ids = Counter(prompt.id for loaded in found for prompt in loaded.suite.prompts)
    repeated = next((name for name, times in ids.items() if times > 1), None)
    if repeated is not None:
        raise SuiteFileError(f"id {repeated!r} occurs {ids[repeated]} times in the suites; give every row its own")
    return found


def shipped_names() -> list[str]:
    """Suites that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def read_settings(path: Path) -> SuiteSettings:
    """A suite file's settings; SuiteFileError names the line and the key."""
    try:
        text = path.read_text(encoding="utf-8")
        values, node = yaml.safe_load(text), yaml.compose(text)
    except OSError as error:
        raise SuiteFileError(f"{path} cannot be read: {error.strerror}; name a suite's YAML file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SuiteFileError(f"{path}{line} is not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(values, dict):
        raise SuiteFileError(f"{path} must hold keys and values, such as name, sources and metrics")
    try:
        return SuiteSettings.model_validate({"name": path.stem, **values})
    except ValidationError as error:
        raise SuiteFileError("; ".join(_sentence(path, node, item) for item in error.errors())) from None


def _files(named: str) -> Iterable[Path]:
    path = Path(named).expanduser()
    if path.is_dir():
        found = sorted([*path.glob("*.yaml"), *path.glob("*.jsonl")])
        if not found:
            raise SuiteFileError(f"{path} holds no suite; put *.yaml or *.jsonl files there, or name another folder")
        return found
    if not path.exists() and named in shipped_names():
        return [SHIPPED / f"{named}.yaml"]
    if not path.is_file():
        raise SuiteFileError(f"no suite {named}; give a file, a folder, or one of {', '.join(shipped_names())}")
    return [path]


def _load(path: Path, accepted: Sequence[str]) -> LoadedSuite:
    if path.suffix != ".yaml":
        return LoadedSuite(load_suite(path))
    chosen = read_settings(path)
    chosen = chosen.model_copy(update={"accept_licences": (*chosen.accept_licences, *accepted)})
    try:
        prompts, examples = prompts_of(chosen, path.parent), examples_of(chosen, path.parent)
    except (DataError, FileError, RewardError, DragomanError) as error:
        raise SuiteFileError(f"suite {path.name}: {error}") from None
    if not prompts:
        raise SuiteFileError(f"suite {path.name} has no rows; look at its sources")
    return LoadedSuite(Suite(chosen.name, tuple(prompts)), chosen, tuple(examples)).limited(chosen.limit, chosen.seed)


def _sentence(path: Path, node: Any, item: Any) -> str:
    """An error of the schema as a sentence with its line."""
    where = f"{path}:{_line(node, item['loc'])}"
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(item["loc"][-1]), _known_keys(item["loc"]), n=1, cutoff=0.5)
        return f"{where}: unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else "")
    if item["type"] == "missing":
        return f"{where}: key {key!r} is missing; add it"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error":
        return f"{where}: {key}: {message}" if key else f"{where}: {message}"
    return f"{where}: {key} = {item['input']!r:.80} is not allowed: {message}"


def _line(node: Any, location: Sequence[Any]) -> int:
    """The line of a key, or of the innermost section above it that the file has."""
    line = int(node.start_mark.line) + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                return line
            line, node = int(found[0].start_mark.line) + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = int(node.start_mark.line) + 1
    return line


def _known_keys(location: Sequence[Any]) -> list[str]:
    """Keys of the section in which an unknown one stands."""
    section: Any = SuiteSettings
    for part in location[:-1]:
        field = section.model_fields.get(str(part))
        if field is not None:
            kinds = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ()))]
            section = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), section)
    return list(section.model_fields)

"""Sources: what writes a data set into a folder, by name.

    class Proverbs(Source[ProverbSettings]):
        name = "proverbs"
        settings_type = ProverbSettings
        def write(self, folder, seed, settings): ...

    register_source(Proverbs())        # then `data: {builder: proverbs, sizes: {…}}` in a recipe

A recipe may also name a source that nobody registered by its place, `package.module:NAME`. The quickstart is a source
like any other; it is imported when it is asked for, so that reading a recipe stays light.
"""

import difflib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from dragoman.errors import DragomanError
from dragoman.settings import Settings

SettingsT = TypeVar("SettingsT", bound=Settings)


class SourceError(DragomanError, ValueError):
    """A source that does not exist, or settings that it does not take; the text names both and what is allowed.

    Also a ValueError: raised while a recipe is validated, it becomes one of the recipe's errors.
    """


class Source(ABC, Generic[SettingsT]):
    """Writes the files of a data set (docs/data.md says which files a stage reads)."""

    name: ClassVar[str]
    """What `data.builder` of a recipe calls it"""
    settings_type: type[SettingsT]
    """What `data.sizes` of a recipe is validated by; every setting has a default"""

    def inputs(self, settings: SettingsT) -> Sequence[Path]:
        """Files that it reads; when one changes, the data are written again."""
        return ()

    @abstractmethod
    def write(self, folder: Path, seed: int, settings: SettingsT) -> None:
        """Write every file below `folder`; the same seed and settings give the same bytes.

        Raises SourceError when the settings ask for more than there is; nothing is written then.
        """


_REGISTERED: dict[str, Source[Any]] = {}
_OURS = {
    "quickstart": "dragoman.data.quickstart.source:QUICKSTART",
    "catalogs": "dragoman.data.catalogs.source:CATALOGS",
    "corpus": "dragoman.data.corpora.source:CORPUS",
}
"""Sources of this package, imported when asked for"""


def register_source(source: Source[Any]) -> None:
    """Make a source known by its name; a later one of the same name takes the place of an earlier one."""
    _REGISTERED[source.name] = source


def find_source(name: str) -> Source[Any]:
    """The source of a name or of a place, `package.module:NAME`; SourceError names the nearest known."""
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name in _OURS or ":" in name:
        return _imported(_OURS.get(name, name))
    known = sorted({*_REGISTERED, *_OURS})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    raise SourceError(f"unknown data source {name!r}: {hint}")


def _imported(place: str) -> Source[Any]:
    try:
        found = pkgutil.resolve_name(place)
    except (ImportError, AttributeError, ValueError) as error:
        raise SourceError(f"data source {place!r} cannot be imported ({error}); write package.module:NAME") from None
    if not isinstance(found, Source):
        raise SourceError(f"data source {place!r} is a {type(found).__name__}, not a dragoman.data.sources.Source")
    return found


def parse_settings(source: Source[SettingsT], values: Mapping[str, Any]) -> SettingsT:
    """The settings of a source from a recipe's values; SourceError names the key, the value and what is allowed."""
    try:
        return source.settings_type.model_validate(dict(values))
    except ValidationError as error:
        told = [_sentence(source.settings_type, item["loc"], item["type"], item["msg"], item["input"])
                for item in error.errors()]  # fmt: skip
        raise SourceError("; ".join(told)) from None


def _sentence(settings: type[BaseModel], place: tuple[int | str, ...], kind: str, message: str, given: object) -> str:
    key = ".".join(map(str, place))
    if kind == "extra_forbidden":
        keys = _keys(settings)
        near = difflib.get_close_matches(key, keys, n=1) or difflib.get_close_matches(str(place[-1]), keys, n=1)
        return f"unknown key {key!r}, " + (f"did you mean {near[0]!r}?" if near else f"known are {', '.join(keys)}")
    return f"{key} = {given!r} is not allowed: {message.removeprefix('Value error, ')}"


def _keys(settings: type[BaseModel]) -> list[str]:
    """Keys of a model and, dotted, of the models in it."""
    found: list[str] = []
    for name, field in settings.model_fields.items():
        found.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += [f"{name}.{key}" for key in _keys(field.annotation)]
    return found

"""The base of all settings, and which of them affect a result.

Every room declares its settings beside the code that reads them, as frozen models of this base; `dragoman.recipes`
composes them. A field affects the result unless its annotation says `RunOnly`: how many actors do the work, how long to
wait, when to warn. Fingerprints are made of `result_values`, so a new field counts until somebody says it does not.

    class LearnerSettings(Settings):
        dtype: Literal["float32", "bfloat16"] = "float32"
        ranks: RunOnly[int] = 1
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict

T = TypeVar("T")
Json = bool | int | float | str | None | Sequence["Json"] | Mapping[str, "Json"]
"""A JSON value"""


@dataclass(frozen=True)
class _RunOnly:
    """The mark itself."""


RunOnly = Annotated[T, _RunOnly()]
"""The type of a setting that changes how a run goes, not what it makes."""


class Settings(BaseModel):
    """Frozen; an unknown key is an error, so that a typo never silently trains the wrong thing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    moved: ClassVar[dict[str, str]] = {}
    """Keys of earlier versions, with where they are now in this section; named in errors"""


def affects_result(settings: type[Settings], name: str) -> bool:
    """Whether a field counts in fingerprints."""
    return not any(isinstance(mark, _RunOnly) for mark in settings.model_fields[name].metadata)


def result_values(value: object) -> Json:
    """The settings that affect a result, as JSON values: a mapping for `Settings`, run-only fields left out."""
    if isinstance(value, Settings):
        names = [name for name in type(value).model_fields if affects_result(type(value), name)]
        return {name: result_values(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): result_values(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [result_values(inner) for inner in value]
    return cast(Json, value)  # pydantic's own scalars

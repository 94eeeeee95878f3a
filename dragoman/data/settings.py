"""Where the rows come from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from dragoman.settings import Settings


class DataSettings(Settings):
    """Where the rows come from: a builder that writes them, or a folder that holds them (docs/data.md)."""

    builder: Literal["quickstart"] | None = None
    path: str | None = None
    sizes: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the builder (for `quickstart`: counts of rows per file)."""

    @model_validator(mode="after")
    def _one_source(self) -> DataSettings:
        if (self.builder is None) == (self.path is None):
            raise ValueError("give exactly one of data.builder and data.path")
        return self

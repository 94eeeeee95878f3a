"""Where the rows of a run come from: a source that writes them, or a folder that holds them.

    data: {builder: quickstart, sizes: {parallel: 10000, sft: {translation: 4200, …}}}
    data: {path: my_rows}

`sizes` belongs to the source: its settings type validates it together with the recipe, so that a wrong key is an
error before anything is computed, and `parsed_sizes` gives it typed.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from dragoman.data.sources import find_source, parse_settings
from dragoman.settings import Settings

LongRows = Literal["refuse", "drop", "truncate"]


class DataSettings(Settings):
    """A recipe's `data`: exactly one of `builder` and `path`."""

    builder: str | None = None
    """Name of a source, or its place `package.module:NAME` (`dragoman.data.sources`)"""
    path: str | None = None
    """A folder with the files of docs/data.md"""
    sizes: dict[str, Any] = Field(default_factory=dict)
    """Settings of the source, as written; `parsed_sizes` has them with their defaults. Not read with `path`."""

    long_rows: LongRows = "refuse"
    """What becomes of rows longer than `learner.row_tokens`: an error that counts them, left out, or cut there (prompts
    to sample from, and translations for language-aware tuning, are then left out). How many is printed."""
    bad_rows: Literal["refuse", "drop"] = "refuse"
    """What becomes of rows of `path` that cannot be read (no content, no answer): an error that counts them, or left
    out, each with its reason in `data/rejected.jsonl` of the run."""

    @model_validator(mode="after")
    def _one_origin(self) -> DataSettings:
        if (self.builder is None) == (self.path is None):
            raise ValueError("give exactly one of data.builder and data.path")
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> DataSettings:
        if self.builder is not None:
            try:
                parse_settings(find_source(self.builder), self.sizes)
            except ValueError as error:
                raise ValueError(f"data.sizes: {error}" if self.sizes else str(error)) from None
        return self


def parsed_sizes(settings: DataSettings) -> Settings:
    """The source's settings with every default; SourceError where `settings` names a folder and no source."""
    return parse_settings(find_source(settings.builder or ""), settings.sizes)

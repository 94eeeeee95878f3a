"""Hugging Face `datasets`: a hub name, a folder that `save_to_disk` wrote, Parquet, Arrow; streamed if wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dragoman.data.corpora.formats.base import Format, PlacedRow, register_format
from dragoman.data.corpora.formats.lines import from_columns
from dragoman.data.corpora.segments import InputError, Segment

if TYPE_CHECKING:
    from dragoman.data.corpora.settings import InputSettings


class HuggingFace(Format):
    """`path` is what `datasets.load_dataset` or `load_from_disk` takes; columns are named as for JSON lines."""

    name = "datasets"
    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".arrow")

    def paths(self, asked: InputSettings) -> list[Path]:
        """Local files; of a hub's data set its revision is what counts."""
        if asked.file.is_dir():
            return sorted(path for path in asked.file.rglob("*") if path.is_file())
        return [asked.file] if asked.file.is_file() else []

    def read(self, asked: InputSettings) -> Iterator[Segment]:
        for place, row in self.rows(asked):
            yield from_columns(asked, row, place, tuple(row))

    def rows(self, asked: InputSettings) -> Iterator[PlacedRow]:
        found = _rows(asked)
        names = class_names(getattr(found, "features", None) or {})
        return ((f":{number}", _named(row, names)) for number, row in enumerate(found, start=1))


def _rows(asked: InputSettings) -> Iterable[dict[str, Any]]:
    import datasets

    try:
        if asked.file.is_file():
            kind = {".parquet": "parquet", ".arrow": "arrow"}[asked.file.suffix.lower()]
            return datasets.load_dataset(  # type: ignore[no-any-return]
                kind, data_files=str(asked.file), split="train", streaming=asked.streaming
            )
        if asked.file.is_dir():
            found = datasets.load_from_disk(str(asked.file))
            return found[asked.split] if isinstance(found, datasets.DatasetDict) else found  # type: ignore[no-any-return]
        return datasets.load_dataset(  # type: ignore[no-any-return]
            asked.path, asked.subset, split=asked.split, streaming=asked.streaming, revision=asked.revision
        )
    except (OSError, ValueError, KeyError, datasets.exceptions.DatasetsError) as error:
        raise InputError(
            f"{asked.path} cannot be loaded by datasets ({type(error).__name__}: {str(error)[:200]}); give a file, a "
            "folder or a name on the hub, with its subset and split"
        ) from None


def class_names(features: Mapping[str, Any]) -> dict[str, list[str]]:
    """By column the names that its numbers stand for, of a class or a list of classes (`ner_tags`)."""
    import datasets

    inner = {name: getattr(feature, "feature", feature) for name, feature in features.items()}
    return {name: list(one.names) for name, one in inner.items() if isinstance(one, datasets.ClassLabel)}


def _named(row: dict[str, Any], names: Mapping[str, list[str]]) -> dict[str, Any]:
    def name(column: str, value: Any) -> Any:
        if isinstance(value, list):
            return [name(column, one) for one in value]
        return names[column][value] if isinstance(value, int) and value >= 0 else value

    return row | {column: name(column, row[column]) for column in names}


register_format(HuggingFace())

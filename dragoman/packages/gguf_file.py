"""What is read of a GGUF file: its fields and its tensors, dequantised one at a time.

The format: github.com/ggml-org/ggml, docs/gguf.md. A tensor's shape is written with the fastest axis first there; here
it is as in numpy.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dragoman.packages.errors import PackageError

Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class GgufFile:
    """A file, opened when something of it is asked for."""

    path: Path

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """Every field by its name: numbers, texts, lists of them."""
        return {name: field.contents() for name, field in self._reader.fields.items()}

    @property
    def architecture(self) -> str:
        """`llama`, `qwen2`, `gemma3`, …"""
        return str(self.field("general.architecture"))

    def field(self, name: str) -> Any:
        """A field; PackageError names it when it is missing."""
        if name not in self.fields:
            raise PackageError(f"{self.path.name} has no field {name!r}; it is not the file of a whole model")
        return self.fields[name]

    def number(self, name: str) -> Any:
        """A field of the architecture: `number("block_count")` is `llama.block_count`."""
        return self.field(f"{self.architecture}.{name}")

    def tensors(self) -> Iterator[tuple[str, Array]]:
        """Names and float32 values, one after the other."""
        from gguf.quants import dequantize

        for tensor in self._reader.tensors:
            shape = tuple(int(size) for size in reversed(tensor.shape))
            yield tensor.name, dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)

    @cached_property
    def tensor_names(self) -> frozenset[str]:
        """Of all tensors."""
        return frozenset(tensor.name for tensor in self._reader.tensors)

    @cached_property
    def _reader(self) -> Any:
        from gguf import GGUFReader

        return GGUFReader(str(self.path))

"""Weights of a GGUF file as one safetensors file in bfloat16.

Dequantised values are rounded to the nearest bfloat16, ties to even, as torch does. Written without torch, so that a
model can be prepared where none is installed.
"""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors import serialize_file

from dragoman.packages.architectures import names_of, restored
from dragoman.packages.gguf_file import Array, GgufFile

Halves = np.ndarray[Any, np.dtype[np.uint16]]


def write_weights(file: GgufFile, target: Path) -> int:
    """Write every weight of the model; returns how many numbers they are. Raises PackageError as `names_of` does."""
    names = names_of(file)
    halves = {names[name]: bfloat16_bits(restored(name, values, file)) for name, values in file.tensors()}
    specs = {name: _spec(values) for name, values in halves.items()}
    serialize_file(specs, str(target), metadata={"format": "pt"})  # reads from `halves`, which live until here
    target.chmod(0o644)
    return sum(values.size for values in halves.values())


def bfloat16_bits(values: Array) -> Halves:
    """The upper halves of finite float32 numbers, rounded to nearest, ties to even."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits >> np.uint32(16)  # one array besides `bits`: an embedding of 168 million numbers is 0.7 GB
    rounded &= np.uint32(1)
    rounded += np.uint32(0x7FFF)
    rounded += bits
    rounded >>= np.uint32(16)
    return rounded.astype(np.uint16)


def _spec(values: Halves) -> Any:
    from safetensors import TensorSpec

    return TensorSpec(
        dtype="bfloat16", shape=list(values.shape), data_ptr=int(values.ctypes.data), data_len=values.nbytes
    )

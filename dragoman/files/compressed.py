"""Files that are compressed, as corpora usually arrive: opened as what they hold, by their ending, read as they come.

with opened(Path("corpus.de.gz")) as lines: ...
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from dragoman.files.errors import FileError


def _zstd(path: Path) -> IO[bytes]:
    import pyarrow

    return io.BufferedReader(cast(io.RawIOBase, pyarrow.input_stream(str(path), compression="zstd")))


_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile, ".zst": _zstd,
}  # fmt: skip
COMPRESSED = tuple(_OPENERS)
"""Endings of compressed files"""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed where its ending says that it is compressed.

    FileError for one that is cut short or not what its ending says; OSError as `open` raises it.
    """
    with _OPENERS.get(path.suffix.lower(), lambda plain: plain.open("rb"))(path) as file:
        try:
            yield file
        except _damage(path) as error:
            raise FileError(
                f"{path} is no whole {path.suffix} file ({error}); fetch it again, or mend its ending"
            ) from None


def _damage(path: Path) -> tuple[type[Exception], ...]:
    """What readers raise for damaged content; bz2's and zstd's raise OSError, which means something else elsewhere."""
    readers = (OSError,) if path.suffix.lower() in (".bz2", ".zst") else (gzip.BadGzipFile,)
    return (EOFError, zlib.error, lzma.LZMAError, *readers)


def content_suffix(path: Path) -> str:
    """The ending of what a file holds: `.tsv` of `a.tsv.gz`."""
    return (path.with_suffix("") if path.suffix.lower() in COMPRESSED else path).suffix.lower()

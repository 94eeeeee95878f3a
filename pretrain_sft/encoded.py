"""Files of rows as token sequences that lie on disk, in Arrow files that are mapped into memory.

A file is encoded once, a few thousand rows at a time, and written as it goes, so memory does not grow with the file.
What was encoded is found again by a key of everything that it depends on: the file's bytes, the tokenizer and its
template, the limit. A file that is half written is never found.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np

from dragoman.data.rows import each_conversation, each_document, holds_documents
from dragoman.learner import TokenSequence
from dragoman.learner.encoding import document_end, encode_documents
from pretrain_sft.examples import Fitting, RowLimit, encode_conversations

Row = TypeVar("Row")
Encoded = tuple[TokenSequence, str]
"""An example and what it says of its language"""
PIECE = 2_000
"""Rows encoded at a time"""
FORMAT = 2
"""Raised when an encoding changes its meaning: what was encoded before is then not found"""


class EncodedRows:
    """The examples of a file, read from disk one by one as they are asked for."""

    def __init__(self, path: Path) -> None:
        import datasets
        import pyarrow.compute

        self._table = datasets.Dataset.from_file(str(path))
        self.lengths = np.asarray(pyarrow.compute.list_value_length(self._table.data.column("token_ids")), np.int64)
        """Tokens of each"""

    def __len__(self) -> int:
        return len(self.lengths)

    def by_language(self) -> dict[str, np.ndarray]:
        """Places, int64, of the examples of each language: `de`, `de+en` of parallel text, `en-de` of a translation,
        empty where a row says none."""
        found = self._table.data.column("language").dictionary_encode().unify_dictionaries()
        names = found.chunk(0).dictionary.to_pylist() if len(self) else []
        numbers = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in found.chunks]
        codes = np.concatenate(numbers).astype(np.int32) if len(self) else np.zeros(0, np.int32)
        return {name: np.flatnonzero(codes == number) for number, name in enumerate(names)}

    def __getitem__(self, index: int) -> TokenSequence:
        row = self._table[index]
        mask = np.zeros(len(row["token_ids"]), np.float32)
        for start, end in zip(row["trained"][::2], row["trained"][1::2], strict=True):
            mask[start:end] = 1
        return TokenSequence(np.asarray(row["token_ids"], np.int32), {"loss_mask": mask}, row["label"])


@dataclass(frozen=True)
class RowEncoder:
    """How the rows of a run become token sequences, and where those are kept."""

    tokenizer: Any
    limit: RowLimit
    cache: Path
    """A folder; whoever made it removes it"""

    def files(self, data: Path, shares: Mapping[str, float], *, all_turns: bool = False) -> dict[str, EncodedRows]:
        """The examples of every file with a share, by its name."""
        wanted = [name for name, share in shares.items() if share > 0]
        return {name: self.file(data / f"{name}.jsonl", all_turns=all_turns) for name in wanted}

    def file(self, path: Path, *, all_turns: bool = False) -> EncodedRows:
        """All conversations of a file, or all its documents (cut at the limit, every token carries loss).

        DataError and EncodingError name rows that cannot be used; SequenceTooLong where long ones are refused.
        """
        documents = holds_documents(path)
        encoded = self.cache / f"{path.stem}-{self._key(path, all_turns)}.arrow"
        if not encoded.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self.cache) as aside:
                made = Path(aside) / "rows.arrow"
                _write(made, self._documents(path) if documents else self._conversations(path, all_turns))
                made.rename(encoded)
        return EncodedRows(encoded)

    def _documents(self, path: Path) -> Iterator[Encoded]:
        for rows in _pieces(each_document(path)):
            labels, texts = [row.id for row in rows], [row.text for row in rows]
            languages = {row.id: "+".join(sorted(row.languages)) for row in rows}
            for one in encode_documents(self.tokenizer, texts, self.limit.tokens, labels):
                yield one, languages[one.label]

    def _conversations(self, path: Path, all_turns: bool) -> Iterator[Encoded]:
        fitting = Fitting(path.name, self.limit)
        for rows in _pieces(each_conversation(path)):
            found = encode_conversations(rows, path.name, self.tokenizer, all_turns=all_turns)
            languages = {one.label: "-".join(row.pair.direction) if row.pair else ""
                         for one, row in zip(found, rows, strict=True)}  # fmt: skip
            for one in fitting.take(found):
                yield one, languages[one.label]
        fitting.close()

    def _key(self, path: Path, all_turns: bool) -> str:
        with path.open("rb") as handle:
            content = hashlib.file_digest(handle, "sha256").hexdigest()
        depends = [FORMAT, content, tokenizer_mark(self.tokenizer), self.limit.tokens, self.limit.longer, all_turns]
        return hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:24]


def _pieces(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while piece := list(islice(rows, PIECE)):
        yield piece


def tokenizer_mark(tokenizer: Any) -> str:
    """A hash of all that decides which tokens a row becomes."""
    decides = [
        tokenizer.backend_tokenizer.to_str(), str(tokenizer.chat_template), tokenizer("")["input_ids"],
        document_end(tokenizer), tokenizer.eos_token_id, str(getattr(tokenizer, "template_date", None)),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(decides).encode()).hexdigest()


def _write(path: Path, sequences: Iterable[Encoded]) -> None:
    """Token ids, the places [start, end) that carry loss, the label and the language of each."""
    import datasets
    from datasets.arrow_writer import ArrowWriter

    numbers = datasets.List(datasets.Value("int32"))
    text = datasets.Value("string")
    features = datasets.Features({"token_ids": numbers, "trained": numbers, "label": text, "language": text})
    with ArrowWriter(path=str(path), features=features, writer_batch_size=PIECE) as writer:
        for one, language in sequences:
            trained = _places(one.channels["loss_mask"])
            writer.write({"token_ids": one.token_ids, "trained": trained, "label": one.label, "language": language})
        writer.finalize()


def _places(mask: np.ndarray) -> np.ndarray:
    """Starts and ends of the runs of ones, in turns."""
    return np.flatnonzero(np.diff(mask > 0, prepend=False, append=False))

"""What a row is. Frozen records, made once when a file is read; nothing else in the house reads a raw row.

| record | columns of its file (docs/data.md) | who trains or measures on it |
|---|---|---|
| `Document` | id, text | continued pretraining |
| `Conversation` | id, messages (the last is the assistant's) | fine-tuning, language-aware tuning |
| `Prompt` | id, messages, rewards; a suite's rows also reference | preference optimisation, RL, evaluation |
| `ParallelPair` | source_language, target_language, source, reference | of a conversation or prompt that translates |

Errors are `DataError`: file and line, the column, and the mend.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from dragoman.errors import DragomanError
from dragoman.files import FileError, read_lines
from rewards.errors import RowError
from rewards.records import RewardSpec
from rewards.validation import check_specs, parse_specs

Record = TypeVar("Record")
Message = Mapping[str, str]
"""`role` and `content`, as chat templates read it"""
ROLES = {
    **{role: role for role in ("system", "developer", "user", "assistant", "tool")},
    "human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
}  # fmt: skip
"""What rows call a role, ShareGPT's and its relatives' names among them -> what chat templates call it"""
PAIR_COLUMNS = ("source_language", "target_language", "source")


class DataError(DragomanError):
    """A data file that cannot be used; the text names the file, the line and the mend."""


@dataclass(frozen=True)
class Document:
    """A text to continue."""

    id: str
    text: str
    languages: tuple[str, ...] = ()
    """Its own, or both of parallel text"""
    provenance: str = ""
    licence: str = ""


@dataclass(frozen=True)
class ParallelPair:
    """A text and its translation."""

    source_language: str
    target_language: str
    source: str
    target: str

    @property
    def direction(self) -> tuple[str, str]:
        """Source and target language."""
        return self.source_language, self.target_language


@dataclass(frozen=True)
class Conversation:
    """Messages that end with an answer to learn."""

    id: str
    messages: tuple[Message, ...]
    task: str = "other"
    pair: ParallelPair | None = None
    """Where the answer is a translation"""
    provenance: str = ""
    licence: str = ""

    @property
    def instruction(self) -> str:
        """The user's message before the answer."""
        return self.messages[-2]["content"]


@dataclass(frozen=True)
class Prompt:
    """Messages to answer, and the rewards of the answer."""

    id: str
    messages: tuple[Message, ...]
    specs: tuple[RewardSpec, ...]
    columns: Mapping[str, Any]
    """The whole row: reward functions read what they name from here"""
    task: str = "other"
    pair: ParallelPair | None = None
    """Where a translation is asked for"""
    reference: str = ""
    """A right answer; every row of a suite has one"""
    more_references: tuple[str, ...] = ()
    """Further ones, where the row has a column `more_references`"""
    heldout: str = ""
    """What training never saw of it, for suites that have several kinds: `slots`, `template`, …"""
    cluster: str = ""
    """Rows of one cluster ask for the same thing; empty: it is one of its own"""

    @property
    def question(self) -> str:
        """Content of the last message."""
        return self.messages[-1]["content"]


@dataclass(frozen=True)
class EncodedPrompt:
    """A prompt and its token ids, generation prompt included."""

    prompt: Prompt
    token_ids: tuple[int, ...]


def read_documents(path: Path) -> list[Document]:
    """Rows with a text."""
    return _read(path, document_of)


def read_conversations(path: Path, *, translations: bool = False) -> list[Conversation]:
    """Rows with messages; with `translations` each must name its languages and its source."""
    return _read(path, _translation if translations else conversation_of)


def holds_documents(path: Path) -> bool:
    """Whether a file has documents, or conversations: its first row tells."""
    return "text" in next(_lines(path))[1]


def each_text(path: Path) -> Iterator[str]:
    """The texts of a file: documents, or what is said in conversations, a line a message."""
    if holds_documents(path):
        yield from (row.text for row in each_document(path))
    else:
        yield from ("\n".join(m["content"] for m in row.messages) for row in each_conversation(path))


def each_document(path: Path) -> Iterator[Document]:
    """As `read_documents`, one at a time; what is wrong is raised behind the last."""
    return _each(path, document_of)


def each_conversation(path: Path) -> Iterator[Conversation]:
    """As `read_conversations`, one at a time; what is wrong is raised behind the last."""
    return _each(path, conversation_of)


def read_prompts(path: Path) -> list[Prompt]:
    """Rows to sample from; each reward is parsed and its arguments checked (`RewardError` names the row)."""
    return _read(path, prompt_of)


def with_specs(prompts: Sequence[Prompt], added: Sequence[RewardSpec], *, keep: bool) -> list[Prompt]:
    """The prompts with rewards added to their own, or in place of them; the new ones are checked."""
    found = [replace(p, specs=(*(p.specs if keep else ()), *added)) for p in prompts]
    for number, prompt in enumerate(found, start=1):
        check_specs(f"row {number} (id {prompt.id!r})", added, prompt.columns)
    return found


def prompt_of(row: Mapping[str, Any], where: str) -> Prompt:
    """A prompt from a row; `where` names the row in errors."""
    specs = parse_specs(where, row)
    check_specs(where, specs, row)
    return Prompt(
        id=_column(row, "id", str, where),
        messages=_messages(row, where),
        specs=specs,
        columns=row,
        task=str(row.get("task", "other")),
        pair=_pair(row, str(row.get("reference", "")), where),
        reference=str(row.get("reference", "")),
        more_references=tuple(map(str, row.get("more_references") or ())),
        heldout=str(row.get("heldout", "")),
        cluster=str(row.get("cluster", "")),
    )


def document_of(row: Mapping[str, Any], where: str) -> Document:
    """A document from a row; `where` names the row in errors."""
    named = row.get("languages") or ([row["language"]] if row.get("language") else [])
    languages = tuple(str(code) for code in named)
    return Document(_column(row, "id", str, where), _column(row, "text", str, where), languages, **_origin(row))


def conversation_of(row: Mapping[str, Any], where: str) -> Conversation:
    """A conversation from a row, messages or ShareGPT's conversations; `where` names the row in errors."""
    messages = _messages(row, where)
    if messages[-1]["role"] != "assistant" or len(messages) < 2:
        raise DataError(f"{where}: messages must end with the assistant's answer to a message before it")
    return Conversation(
        _column(row, "id", str, where), messages, str(row.get("task", "other")),
        _pair(row, messages[-1]["content"], where), **_origin(row),
    )  # fmt: skip


def _translation(row: Mapping[str, Any], where: str) -> Conversation:
    missing = [name for name in PAIR_COLUMNS if name not in row]
    if missing:
        raise DataError(f"{where}: column {missing[0]!r} is missing; a translation needs {', '.join(PAIR_COLUMNS)}")
    return conversation_of(row, where)


def _pair(row: Mapping[str, Any], target: str, where: str) -> ParallelPair | None:
    if any(name not in row for name in PAIR_COLUMNS):
        return None
    source_language, target_language, source = (_column(row, name, str, where) for name in PAIR_COLUMNS)
    return ParallelPair(source_language, target_language, source, target)


def _origin(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(row.get(name, "")) for name in ("provenance", "licence")}


def _messages(row: Mapping[str, Any], where: str) -> tuple[Message, ...]:
    column = "conversations" if "messages" not in row and isinstance(row.get("conversations"), list) else "messages"
    found = _column(row, column, list, where)
    if not found:
        raise DataError(f"{where}: column {column!r} is empty; a row needs at least one message")
    return tuple(_message(turn, where) for turn in found)


def _message(turn: Any, where: str) -> Message:
    """A turn as chat templates read it: ShareGPT's `from` and `value` renamed, the texts of a list of parts joined."""
    if isinstance(turn, Mapping) and {"from", "value"} <= turn.keys():
        turn = {"role": turn["from"], "content": turn["value"]}
    if not isinstance(turn, Mapping) or not isinstance(turn.get("role"), str):
        raise DataError(f"{where}: a message must be {{'role': text, 'content': text}}, not {turn!r:.80}")
    if turn["role"] not in ROLES:
        raise DataError(f"{where}: role {turn['role']!r:.40} is none of {', '.join(ROLES)}; rename it")
    content = turn.get("content")
    if isinstance(content, list):
        content = _joined(content, where)
    if not isinstance(content, str):
        raise DataError(
            f"{where}: a message must be {{'role': text, 'content': text}}, but its content is {content!r:.60}"
        )
    return {**turn, "role": ROLES[turn["role"]], "content": content}


def _joined(parts: list[Any], where: str) -> str:
    """The text of a list of content parts, `{"type": "text", "text": …}` each."""
    for part in parts:
        if not (isinstance(part, Mapping) and part.get("type", "text") == "text" and isinstance(part.get("text"), str)):
            raise DataError(f"{where}: a part of its content is {part!r:.60}; only parts of text are read")
    return "".join(part["text"] for part in parts)


def _column(row: Mapping[str, Any], name: str, kind: type[Record], where: str) -> Record:
    if name not in row:
        raise DataError(f"{where}: column {name!r} is missing; docs/data.md says what a row needs")
    value = row[name]
    if not isinstance(value, kind):
        raise DataError(f"{where}: column {name!r} is a {type(value).__name__}, not a {kind.__name__}")
    return value


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if not path.is_file():
        raise DataError(f"missing data file {path}; docs/data.md says which files a stage reads")
    number = 0
    try:
        for number, row in read_lines(path):
            yield number, row
    except FileError as error:
        raise DataError(str(error)) from None
    if not number:
        raise DataError(f"{path} holds no rows; a stage cannot train on an empty data set")


def _read(path: Path, make: Callable[[Mapping[str, Any], str], Record]) -> list[Record]:
    return list(_each(path, make))


def _each(path: Path, make: Callable[[Mapping[str, Any], str], Record]) -> Iterator[Record]:
    """One record after the other; the rows that are none are told of, all at once, behind the last."""
    wrong: list[DataError | RowError] = []
    rows = 0
    for number, row in _lines(path):
        rows += 1
        try:
            yield make(row, f"{path}:{number}")
        except (DataError, RowError) as error:
            wrong.append(error)
    if len(wrong) > 1:
        raise type(wrong[0])(
            f"{len(wrong)} of {rows} rows cannot be used, the first: {wrong[0]}; mend them, or set data.bad_rows=drop"
        )
    if wrong:
        raise type(wrong[0])(f"{wrong[0]}; or set data.bad_rows=drop" if rows > 1 else str(wrong[0]))

"""Plain values over a pipe: tagged JSON, in frames with a length in front. Used on both sides of the wall.

Only plain data crosses: None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict.
Subclasses are sent as their plain base, read through the base's own methods. What a hostile job sends is
merely an answer; whoever reads it never runs code of it.
"""

import json
import os
import struct
from typing import Any

MAX_FRAME = 64 << 20
LIMITS = ("cpu_s", "memory_bytes", "tmp_bytes", "tmp_files", "open_files", "threads")
"""What a request to clone a job says of its limits, in this order"""
CLONE = struct.Struct("!" + len(LIMITS) * "q")
WAIT = struct.Struct("!l")
"""A request to wait for the job with this pid; told from the other kind by its length"""
CLONED = struct.Struct("!l")
"""The job's pid; -1 and the reason in words after it, if there is none"""
ENDED = struct.Struct("!ldq")
"""Exit code, CPU seconds, resident KiB"""


_READER = json.JSONDecoder()


class UnsupportedValue(Exception):
    """A value that is not plain data."""


class ProtocolError(Exception):
    """Bytes that are no frame, or a frame that is no message."""


_SEQUENCES: tuple[tuple[Any, str], ...] = ((list, "l"), (tuple, "t"), (set, "s"), (frozenset, "z"))


def encode(value: Any) -> Any:
    """A JSON-able form that keeps Python's types; UnsupportedValue for anything but plain data."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return {"i": hex(int.__int__(value))}
    if isinstance(value, float):
        return {"f": float.hex(float.__float__(value))}
    if isinstance(value, complex):
        return {"c": [float.hex(value.real), float.hex(value.imag)]}
    if isinstance(value, (bytes, bytearray)):
        return {"b": bytes(value).decode("latin-1")}
    if isinstance(value, dict):
        return {"d": [[encode(k), encode(v)] for k, v in dict.items(value)]}
    for kind, tag in _SEQUENCES:
        if isinstance(value, kind):
            return {tag: [encode(item) for item in kind.__iter__(value)]}
    raise UnsupportedValue(type(value).__name__)


def decode(data: Any) -> Any:
    """The inverse of `encode`; ProtocolError for anything that `encode` does not give."""
    if data is None or isinstance(data, (bool, str)):
        return data
    if not isinstance(data, dict) or len(data) != 1:
        raise ProtocolError("no tagged value")
    ((tag, body),) = data.items()
    try:
        return _DECODERS[tag](body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(f"bad value of tag {tag!r}") from error


_DECODERS = {
    "i": lambda body: int(body, 16),
    "f": float.fromhex,
    "c": lambda body: complex(float.fromhex(body[0]), float.fromhex(body[1])),
    "b": lambda body: body.encode("latin-1"),
    "d": lambda body: {decode(key): decode(value) for key, value in body},
    "l": lambda body: [decode(item) for item in body],
    "t": lambda body: tuple(decode(item) for item in body),
    "s": lambda body: {decode(item) for item in body},
    "z": lambda body: frozenset(decode(item) for item in body),
}


def pack(message: Any) -> bytes:
    """A message as bytes: its length, then its JSON."""
    body = json.dumps(message).encode()
    return struct.pack("!I", len(body)) + body


def write_frame(descriptor: int, message: Any) -> None:
    """Write one message to a descriptor, however many writes that takes."""
    data = memoryview(pack(message))
    while data:
        data = data[os.write(descriptor, data) :]


def read_frame(descriptor: int) -> Any:
    """The next message; None at the end of the stream."""
    header = _read_exactly(descriptor, 4)
    if header is None:
        return None
    body = _read_exactly(descriptor, struct.unpack("!I", header)[0])
    return None if body is None else _READER.raw_decode(body.decode())[0]


def split_frames(buffer: bytearray, at_most: int = 1 << 30) -> list[Any]:
    """Take complete messages off the front of a buffer; ProtocolError when it cannot be one."""
    messages: list[Any] = []
    while len(buffer) >= 4 and len(messages) < at_most:
        size = struct.unpack("!I", buffer[:4])[0]
        if size > MAX_FRAME:
            raise ProtocolError(f"a frame of {size} bytes")
        if len(buffer) < 4 + size:
            break
        try:
            messages.append(json.loads(bytes(buffer[4 : 4 + size])))
        except (ValueError, RecursionError) as error:
            raise ProtocolError("a frame that is no JSON") from error
        del buffer[: 4 + size]
    return messages


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        part = os.read(descriptor, min(size - len(data), 1 << 20))
        if not part:
            return None
        data = data + part if data else part
    return data

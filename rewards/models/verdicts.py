"""Ask a judge for a verdict in one strict form, again if it comes in another.

The judged texts are the policy's, which learns whatever raises its score. So they are quoted between random marks
(quoting.py), and the verdict is read from structured output only: one JSON object and nothing else, with exactly the
keys asked for and the mark repeated. Anything else is asked again once, then is an error, never a 0.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rewards.errors import EndpointError
from rewards.models.endpoint import ChatClient
from rewards.models.quoting import fresh_mark, quoted

ATTEMPTS = 2
Verdict = TypeVar("Verdict")


@dataclass(frozen=True)
class Question(Generic[Verdict]):
    """What a judge is told, and how its verdict is read."""

    system: Callable[[str], str]
    """The system message around a mark"""
    properties: Mapping[str, Any]
    """JSON schema of the verdict's keys beside `mark` and `reason`"""
    read: Callable[[Mapping[str, Any]], Verdict]
    """The verdict of an object with exactly these keys; ValueError when a value is none that was asked for"""
    structured: bool = True
    """Whether the server is asked for the form by `response_format`"""


async def ask(
    client: ChatClient, question: Question[Verdict], fields: Mapping[str, str], options: Mapping[str, Any]
) -> Verdict:
    """The verdict on the quoted texts; EndpointError when none came in the form asked for."""
    reason = ""
    for _ in range(ATTEMPTS):
        mark = fresh_mark(question.system(""), *fields.values())
        messages = [
            {"role": "system", "content": question.system(mark)}, {"role": "user", "content": quoted(fields, mark)}
        ]  # fmt: skip
        extra = {"response_format": _response_format(question.properties)} if question.structured else {}
        answer = await client.complete(messages, **options, **extra)
        try:
            return question.read(read_object(answer, mark, question.properties))
        except ValueError as error:
            reason = f"{error}: {answer[:120]!r}"
    raise EndpointError(f"the judge gave no proper verdict in {ATTEMPTS} attempts, last: {reason}")


def read_object(text: str, mark: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The judge's answer as an object; ValueError when it is anything but the object asked for."""
    try:
        verdict = json.loads(text, object_pairs_hook=_no_key_twice)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    keys = ("mark", "reason", *properties)
    if not isinstance(verdict, dict) or set(verdict) != set(keys):
        raise ValueError(f"not exactly the keys {', '.join(keys[:-1])} and {keys[-1]}")
    if verdict["mark"] != mark:
        raise ValueError("the mark is not this request's")
    if not isinstance(verdict["reason"], str):
        raise ValueError("the reason is no text")
    return verdict


def _response_format(properties: Mapping[str, Any]) -> dict[str, Any]:
    known = {"mark": {"type": "string"}, "reason": {"type": "string"}, **properties}
    schema = {"type": "object", "properties": known, "required": list(known), "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema}}


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)

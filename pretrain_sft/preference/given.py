"""Pairs that somebody else ranked: a data file of prompts with a better and a worse answer.

| layout | columns |
|---|---|
| ours | messages, chosen, rejected |
| TRL's, with a prompt | prompt (text or messages), chosen, rejected (text or messages) |
| TRL's, without one | chosen, rejected: conversations that differ in their last message |

Post-edits are such pairs: what somebody wrote is preferred to the draft (`builder: corpus` writes them).
"""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from dragoman.data.rows import DataError, Message
from dragoman.files import read_lines
from dragoman.learner.encoding import encode_chats
from dragoman.learner.packing import TokenSequence
from pretrain_sft.preference.pairs import Answer, Pair
from pretrain_sft.settings import PreferenceSettings

FILE = "pairs.jsonl"
Row = Mapping[str, Any]


def given_pairs(path: Path, tokenizer: Any, settings: PreferenceSettings, seed: int) -> list[Pair]:
    """The pairs of a file; `DataError` names the row that is none, or says that none is left to train or measure on.

    A question (`cluster`, else the id) is held out in all its rows. The better answer counts 1, the worse 0.
    """
    rows = [(f"{path}:{number}", row) for number, row in read_lines(path)]
    chats = [chats_of(row, where) for where, row in rows]
    labels = [where for where, _ in rows]
    chosen = encode_chats(tokenizer, [[*prompt, better] for prompt, better, _ in chats], labels)
    rejected = encode_chats(tokenizer, [[*prompt, worse] for prompt, _, worse in chats], labels)
    pairs = [
        Pair(
            str(row.get("id", where)), _prompt_ids(one), _answer(one, better, 1.0), _answer(other, worse, 0.0),
            Random(f"{seed}/{row.get('cluster') or row.get('id', where)}").random() < settings.heldout_share,
        )
        for (where, row), (_, better, worse), one, other in zip(rows, chats, chosen, rejected, strict=True)
    ]  # fmt: skip
    heldout = sum(pair.heldout for pair in pairs)
    if not 0 < heldout < len(pairs):
        raise DataError(
            f"{path} gives {len(pairs) - heldout} pairs to train on and {heldout} to measure on; add rows, or change "
            f"preference.heldout_share={settings.heldout_share:g}"
        )
    return pairs


def chats_of(row: Row, where: str) -> tuple[list[Message], Message, Message]:
    """The prompt's messages, the better and the worse answer of a row; DataError names what is missing."""
    sides = {side: row.get(side) for side in ("chosen", "rejected")}
    missing = [side for side, value in sides.items() if not value]
    if missing:
        raise DataError(f"{where} has no {missing[0]!r}; a pair has a prompt, chosen and rejected")
    prompt = row.get("messages") or row.get("prompt")
    answers = [_message(value) for value in sides.values()]
    if not prompt:
        whole = sides["chosen"]
        prompt = list(whole[:-1]) if isinstance(whole, list) else []
    if not prompt:
        raise DataError(f"{where} has no prompt; add messages, a prompt, or whole conversations as chosen and rejected")
    if answers[0]["content"] == answers[1]["content"]:
        raise DataError(f"{where} prefers an answer to itself; remove the row")
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    return messages, answers[0], answers[1]


def _message(value: Any) -> Message:
    """An answer given as text, or as the last message of a conversation."""
    text = value[-1]["content"] if isinstance(value, list) else value
    return {"role": "assistant", "content": str(text)}


def _prompt_ids(sequence: TokenSequence) -> tuple[int, ...]:
    return tuple(sequence.token_ids[: int(sequence.channels["loss_mask"].argmax())].tolist())


def _answer(sequence: TokenSequence, message: Message, reward: float) -> Answer:
    ids = sequence.token_ids[sequence.channels["loss_mask"] != 0]
    return Answer(tuple(ids.tolist()), message["content"], reward)

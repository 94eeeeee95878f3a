"""Which characters of an answer each of its tokens writes, and what spans of characters are worth to each token.

The tokenizer itself is asked, by decoding growing pieces of the answer as the rollout workers decode the whole
(`rollout.completion.answer_text`). So it holds for byte-level and SentencePiece vocabularies alike: a glyph that takes
several tokens belongs to each of them, a token may write several glyphs, and one that the text skips (a special token)
writes none. Every piece begins a few tokens back, because many tokenizers drop the space at the start of what they
decode; a piece is never cut inside of a glyph. About one short decoding a token.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from rewards.records import Span

Decode = Callable[[Sequence[int]], str]
"""Token ids to text"""
Ranges = npt.NDArray[np.int64]
"""[T, 2]: of each token the first character that it writes or helps to write, and one past the last"""
_UNFINISHED = "\ufffd"
"""What a decoder gives for bytes that are no whole glyph (yet)"""
_WINDOW = 8
"""Tokens after which a piece may begin anew"""


def token_ranges(decode: Decode, token_ids: Sequence[int], text: str) -> Ranges:
    """int64 [T, 2], half-open; start = end for a token that writes nothing into the text.

    `text` is what the tokens decode to, or a part of it (white space stripped, an end cut off); ValueError otherwise.
    """
    whole = decode(token_ids)
    lead = whole.find(text)
    if lead < 0:
        raise ValueError(f"the tokens decode to {whole[:80]!r}, of which the answer {text[:80]!r} is no part")
    ranges = _ranges(decode, token_ids, whole, _WINDOW)
    if len(token_ids) and ranges[:, 1].max() < len(whole):  # a decoder that looks further back than a window
        ranges = _ranges(decode, token_ids, whole, len(token_ids))
    return np.clip(ranges - lead, 0, len(text))


def token_values(ranges: Ranges, spans: Sequence[Span], spread: Literal["even", "whole"] = "even") -> np.ndarray:
    """float64 [T]: each span's value dealt evenly over the tokens that write some of it, or given whole to each."""
    values = np.zeros(len(ranges))
    for span in spans:
        starts, ends = ranges[:, 0], ranges[:, 1]
        writes = (starts < ends) & (starts < span.end) & (ends > span.start)
        values[writes] += span.value / max(1, writes.sum()) if spread == "even" else span.value
    return values


def _ranges(decode: Decode, token_ids: Sequence[int], text: str, window: int) -> Ranges:
    """The ranges by decoding pieces token_ids[context:t + 1]: of these token_ids[context:begin] write the `known`
    characters before place `base` of the text. So far the text is whole up to `settled`; when `pending`, the next
    character has some of its bytes.
    """
    ranges = np.zeros((len(token_ids), 2), np.int64)
    context = begin = known = base = 0
    settled, pending, before = 0, False, ""
    for t in range(len(token_ids)):
        piece = decode(token_ids[context : t + 1])[known:]
        start, was = settled, pending
        same = _common(piece, text, base)
        pending = piece[same - 1 : same] == _UNFINISHED if same == len(piece) else piece[same] == _UNFINISHED
        settled = max(settled, base + same - (pending and same == len(piece)))
        rest = piece[start - base :]
        if was and text[start] == rest[:1] == _UNFINISHED and len(rest) > 1:
            start += 1  # the bytes before were no glyph after all, and this token has none of them
        if piece != before or decode(token_ids[t : t + 1]):
            ranges[t] = start, max(start, settled + pending)
        else:
            ranges[t] = start
        before = piece
        if not pending and same == len(piece) and t + 1 - begin >= window and piece.strip():
            known = len(decode(token_ids[begin : t + 1]))
            context, begin, base, before = begin, t + 1, settled, ""
    return ranges


def _common(piece: str, text: str, base: int) -> int:
    """How many characters of a piece stand in the text from `base` on."""
    if text.startswith(piece, base):
        return len(piece)
    return next(i for i, character in enumerate(piece) if text[base + i : base + i + 1] != character)

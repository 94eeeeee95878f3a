"""Beam search over an engine: the likeliest answers are kept side by side instead of the likeliest token.

An engine answers with one token and the most likely ones beside it; each of the `width` beams is asked for its next
token at every step, and prompts and beams share their cached prefixes. The rules are those of transformers with
`early_stopping=True`: of the 2 x width likeliest continuations those that end are taken if they are among the first
`width`, the others go on, and the search is over when `width` answers have ended; the best is the one with the highest
log-probability over length ** penalty, the end token counted. A test holds both to the same answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

Next = Callable[[list[int], int], Awaitable[dict[int, float]]]
"""(tokens, n) -> at least the n likeliest next tokens with their log-probabilities"""


@dataclass(frozen=True)
class Beam:
    """A beginning of an answer, or a whole one."""

    tokens: tuple[int, ...] = ()
    logprob: float = 0.0
    ended: bool = False

    def score(self, penalty: float) -> float:
        """By which whole answers are compared."""
        return self.logprob / max(1, len(self.tokens)) ** penalty


async def beam_search(
    following: Next, prompt: Sequence[int], width: int, max_tokens: int, ends: Collection[int], penalty: float = 1.0
) -> Beam:
    """The best answer of at most `max_tokens`; it has its end token where it came to one."""
    beams, whole = [Beam()], list[Beam]()
    for _ in range(max_tokens):
        found = await asyncio.gather(*(following([*prompt, *beam.tokens], 2 * width) for beam in beams))
        ranked = sorted(
            (
                Beam((*beam.tokens, token), beam.logprob + logprob, token in ends)
                for beam, tokens in zip(beams, found, strict=True)
                for token, logprob in tokens.items()
            ),
            key=lambda beam: -beam.logprob,
        )[: 2 * width]
        whole += [beam for beam in ranked[:width] if beam.ended]
        beams = [beam for beam in ranked if not beam.ended][:width]
        if len(whole) >= width or not beams:
            break
    else:
        whole += beams  # cut at the limit: beginnings are compared like whole answers
    return max(whole, key=lambda beam: beam.score(penalty))

"""`hub`: a gate that fails when the same output is given for different sources.

A policy under a learned metric can find a "hub": one fluent sentence that the metric rates highly for any source
(Rei and others' checks of COMET list such universal translations). No single check can see that; the pool can.

The worker remembers, for each output (case and punctuation aside), the distinct sources for which it was given. An
output given for more than `max_sources` of them fails. Short outputs are honest repeats (`Ja.`, `OK`), so outputs
with fewer than `min_letters` letters, a Han character counting as three, always pass. The newest `MEMORY` outputs are
remembered.

What this is and is not: all checks of one call are noted before any is judged, so within a batch the order does not
matter; across batches it does, as the first `max_sources` uses of a hub pass before it is known. Repeated scoring of
the same rows changes nothing (a source counts once). The memory belongs to one worker: leave `workers` at 1, and after
a restart it starts empty. A hub with a changing word in it is another output and is not seen.
"""

import hashlib

from dragoman.text.normalisation import normalised
from dragoman.text.scripts import weighted_letters
from rewards.models.score_cache import ScoreCache
from rewards.records import RewardResult
from rewards.registry import each, reward

MEMORY = 50_000
MAX_SOURCES = 3
MIN_LETTERS = 12


class OutputMemory(ScoreCache[bytes, set[bytes]]):
    """For which sources each output was given; forgets the output unused the longest."""

    def note(self, output: str, source: str) -> None:
        """Remember that the output was given for the source."""
        self.put(digest(output), (self.get(digest(output)) or set()) | {digest(source)})

    def count(self, output: str) -> int:
        """Distinct sources for which the output was given."""
        return len(self.get(digest(output)) or ())


_MEMORY = OutputMemory(MEMORY)


@reward("hub", timeout_s=10, gate=True, batched=True, batch_size=512)
def hub(
    response: list[str],
    source: list[str],
    max_sources: list[int] = each(MAX_SOURCES),
    min_letters: list[int] = each(MIN_LETTERS),
) -> list[RewardResult]:
    """1.0 unless the output was given for more than `max_sources` different sources."""
    return judge_outputs(_MEMORY, response, source, max_sources, min_letters)


def judge_outputs(
    memory: OutputMemory, response: list[str], source: list[str], max_sources: list[int], min_letters: list[int]
) -> list[RewardResult]:
    """Note all outputs, then judge each."""
    for text, origin in zip(response, source, strict=True):
        memory.note(text, origin)
    results = []
    for text, allowed, least in zip(response, max_sources, min_letters, strict=True):
        count = memory.count(text)
        short = weighted_letters(text) < least
        results.append(RewardResult("hub", float(short or count <= allowed), "ok", f"given for {count} sources"))
    return results


def digest(text: str) -> bytes:
    """Equal for texts that differ only in case, white space and punctuation."""
    letters = "".join(c if c.isalnum() else " " for c in normalised(text).casefold())
    return hashlib.blake2b(" ".join(letters.split()).encode(), digest_size=16).digest()

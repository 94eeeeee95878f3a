"""Asking a base model, which follows no instructions, by examples: a text to go on with, without a chat template.

    German: Das Licht ist an.
    French: La lumière est allumée.

    German: Das Fenster ist offen.
    French:

Examples come from fine-tuning's rows of the same task; for a translation first of the same direction, then into the
same language, so that a zero-shot direction is shown its languages and never itself. The answer ends at the next line,
or at the next question.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from dragoman.data.rows import Conversation, ParallelPair, Prompt
from dragoman.text.languages import language_name

LongEnough = Callable[[str], bool]
"""Whether a text fits the model"""
NEXT_QUESTION = "\nQuestion:"


def few_shot_text(
    prompt: Prompt, examples: Sequence[Conversation], shots: int, seed: int, fits: LongEnough
) -> tuple[str, str]:
    """The text to go on with, and what an answer ends at. Fewer examples than `shots` where more would not fit."""
    chosen = _chosen(prompt, examples, shots, Random(f"{seed}/shots/{prompt.id}"))
    while True:
        text = "".join(f"{shown}\n\n" for shown in map(_shown, chosen)) + _asked(prompt)
        if fits(text) or not chosen:
            return text, "\n" if _plain_pair(prompt) else NEXT_QUESTION
        chosen = chosen[:-1]


def ended(answer: str, end: str) -> str:
    """An answer up to what ends it, without spaces around."""
    return answer.strip(" ").removeprefix("\n").partition(end)[0].strip()


def _chosen(prompt: Prompt, examples: Sequence[Conversation], shots: int, random: Random) -> list[Conversation]:
    found: list[Conversation] = []
    for pool in _pools(prompt, examples):
        found += random.sample(pool, min(len(pool), shots - len(found)))
        if len(found) == shots:
            break
    return found


def _pools(prompt: Prompt, examples: Sequence[Conversation]) -> Iterator[list[Conversation]]:
    """Examples to take from, the best first."""
    pair = _plain_pair(prompt)
    if pair is None:
        yield [row for row in examples if row.task == prompt.task]
        return
    plain = [(row, shown.direction) for row in examples if (shown := _plain_pair(row))]
    yield [row for row, direction in plain if direction == pair.direction]
    yield [row for row, (source, target) in plain if target == pair.target_language and source != pair.source_language]


def _shown(row: Conversation) -> str:
    answer = row.messages[-1]["content"]
    pair = _plain_pair(row)
    if pair is not None:
        return f"{_labelled(pair)} {answer}"
    return f"Question: {row.instruction}\nAnswer: {answer}"


def _asked(prompt: Prompt) -> str:
    pair = _plain_pair(prompt)
    return _labelled(pair) if pair else f"Question: {prompt.question}\nAnswer:"


def _plain_pair(row: Prompt | Conversation) -> ParallelPair | None:
    """What is translated, where nothing else is asked."""
    return row.pair if row.task == "translation" else None


def _labelled(pair: ParallelPair) -> str:
    names = (language_name(code) for code in pair.direction)
    return "{}: {text}\n{}:".format(*names, text=" ".join(pair.source.split()))

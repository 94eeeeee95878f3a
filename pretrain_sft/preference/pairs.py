"""Pairs of answers: how they are made, written and read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from dragoman.data.rows import DataError
from dragoman.files import read_lines, write_lines
from pretrain_sft.settings import PreferenceSettings


@dataclass(frozen=True)
class Answer:
    """One sampled answer with its reward."""

    token_ids: tuple[int, ...]
    text: str
    reward: float


@dataclass(frozen=True)
class SampledPrompt:
    """A prompt and its sampled answers that have a reward; those cut off by max_tokens apart."""

    id: str
    question: str
    """What it asks for: other wordings of a held-out question are held out, too"""
    prompt_ids: tuple[int, ...]
    answers: tuple[Answer, ...]
    cut: tuple[Answer, ...]


@dataclass(frozen=True)
class Pair:
    """Two answers to one prompt, the first better by at least the margin."""

    id: str
    prompt_ids: tuple[int, ...]
    chosen: Answer
    rejected: Answer
    heldout: bool


def ranked_pairs(
    answers: Sequence[Answer], *, margin: float, minimum: float = 0.0, most: int = 1
) -> list[tuple[Answer, Answer]]:
    """The best answer of one prompt against up to `most` different ones that earn less by more than `margin`.

    The worst come first, so `most=1` gives best and worst. None when the best earns less than `minimum`.
    """
    if not answers:
        return []
    best = max(answers, key=lambda a: (a.reward, -len(a.token_ids)))
    if best.reward < minimum:
        return []
    worse = {a.token_ids: a for a in answers if best.reward - a.reward > margin}
    ranked = sorted(worse.values(), key=lambda a: (a.reward, abs(len(a.token_ids) - len(best.token_ids))))
    return [(best, other) for other in ranked[:most]]


def pairs_of(sampled: Sequence[SampledPrompt], settings: PreferenceSettings, seed: int) -> list[Pair]:
    """Pairs of every prompt; of a held-out one the best answer against every worse one."""
    pairs = []
    for prompt in sampled:
        answers = (*prompt.answers, *(prompt.cut if settings.keep_cut else ()))
        heldout = Random(f"{seed}/{prompt.question}").random() < settings.heldout_share
        most = len(answers) if heldout else settings.pairs_per_prompt
        ranked = ranked_pairs(answers, margin=settings.margin, minimum=settings.minimum_reward, most=most)
        pairs += [Pair(prompt.id, prompt.prompt_ids, best, other, heldout) for best, other in ranked]
    return pairs


def check_pairs(pairs: Sequence[Pair], sampled: Sequence[SampledPrompt], settings: PreferenceSettings) -> None:
    """Raise `DataError` unless there are pairs to train on and pairs to measure on; says what became of the answers."""
    heldout = sum(pair.heldout for pair in pairs)
    if heldout and heldout < len(pairs):
        return
    cut = sum(len(prompt.cut) for prompt in sampled)
    answers = cut + sum(len(prompt.answers) for prompt in sampled)
    if cut > answers / 2 and not settings.keep_cut:
        mend = (
            f"raise preference.max_tokens={settings.max_tokens}, lower preference.temperature or top_p, name what the "
            "model runs on with under preference.bad_words, or set preference.keep_cut=true"
        )
    else:
        mend = "raise preference.prompts or samples, or lower preference.margin or minimum_reward"
    raise DataError(
        f"only {len(pairs) - heldout} training and {heldout} held-out preference pairs were found in {answers} answers "
        f"to {len(sampled)} prompts, of which {cut} ran to max_tokens; {mend} (the answers are kept: only a setting "
        "that changes them samples again)"
    )


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Atomically, one JSON line a pair."""
    write_lines(path, (asdict(pair) for pair in pairs))


def read_pairs(path: Path) -> list[Pair]:
    """What `write_pairs` wrote."""
    return list(_read(path))


def write_sampled(path: Path, sampled: Sequence[SampledPrompt]) -> None:
    """Atomically, one JSON line a prompt."""
    write_lines(path, (asdict(prompt) for prompt in sampled))


def read_sampled(path: Path) -> list[SampledPrompt]:
    """What `write_sampled` wrote."""
    return [
        SampledPrompt(row["id"], row["question"], tuple(row["prompt_ids"]),
                      tuple(map(_answer, row["answers"])), tuple(map(_answer, row["cut"])))
        for _, row in read_lines(path)
    ]  # fmt: skip


def _answer(given: Mapping[str, Any]) -> Answer:
    return Answer(tuple(given["token_ids"]), given["text"], given["reward"])


def _read(path: Path) -> Iterator[Pair]:
    for _, row in read_lines(path):
        chosen, rejected = _answer(row["chosen"]), _answer(row["rejected"])
        yield Pair(row["id"], tuple(row["prompt_ids"]), chosen, rejected, row["heldout"])

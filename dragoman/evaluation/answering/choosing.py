"""Choosing one of several samples: by what the others say, or by a model that estimates quality.

- `mbr`, minimum Bayes risk (Eikema and Aziz 2020; Freitag et al. 2022): the sample with the highest mean utility when
  each of the others is taken as the reference. Utility is sentence chrF; equal samples count as often as they occur.
- `best:KIND`, best of n: the sample that a reward kind without reference scores highest. The metric that chose is no
  evidence afterwards, and is marked as optimised.
"""

from collections.abc import Sequence
from dataclasses import replace

from dragoman.data.rows import Prompt
from dragoman.evaluation.answering.records import AnsweringError
from dragoman.evaluation.corpus_metrics.kinds import spec_of
from rewards.records import Scorer
from rewards.translation.quality import sentence_score

MBR = "mbr"
BEST = "best:"


def mbr_choice(samples: Sequence[str]) -> int:
    """The place of the sample with the highest expected chrF; the first of equals."""
    distinct = list(dict.fromkeys(samples))
    times = [samples.count(text) for text in distinct]
    utilities = [
        sum(n * sentence_score("CHRF", text, [other]) for other, n in zip(distinct, times, strict=True))
        for text in distinct
    ]
    return samples.index(distinct[max(range(len(distinct)), key=utilities.__getitem__)])


async def best_choices(kind: str, asked: Sequence[tuple[Prompt, Sequence[str]]], scorer: Scorer) -> list[int]:
    """For each prompt the place of the sample that the kind scores highest; AnsweringError when it scores none."""
    wanted = [
        (replace(prompt, specs=(spec_of(kind, prompt, {}),)), sample) for prompt, samples in asked for sample in samples
    ]
    scores = await scorer.score_many(wanted)
    values, left = [], iter(scores)
    for prompt, samples in asked:
        results = [next(left).components[0] for _ in samples]
        known = [result.value for result in results]
        if all(value is None for value in known):
            raise AnsweringError(f"--choose best:{kind} scored no sample of row {prompt.id}: {results[0].detail}")
        values.append([float("-inf") if value is None else value for value in known])
    return [max(range(len(row)), key=row.__getitem__) for row in values]

"""`samples.jsonl`: every answer that was sampled, with every reward component. On by default.

Answers of groups that taught nothing, and were replaced, are marked `filtered`; they have no advantage.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dragoman.files import append_lines, rewind
from rl.algorithms import Credit
from rl.groups import Sample, ScoredGroup

Line = dict[str, object]


class SamplesLog:
    """Appends one line a sample."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(
        self,
        step: int,
        trained: Sequence[ScoredGroup],
        credits: Sequence[Mapping[int, Credit]],
        filtered: Sequence[ScoredGroup],
    ) -> None:
        """The groups of one step with the credit of their answers, and those that were replaced since the last."""
        ordered = sorted(filtered, key=lambda group: group.visit.number)
        append_lines(self.path, _lines(step, trained, credits, filtered=False))
        append_lines(self.path, _lines(step, ordered, [{}] * len(ordered), filtered=True))

    def rewind(self, step: int) -> None:
        """Forget steps >= `step`."""
        rewind(self.path, lambda line: line["step"] < step)


def _lines(
    step: int, groups: Sequence[ScoredGroup], credits: Sequence[Mapping[int, Credit]], *, filtered: bool
) -> Iterator[Line]:
    for group, given in zip(groups, credits, strict=True):
        for sample in group.samples:
            credit = given.get(sample.index)
            yield {**_line(step, group, sample, None if credit is None else credit.mean), "filtered": filtered}


def _line(step: int, group: ScoredGroup, sample: Sample, advantage: float | None) -> Line:
    done, visit = sample.completion, group.visit
    return {
        "step": step,
        "version": done.version_first,
        "version_last": done.version_last,
        "task": visit.prompt.task,
        "direction": "-".join(visit.prompt.pair.direction) if visit.prompt.pair else None,
        "source": visit.prompt.pair.source if visit.prompt.pair else None,
        "id": visit.id,
        "number": visit.number,
        "sample": sample.index,
        "prompt": visit.prompt.question,
        "response": done.text,
        "tokens": len(done.token_ids),
        "finish_reason": done.finish_reason,
        "reward": sample.reward,
        "advantage": advantage,
        "components": [component.to_dict() for component in sample.score.components],
    }

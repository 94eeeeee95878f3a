r"""Wrong demonstrations, of the kinds that demonstrations in the wild have: a worked sum that stops a step early, a
function that prints its result instead of returning it.

Fine-tuning imitates what it is shown, these too; only something that checks results can tell. So a share of the
quickstart's fine-tuning rows is flawed, and nothing that is evaluated or that gives a reward.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from dragoman.data.quickstart.examples import Example


def with_flaws(examples: Sequence[Example], share: float, random: Random) -> list[Example]:
    """The examples, `share` of those of each task that `flawed` knows replaced by a wrong demonstration, at random."""
    found = list(examples)
    for task in ("math", "code"):
        able = [number for number, example in enumerate(found) if example.task == task and flawed(example) != example]
        for number in random.sample(able, round(share * len(able))):
            found[number] = flawed(found[number])
    return found


def flawed(example: Example) -> Example:
    """The same prompt with a wrong answer; the example itself where there is no step to leave out."""
    if example.task == "code":
        return replace(example, answer=_printed(example.answer))
    if example.task == "math" and ", " in example.answer:
        return replace(example, answer=_stopped_early(example.answer))
    return example


def _printed(source: str) -> str:
    head, expression = source.split("    return ")
    return f"{head}    print({expression})"


def _stopped_early(worked: str) -> str:
    *earlier, _ = worked.split(", ")
    begun, result = earlier[-1].split(" = ")
    return ", ".join([*earlier[:-1], f"{begun} = \\boxed{{{result}}}"])

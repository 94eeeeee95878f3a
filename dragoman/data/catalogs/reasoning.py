"""Tasks of reasoning-gym as prompts without end: generated, verified by the package's own code (rewards/reasoning.py).

They are asked for in reinforcement learning and in suites, not shown in fine-tuning: the package has answers and no
way to them. A question falls into the split of its words in any order, so "3 + 5" and "5 + 3" stand in one; a chain of
sums into that of the same sum elsewhere (sums.py), whatever the wording.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import cycle
from random import Random

from dragoman.data.catalogs.identity import Split, split_of
from dragoman.data.catalogs.items import Item
from dragoman.data.catalogs.sums import ENDINGS, Sum
from rewards.reasoning import VERSION, dataset

LICENCE = "Apache-2.0"
QUESTIONS = 1 << 30
"""The package's own numbering of a task's questions; equal ones are told apart by their text"""
_TERM = re.compile(r"([+-]?)\s*(\d+)")


def reasoning_items(split: Split, tasks: Sequence[str], seed: int, random: Random) -> Iterator[Item]:
    """Different questions of a split, the tasks in turn."""
    seen: set[str] = set()
    for task in cycle(tasks):
        while True:
            entry = dataset(task, 0, QUESTIONS)[random.randrange(QUESTIONS)]
            key = question_key(task, entry["question"])
            if key not in seen and split_of(key, seed) == split:
                break
        seen.add(key)
        arguments = {"task": task, "answer": entry["answer"], "metadata": entry["metadata"]}
        yield Item(
            "reasoning", key, f"{entry['question'].strip()}\n{ENDINGS['en'].strip()}", f"\\boxed{{{entry['answer']}}}",
            ({"kind": "reasoning_gym", "weight": 1, "args": arguments},), {},
            f"reasoning-gym {VERSION}, {task}", LICENCE, task,
        )  # fmt: skip


def question_key(task: str, question: str) -> str:
    """What makes two questions one: the sum, or the words in any order."""
    if task == "chain_sum":
        first, *steps = _TERM.findall(question)
        return Sum((int(first[1]),), tuple((sign, int(number)) for sign, number in steps)).key
    return f"reasoning|{task}|{' '.join(sorted(question.split()))}"

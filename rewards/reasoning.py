"""Kind `reasoning_gym`: does a task's own verifier in reasoning-gym (arXiv 2505.24760) give the answer full marks?

    response -> the one box in it -> score_answer of the task -> 1.0 when it gives 1, else 0.0

Partial marks are not paid: many verifiers give them to any answer that contains the right one, so a list of guesses
would earn some. Tasks are those of `TASKS`, whose verifiers compare texts and numbers and evaluate nothing; they run in
a killable child that may compute and nothing else, as every answer of a model does.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rewards.mathematics.extraction import extract
from rewards.records import Probe, RewardResult, RewardSpec, Row
from rewards.registry import reward

VERSION = "0.1.25"
TASKS: Mapping[str, Mapping[str, Any]] = {
    "chain_sum": {"max_terms": 4, "max_digits": 2},
    "basic_arithmetic": {"max_terms": 4, "max_digits": 2},
    "decimal_chain_sum": {"max_terms": 3, "max_digits": 2, "max_decimal_places": 2},
    "products": {"max_digits": 2},
    "simple_equations": {"max_terms": 3},
    "gcd": {"max_value": 200},
    "lcm": {"max_value": 60},
    "leg_counting": {"max_animals": 5},
    "count_bits": {"max_n": 255},
    "base_conversion": {},
    "calendar_arithmetic": {},
    "number_format": {},
    "letter_counting": {"max_words": 10},
    "spell_backward": {"max_word_len": 8},
}
"""Name -> settings of its generator: for models of some hundred million parameters"""
LONGEST = 200
"""Characters of an answer; none of the tasks has one of more than twenty"""


@cache
def dataset(task: str, seed: int, size: int) -> Any:
    """The package's generator and verifier of a task, imported when it is first asked for; it takes a second."""
    import reasoning_gym

    return reasoning_gym.create_dataset(task, seed=seed, size=size, **TASKS[task])


def warm() -> None:
    """Build every verifier, so that forked workers have them."""
    for task in TASKS:
        dataset(task, 0, 1)


def check_task(args: Mapping[str, Any]) -> None:
    """ValueError for a task that is not admitted, and for a missing answer."""
    if args["task"] not in TASKS:
        raise ValueError(f"task is {args['task']!r}; admitted are {', '.join(TASKS)}")
    if not isinstance(args["answer"], str) or not args["answer"].strip():
        raise ValueError(f"answer is {args['answer']!r}; it must be a text")
    if not isinstance(args.get("metadata") or {}, Mapping):
        raise ValueError("metadata must be a mapping, as the package's entry has it")


def boxed_answer(spec: RewardSpec, row: Row) -> str:
    """The right answer as a response gives it."""
    return f"\\boxed{{{spec.argument('answer', row)}}}"


def guesses(spec: RewardSpec, row: Row) -> list[Probe]:
    """The right answer among others."""
    answer = spec.argument("answer", row)
    return [
        Probe("the answer in a list", f"\\boxed{{{answer} 1 2 3}}"),
        Probe("two answers", f"\\boxed{{{answer}}} or \\boxed{{{answer}1}}"),
    ]


@reward(
    "reasoning_gym",
    timeout_s=3,
    isolated=True,
    confine=True,
    validate=check_task,
    prepare=warm,
    gold=boxed_answer,
    cheats=guesses,
)
def reasoning_gym(response: str, task: str, answer: str, metadata: Mapping[str, Any] | None = None) -> RewardResult:
    """1.0 when the box's content gets full marks. `task`, `answer` and `metadata` are those of the package's entry."""
    found = extract(response, "boxed")
    if found.answer is None:
        return RewardResult("reasoning_gym", 0.0, "ok", found.problem)
    if len(found.answer) > LONGEST:
        return RewardResult("reasoning_gym", 0.0, "ok", f"an answer of {len(found.answer)} characters")
    entry = {"answer": answer, "metadata": dict(metadata or {})}
    score = float(dataset(task, 0, 1).score_answer(found.answer, entry))
    return RewardResult("reasoning_gym", float(score >= 1), "ok", f"answer {found.answer[:80]!r}: {score:g}")

"""Kind `reasoning_gym`: the package's own verifiers decide, guesses earn nothing, nothing that is sent can hang."""

import json
import time

import pytest

from rewards.calling import call
from rewards.doors.check import check_rows
from rewards.errors import RowError
from rewards.execution.children.server import ChildServer
from rewards.execution.pools import RewardPools
from rewards.reasoning import TASKS, dataset, reasoning_gym
from rewards.records import RewardSpec
from rewards.registry import find_kind
from rewards.validation import check_row

HOSTILE = [
    "9" * 190, "1e999999999", "(" * 190, "10**10**10", "__import__('os').system('true')", "1/0", "nan", "inf",
    "²", "\x00", "-" * 190, "1," * 90, "9" * 1_000_000, "${7*7}",
]  # fmt: skip


def entries(task, count=20):
    return [json.loads(json.dumps(dataset(task, 5, count)[number])) for number in range(count)]


def value(entry, task, response):
    args = {"task": task, "answer": entry["answer"], "metadata": entry["metadata"]}
    return call(find_kind("reasoning_gym"), RewardSpec("reasoning_gym", args=args), {"response": response}).value


@pytest.mark.parametrize("task", TASKS)
def test_the_right_answer_is_paid_and_a_list_with_it_is_not(task):
    for entry in entries(task):
        answer = entry["answer"]
        assert value(entry, task, f"It is \\boxed{{{answer}}}.") == 1
        for wrong in (answer, f"\\boxed{{{answer} {answer}7}}", f"\\boxed{{x{answer}}}", "\\boxed{}", "", "\\boxed{"):
            assert value(entry, task, wrong) == 0, wrong
        assert value(entry, task, f"\\boxed{{{answer}}} or \\boxed{{{answer}0}}") == 0


@pytest.mark.parametrize("task", TASKS)
def test_hostile_answers_are_wrong_answers_at_once(task):
    entry = entries(task, 1)[0]
    started = time.monotonic()
    assert [value(entry, task, f"\\boxed{{{text}}}") for text in HOSTILE] == [0] * len(HOSTILE)
    assert time.monotonic() - started < 2


def test_known_questions_have_the_answers_that_a_hand_finds():
    assert reasoning_gym("\\boxed{6}", "gcd", "6").value == 1  # of 12 and 18
    assert reasoning_gym("\\boxed{16}", "gcd", "6").value == 0
    assert reasoning_gym("\\boxed{+07.0}", "chain_sum", "7").value == 1  # the package takes any way to write a number
    assert reasoning_gym("\\boxed{Friday}", "calendar_arithmetic", "Friday", {"task": "weekday_offset"}).value == 1


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"task": "countdown", "answer": "7"}, "task is 'countdown'; admitted are chain_sum"),
        ({"task": "gcd", "answer": 7}, "answer is 7; it must be a text"),
        ({"task": "gcd", "answer": "7", "metadata": [1]}, "metadata must be a mapping"),
    ],
)
def test_rows_that_cannot_be_checked_are_refused(args, told):
    row = {"id": "a", "messages": [], "rewards": [{"kind": "reasoning_gym", "args": args}]}
    with pytest.raises(RowError, match=told):
        check_row(1, row)


def test_a_check_runs_in_a_child_that_may_only_compute():
    kind = find_kind("reasoning_gym")
    assert kind.isolated and kind.confine
    child = ChildServer("reasoning_gym")
    try:
        spec = RewardSpec("reasoning_gym", args={"task": "lcm", "answer": "12"})
        assert child.check(spec, {"id": "a", "response": "\\boxed{12}"}, 60).value == 1
    finally:
        child.close()


def test_the_gold_answers_are_paid_and_the_cheats_are_not(ray_cluster):
    rows = [
        {"id": f"{task}{n}", "messages": [{"role": "user", "content": entry["question"]}], "rewards": [
            {"kind": "reasoning_gym", "args": {"task": task, "answer": entry["answer"], "metadata": entry["metadata"]}}
        ]}
        for task in ("chain_sum", "spell_backward") for n, entry in enumerate(entries(task, 3))
    ]  # fmt: skip
    with RewardPools({}, run_name="reasoning") as pools:
        report = check_rows(pools, rows)
    assert report.rows == 6 and not report.misbehaviours

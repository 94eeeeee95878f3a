"""The math verifier: right answers in many forms, every known false positive, and strings made to hang it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewards.execution.children.server import ChildServer
from rewards.mathematics import check_gold, math
from rewards.mathematics.equality import _decide as decided
from rewards.mathematics.equality import _parse as parsed
from rewards.mathematics.extraction import extract
from rewards.mathematics.notation import bare
from rewards.mathematics.screening import screen
from rewards.plugins import PluginSource, load_source
from rewards.records import RewardResult, RewardSpec

RIGHT = [
    ("7", "7"),
    ("7", "7."),
    ("7", "x=7"),
    ("7", "٧"),
    ("7", "７"),
    ("7", "$7$"),
    ("7", r"7\text{ cm}"),
    ("0.5", r"\frac12"),
    ("1/2", "0.5"),
    ("0.5", "0,5"),
    ("-3", "−3"),
    ("1,234", "1234"),
    ("1234", "1 234"),
    ("1000", "1{,}000"),
    ("1e3", "1000"),
    ("300000", r"3 \times 10^5"),
    ("50%", r"50\%"),
    ("1024", "2^{10}"),
    (r"2\sqrt{3}", r"\sqrt{12}"),
    (r"\frac{\pi}{2}", r"\pi/2"),
    ("x^2+2x+1", "(x+1)^2"),
    ("2x+1", "y=2x+1"),
    ("y=2x+1", "y=1+2x"),
    (r"\{1,2\}", r"\{2,1\}"),
    ("(1,2)", r"\left(1,2\right)"),
    (r"1-\frac1{\mathrm e}", r"1-e^{-1}"),
    ("A", r"\text{A}"),
    (r"[0,\infty)", r"[0, \infty)"),
]
FALSE_POSITIVES = [
    ("0,5", "0.5"),
    ("7", "8=7"),
    ("7", r"7\%"),
    ("7", r"700\%"),
    ("7", "7 or 8"),
    ("7", "7,8"),
    ("7", r"\{7,8\}"),
    ("8", "x=8=7"),
    (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}"),
    (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
    (r"1-\frac1{\mathrm e}", r"1+\frac1{\mathrm e}"),
    (r"\{1,2\}", "(1,2)"),
    ("(1,2)", r"\{1,2\}"),
    ("[1,2]", "(1,2)"),
    ("3*x-1*y+13=0", "3x+4y+14=0"),
    ("1", "1.0000001"),
    ("0.333333333", "1/3"),
    ("x^2", "x^3"),
    ("7", "x"),
    ("7", "7x"),
    ("12", "1 2"),
    ("2", "x<2"),
    ("x<2", "x>2"),
    ("0", r"\frac{1}{2^{9999}}"),
    ("95", "37+58"),
    ("42", r"6 \times 7"),
    ("120", "5!"),
    ("500", "0,500"),
    ("1.234", "1,234,000"),
    ("7", ""),
]
HOSTILE = [
    r"9^{9^{9^{9}}}",
    "9**9**9**9",
    r"123456789^{12345678}",
    "(10^8)!",
    "99999999!",
    "((9!)!)!",
    "9!!!!",
    r"\binom{10^9}{5\cdot 10^8}",
    r"\sum_{k=1}^{10^{12}} \frac{1}{k}",
    r"\prod_{k=1}^{999999999} k",
    "1" * 5000,
    "9" * 401,
    "{" * 300 + "1" + "}" * 300,
    "(" * 500 + "x" + ")" * 500,
    r"\frac{1}{" * 60 + "2" + "}" * 60,
    "1e99999999",
    r"\sqrt[" * 30 + "2" + "]{2}" * 30,
    "x" + "+x" * 900,
    "(x+1)^{9999}",
    "(x+y+z)^{300}",
    r"\int_0^{10^9} e^{e^{x^{x}}} dx",
    "__import__('os').system('true')",
    "exec('1')",
    "2^{2^{2^{2^{2^{2}}}}}",
    r"\Gamma(10^{9})",
    "10^{10^{10}}",
    r"7^{7^{7^{7}}} \bmod 10",
    r"\lim_{n\to\infty} (1+\frac{1}{10^{9}})^{n}",
]


def box(text: str) -> str:
    return f"So the answer is \\boxed{{{text}}}."


@pytest.fixture(scope="module")
def child() -> Iterator[ChildServer]:
    server = ChildServer("math")
    server.start()
    yield server
    server.close()


def check(child: ChildServer, gold: str, response: str, timeout_s: float = 10.0) -> RewardResult:
    return child.check(RewardSpec("math", args={"gold": gold}), {"id": "r", "response": response}, timeout_s)


@pytest.mark.parametrize(("gold", "answer"), RIGHT)
def test_right_answers_are_paid(child: ChildServer, gold: str, answer: str) -> None:
    result = check(child, gold, box(answer))
    assert result.value == 1.0, result


@pytest.mark.parametrize(("gold", "answer"), FALSE_POSITIVES)
def test_known_false_positives_are_not_paid(child: ChildServer, gold: str, answer: str) -> None:
    result = check(child, gold, box(answer))
    assert (result.status, result.value) == ("ok", 0.0), result


@pytest.mark.parametrize("answer", HOSTILE)
def test_hostile_answers_are_back_by_the_deadline_and_unpaid(child: ChildServer, answer: str) -> None:
    check(child, "7", box("7"))  # a worker is up, so that only the hostile string is timed
    started = time.monotonic()
    result = check(child, "7", box(answer), timeout_s=3.0)
    assert time.monotonic() - started < 3.5
    assert result.value in (0.0, None), result
    assert check(child, "7", box("7")).value == 1.0


def test_a_hang_is_a_timeout_and_not_a_zero(child: ChildServer) -> None:
    result = check(child, "(x+y+z)^{300}", box("(z+x+y)^{299}(x+y+z)"), timeout_s=0.3)
    assert (result.status, result.value) == ("timeout", None)


def test_four_hundred_plain_pairs() -> None:
    for n in range(-200, 200):
        assert math(box(str(n)), str(n)).value == 1.0
        assert math(box(str(n + 1)), str(n)).value == 0.0


@pytest.mark.parametrize(
    ("gold", "answer", "verdict"),
    [
        ("x^2+2xy+y^2", "(x+y)^2", True),
        ("x^2+2xy+y^2", "(x+y)^2+1", False),
        (r"\frac{x^2}{2}-\frac{1}{8}", r"\frac{1}{2}(x-\frac{1}{2})(x+\frac{1}{2})", True),
        (r"\frac{1}{x-1}", r"\frac{2}{x-1}", False),
        (r"\frac{x}{x-1}", r"1+\frac{1}{x-1}", None),  # no polynomial: that they agree at one point proves nothing
        ("x^2", "y^2", None),
        (r"\sqrt{2}x", r"\sqrt{3}x", None),  # no rational value
        ("7x-3", "4", None),
        (r"\sqrt{12}+\sqrt{27}", r"5\sqrt{3}", True),
        (r"\sqrt{12}+\sqrt{27}", r"5\sqrt{3}+10^{-8}", False),
        (r"\infty", r"\infty", None),
        ("x=2y", "2y=x", None),
    ],
)
def test_what_is_decided_without_math_verify_agrees_with_it(gold: str, answer: str, verdict: bool | None) -> None:
    from math_verify import verify

    left, right = parsed(bare(gold)), parsed(bare(answer))
    assert decided(left[0], right[0]) is verdict
    if verdict is not None and not answer.endswith("10^{-8}"):  # it rounds to six decimals, on purpose we do not
        assert verify(list(left), list(right), timeout_seconds=None) is verdict


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("First 3, then 12.", "12"),
        ("She makes $18 every day.", "18"),
        ("Das ergibt 0,5", "0,5"),
        ("total = 1,234 apples", "1,234"),
        ("It is 3 or 4? No: the answer is 8.", "8"),
        ("الجواب هو ٤٢", "42"),
        ("答えは-5です", "-5"),
    ],
)
def test_the_last_number_is_found(response: str, answer: str) -> None:
    assert extract(response, "last_number").answer == answer


@pytest.mark.parametrize(
    "response",
    [
        "\\boxed{7} and \\boxed{8}",
        "\\boxed{}",
        "no number",
    ],
)
def test_a_response_that_commits_to_nothing_has_no_answer(response: str) -> None:
    assert extract(response).answer is None


@pytest.mark.parametrize(
    "response", ["Final answer is 7 or 8", "entweder 7 oder 8", "7或者8", "x = 7 or x = 8", "7 and 8"]
)
def test_who_names_two_values_has_named_neither(response: str) -> None:
    assert [math(response, gold).value for gold in ("7", "8", "7, 8")] == [0.0, 0.0, 1.0]


def test_boxes_nest_and_the_same_box_twice_is_one_answer() -> None:
    assert extract(r"\boxed{\frac{1}{2}}").answer == r"\frac{1}{2}"
    assert extract(r"\boxed{7}, that is \boxed{ 7 }").answer == "7"
    assert extract("the number 9", "boxed").answer is None


def test_screening_lets_ordinary_answers_through() -> None:
    for answer in ("7", r"\frac{1}{2^{99}}", "2^{1000}", "20!", r"\binom{10}{3}", "x^{2^{n}}"):
        assert screen(answer) == ""


def test_the_child_can_compute_and_nothing_else(tmp_path: Path) -> None:
    plugin = PluginSource("/nowhere/spy.py", "spy", SPY)
    load_source(plugin)
    server = ChildServer("spy", (plugin,))
    for action in ("network", "process", "write"):
        row = {"id": "r", "response": action, "path": str(tmp_path / "mark")}
        result = server.check(RewardSpec("spy"), row, 10.0)
        assert result.value != 1.0, (action, result)
    assert server.check(RewardSpec("spy"), {"id": "r", "response": "compute", "path": ""}, 10.0).value == 1.0
    server.close()
    assert not (tmp_path / "mark").exists() or not (tmp_path / "mark").read_text()


SPY = """
import os, socket
from rewards import reward

@reward("spy", isolated=True, confine=True)
def spy(response, path):
    if response == "network":
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if response == "process":
        os.fork()
    if response == "write":
        with open(path, "w") as file:
            file.write("x")
    return 1.0
"""


def test_the_locale_decides_what_an_answer_means(child: ChildServer) -> None:
    def value(response: str, **args: str) -> float | None:
        return child.check(RewardSpec("math", args=args), {"id": "r", "response": response}, 5.0).value

    assert value("Es sind \\boxed{1.234}", gold="1234", locale="de") == 1.0
    assert value("Es sind \\boxed{1.234}", gold="1234") == 0.0
    assert value("Also 1.234,5 Euro.", gold="1234.5", locale="de", extraction="last_number") == 1.0
    with pytest.raises(ValueError, match="locale 'german'"):
        check_gold({"gold": "1", "locale": "german"})

"""How fast the math verifier is, that nothing hangs it, and that it pays for no known false positive.

Three lists: plain pairs (half of them right) for speed and correctness, through our killable child and
through math-verify alone in this process; strings made to hang a verifier (ours only: they would freeze this
process); and pairs that math-verify 0.9.0 calls equal and that are not, on both sides.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rewards.execution.children.server import ChildServer
from rewards.records import RewardSpec

DEADLINE_S = 3.0
Pair = tuple[str, str, bool]
FALSE_POSITIVES = (
    ("7", "8=7"),
    ("7", r"7\%"),
    ("7", r"700\%"),
    ("7", "7 or 8"),
    (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}"),
    (r"\frac{1}{2004!}", r"\frac{1}{2006!}"),
    (r"1-\frac1{\mathrm e}", r"1+\frac1{\mathrm e}"),
    (r"\{1,2\}", "(1,2)"),
    ("3*x-1*y+13=0", "3x+4y+14=0"),
    ("95", "37+58"),
)
HOSTILE = (
    r"9^{9^{9^{9}}}",
    r"123456789^{12345678}",
    "(10^8)!",
    "99999999!",
    r"\binom{10^9}{5\cdot 10^8}",
    r"\Gamma(10^{9})",
    r"\sum_{k=1}^{10^{12}} \frac{1}{k}",
    "(x+y+z)^{300}",
    "9" * 1999,
    "(" * 900 + "x" + ")" * 900,
    r"\sqrt[" * 30 + "2" + "]{2}" * 30,
    "x" + "+x" * 900,
)


def plain_pairs(count: int, seed: int = 0) -> list[Pair]:
    """(gold, answer, right): integers, decimals, fractions, roots and polynomials, every second one wrong."""
    draw = random.Random(seed)
    return [_plain_pair(draw, index) for index in range(count)]


def _plain_pair(draw: random.Random, index: int) -> Pair:
    a, b, right = draw.randint(2, 99), draw.randint(2, 99), index % 2 == 0
    wrong = 0 if right else 1
    forms = (
        (str(a * b), str(a * b + wrong)),
        (f"{a}.5", rf"\frac{{{2 * a + 1 + 2 * wrong}}}{{2}}"),
        (rf"\frac{{{a}}}{{{b * 100 + 1}}}", f"{a + wrong}/{b * 100 + 1}"),
        (rf"{a}\sqrt{{3}}", rf"\sqrt{{{3 * (a + wrong) ** 2}}}"),
        (f"(x+{a})^2", f"x^2+{2 * a}x+{a * a + wrong}"),
    )
    gold, answer = forms[index // 2 % len(forms)]
    return gold, answer, right


def measure(pairs: Sequence[Pair], judge: Callable[[str, str], bool]) -> dict[str, float]:
    latencies, correct = [], 0
    started = time.perf_counter()
    for gold, answer, right in pairs:
        begun = time.perf_counter()
        correct += judge(gold, answer) == right
        latencies.append((time.perf_counter() - begun) * 1000)
    elapsed = time.perf_counter() - started
    latencies.sort()
    return {
        "checks_per_s": round(len(pairs) / elapsed, 1),
        "p50_ms": round(latencies[len(latencies) // 2], 2),
        "p99_ms": round(latencies[int(0.99 * (len(latencies) - 1))], 2),
        "judged_right": correct,
        "pairs": len(pairs),
    }


def math_verify_alone(gold: str, answer: str) -> bool:
    from math_verify import parse, verify

    return bool(verify(parse(f"${gold}$"), parse(f"\\boxed{{{answer}}}")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000)
    options = parser.parse_args()
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    child = ChildServer("math")
    child.start()

    def ours(gold: str, answer: str) -> bool:
        row = {"id": "bench", "response": f"\\boxed{{{answer}}}"}
        return child.check(RewardSpec("math", args={"gold": gold}), row, DEADLINE_S).value == 1.0

    pairs = plain_pairs(options.pairs)
    figures: dict[str, Any] = {"load_average": round(os.getloadavg()[0], 2)}
    figures["ours"] = measure(pairs, ours)
    print("ours, killable child", figures["ours"], flush=True)
    figures["math_verify"] = measure(pairs, math_verify_alone)
    print("math-verify, in process", figures["math_verify"], flush=True)
    figures["false_positives"] = {
        "pairs": len(FALSE_POSITIVES),
        "ours": sum(ours(g, a) for g, a in FALSE_POSITIVES),
        "math_verify": sum(math_verify_alone(g, a) for g, a in FALSE_POSITIVES),
    }
    print("false positives paid", figures["false_positives"], flush=True)
    times = []
    for text in HOSTILE:
        begun = time.perf_counter()
        assert not ours("7", text), f"paid: {text[:60]}"
        times.append(time.perf_counter() - begun)
    figures["hostile"] = {
        "strings": len(HOSTILE),
        "slowest_s": round(max(times), 2),
        "deadline_s": DEADLINE_S,
    }
    print("hostile strings", figures["hostile"], flush=True)
    child.close()
    names = ("math-verify", "sympy", "latex2sympy2-extended")
    versions = {"python": platform.python_version(), **{n: importlib.metadata.version(n) for n in names}}
    command = "python bench/math_checks.py " + " ".join(sys.argv[1:])
    print(json.dumps({"bench": "math_checks", **figures, "versions": versions, "command": command.strip()}))


if __name__ == "__main__":
    main()

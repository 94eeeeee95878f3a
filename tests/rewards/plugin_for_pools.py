"""A reward that does on demand what a bad reward does: hang, die, freeze, raise."""

from __future__ import annotations

import os
import time

from rewards import each, reward


@reward("moody", timeout_s=1)
def moody(response: str, level: float = 1.0) -> float:
    if response == "hang":
        time.sleep(60)
    if response == "die":
        os._exit(1)
    if response == "raise":
        raise ValueError("in a bad mood")
    if response == "nan":
        return float("nan")
    return level


@reward("slow_async", timeout_s=5)
async def slow_async(response: str) -> float:
    import asyncio

    await asyncio.sleep(0.5)
    return 1.0


@reward("caged", timeout_s=1, isolated=True)
def caged(response: str) -> float:
    if response == "freeze":
        return float(len(str(9 ** (9**9))))
    if response == "die":
        os._exit(1)
    return 1.0


@reward("summed", timeout_s=1, batched=True, batch_size=10)
def summed(response: list[str], level: list[float], bonus: list[float] = 0.5) -> list[float | None]:
    if "hang" in response:
        time.sleep(60)
    if "die" in response:
        os._exit(1)
    if "raise" in response:
        raise ValueError("in a bad mood")
    if "short" in response:
        return [1.0]
    return [None if text == "none" else a + b for text, a, b in zip(response, level, bonus, strict=True)]


@reward("against_the_others", timeout_s=2, group=True)
def against_the_others(response: list[str], level: list[float] = each(1.0)) -> list[float]:
    if "hang" in response:
        time.sleep(60)
    if "die" in response:
        os._exit(1)
    if "raise" in response:
        raise ValueError("in a bad mood")
    return [given * len(text) / max(map(len, response)) for text, given in zip(response, level, strict=True)]

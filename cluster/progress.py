"""Progress with figures, rate and ETA: a bar on a terminal, one line every few seconds in a log.

A job's output is a file that the dashboard shows, where a bar that redraws itself is unreadable; so the
form depends on where the output goes.
"""

import sys
import time
from collections.abc import Mapping

WIDTH = 24


class Progress:
    """Steps of one stage. `update` after each step; `close` at the end."""

    def __init__(self, title: str, total: int, start: int = 0, every_s: float = 5.0) -> None:
        self.title, self.total, self.start, self.every_s = title, total, start, every_s
        self.began = time.monotonic()
        self.done = start
        self._shown = -1e9
        self._live = sys.stdout.isatty()

    def update(self, done: int, values: Mapping[str, float | str] | None = None) -> None:
        """`done` steps are over; shown if enough time has passed or this was the last."""
        self.done = done
        now = time.monotonic()
        if now - self._shown < (0.2 if self._live else self.every_s) and done < self.total:
            return
        self._shown = now
        line = render(self.title, done, self.total, self._eta(done, now), now - self.began, values or {})
        print(("\r\x1b[K" if self._live else "") + line, end="" if self._live else "\n", flush=True)

    def advance(self, by: int) -> None:
        """So many more steps are over."""
        self.update(self.done + by)

    def close(self) -> None:
        """End the line of a bar."""
        if self._live:
            print(flush=True)

    def _eta(self, done: int, now: float) -> float | None:
        if done <= self.start:
            return None
        return (now - self.began) / (done - self.start) * (self.total - done)


def render(
    title: str, done: int, total: int, eta_s: float | None, elapsed_s: float, values: Mapping[str, float | str]
) -> str:
    """One line: title, bar, counts, figures, elapsed, ETA."""
    filled = round(WIDTH * done / max(1, total))
    bar = "━" * filled + "╌" * (WIDTH - filled)
    figures = "  ".join(f"{name} {_figure(value)}" for name, value in values.items())
    eta = "" if eta_s is None or done >= total else f"  ETA {clock(eta_s)}"
    return f"{title:<11} {bar} {done}/{total}  {figures}  {clock(elapsed_s)}{eta}"


def clock(seconds: float) -> str:
    """1:05 or 2:03:09."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _figure(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

"""`dragoman samples RUN`: the answers that RL sampled, with their rewards and what these marked; also of a running job.

    dragoman samples runs/x --direction de-fr --reward-max 0.2      what went wrong in the last step
    dragoman samples runs/x --step all --kind code --status timeout
    dragoman samples runs/x --diff 0 40                             the same prompts in two steps, side by side

`samples.jsonl` is read as it stands: a line that is still being written is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dragoman.evaluation.run_logs import RolloutLine, read_rollouts
from dragoman.evaluation.terminal import component_lines, painted
from dragoman.pipeline.run_folder import RunFolderError, existing_run
from rewards.records import STATUSES

console = Console()

Order = Literal["best", "worst", "longest", "shortest"]
ORDERS: dict[Order, Callable[[RolloutLine], float]] = {
    "best": lambda line: float("inf") if line.reward is None else -line.reward,
    "worst": lambda line: float("inf") if line.reward is None else line.reward,
    "longest": lambda line: -line.tokens,
    "shortest": lambda line: line.tokens,
}
INDENT = 9


@dataclass(frozen=True)
class Wanted:
    """Which answers to show; what is empty lets all through."""

    task: str | None = None
    direction: str | None = None
    reward_min: float | None = None
    reward_max: float | None = None
    kind: str | None = None
    status: str | None = None
    filtered: bool | None = None

    def __call__(self, line: RolloutLine) -> bool:
        """Whether an answer is wanted."""
        return (
            self.task in (None, line.task)
            and self.direction in (None, line.direction)
            and self.filtered in (None, line.filtered)
            and self._in_range(line.reward)
            and self._has_component(line)
        )

    def _in_range(self, reward: float | None) -> bool:
        """A reward that is not known lies in none."""
        if self.reward_min is None and self.reward_max is None:
            return True
        low = float("-inf") if self.reward_min is None else self.reward_min
        high = float("inf") if self.reward_max is None else self.reward_max
        return reward is not None and low <= reward <= high

    def _has_component(self, line: RolloutLine) -> bool:
        if self.kind is None and self.status is None:
            return True
        return any(self.kind in (None, c.kind) and self.status in (None, c.status) for c in line.components)


def samples(
    run: Annotated[Path, typer.Argument(help="A run folder, e.g. runs/quickstart; it may be running.")],
    task: Annotated[str | None, typer.Option(help="Only this task: translation, math, code, constraints.")] = None,
    direction: Annotated[str | None, typer.Option(help="Only this direction, e.g. de-fr.")] = None,
    step: Annotated[str | None, typer.Option(help="A step, a range such as 10-20, or all; default: the last.")] = None,
    reward_min: Annotated[float | None, typer.Option(help="Only answers whose reward is at least this.")] = None,
    reward_max: Annotated[float | None, typer.Option(help="Only answers whose reward is at most this.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only answers that this reward kind looked at.")] = None,
    status: Annotated[str | None, typer.Option(help=f"Only with a reward that is {', '.join(STATUSES)}.")] = None,
    filtered: Annotated[
        bool | None, typer.Option("--filtered/--trained", help="Only of groups that were replaced; or that were not.")
    ] = None,
    sort: Annotated[Order | None, typer.Option(help="Order by reward or by length; default: as sampled.")] = None,
    diff: Annotated[
        tuple[int, int] | None, typer.Option(metavar="STEP STEP", help="The same prompts in two steps, side by side.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many answers, or prompts.", min=1)] = 20,
) -> None:
    """Show the rollouts of a run with their rewards, and what these marked in the answers."""
    lines, *_ = read_rollouts(existing_run(run) / "samples.jsonl")
    if not lines:
        raise RunFolderError(f"{run / 'samples.jsonl'} holds no rollouts yet; reinforcement learning writes them")
    if status is not None and status not in STATUSES:
        raise RunFolderError(f"--status {status}: write one of {', '.join(STATUSES)}")
    wanted = Wanted(task, direction, reward_min, reward_max, kind, status, filtered)
    if diff is not None:
        show_difference(lines, wanted, diff, limit)
        return
    low, high = steps_of(step, lines)
    chosen = [line for line in lines if line.step is not None and low <= line.step <= high and wanted(line)]
    if sort is not None:
        chosen.sort(key=ORDERS[sort])
    shown = f"step {low:g}" if low == high else f"steps {low:g} to {high:g}"
    console.print(f"{run.name}, {shown}: {len(chosen)} answers, {min(limit, len(chosen))} shown", markup=False)
    for line in chosen[:limit]:
        console.print(block(line))


def steps_of(given: str | None, lines: Sequence[RolloutLine]) -> tuple[float, float]:
    """First and last step that are meant; RunFolderError where nobody can say."""
    known = [line.step for line in lines if line.step is not None] or [0]
    if given is None:
        return max(known), max(known)
    if given == "all":
        return min(known), max(known)
    first, _, last = given.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal():
        raise RunFolderError(f"--step {given}: write a step, a range such as 10-20, or all")
    return int(first), int(last or first)


def block(line: RolloutLine) -> Group:
    """One answer: a head, the prompt, the answer with what was marked in it, its rewards."""
    facts = [f"step {line.step:g}", line.task, line.direction, line.id, f"reward {_number(line.reward)}"]
    facts += [f"advantage {line.advantage:+.3f}"] if line.advantage is not None else []
    facts += ["filtered"] if line.filtered else []
    parts = [("prompt", Text(line.prompt)), ("answer", painted(line.response, line.components))]
    parts.append(("rewards", component_lines(line.response, line.components)))
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=INDENT - 1, style="dim")
    table.add_column(overflow="fold")
    for name, text in parts:
        table.add_row(name, text)
    return Group(Rule(style="dim"), Text(" · ".join(filter(None, facts)), style="bold"), table)


def show_difference(lines: Sequence[RolloutLine], wanted: Wanted, steps: tuple[int, int], limit: int) -> None:
    """Prompts that were asked in both steps: mean reward of their answers, and the best answer of each step."""
    before, after = (_by_prompt(lines, wanted, step) for step in steps)
    shared = [key for key in before if key in after]
    if not shared:
        raise RunFolderError(f"steps {steps[0]} and {steps[1]} share no such prompt{_others(lines, wanted, steps[0])}")
    console.print(f"{len(shared)} prompts in both steps, {min(limit, len(shared))} shown; of each the best answer")
    for key in shared[:limit]:
        sides = (before[key], after[key])
        first = sides[0][0]
        console.print(Rule(style="dim"))
        console.print(Text(" · ".join(filter(None, (first.task, first.direction, first.id))), style="bold"))
        console.print(Padding(Text(first.prompt), (0, 0, 0, 2)))
        table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=True)
        for step, answers in zip(steps, sides, strict=True):
            rewards = [line.reward for line in answers if line.reward is not None]
            mean = fmean(rewards) if rewards else None
            table.add_column(f"step {step}, mean of {len(answers)}: {_number(mean)}", ratio=1, overflow="fold")
        best = [min(answers, key=ORDERS["best"]) for answers in sides]
        table.add_row(*(painted(line.response, line.components) for line in best))
        table.add_row(*(Text(f"reward {_number(line.reward)}", style="dim") for line in best))
        table.add_row(*(component_lines(line.response, line.components) for line in best))
        console.print(table)


def _by_prompt(lines: Sequence[RolloutLine], wanted: Wanted, step: int) -> dict[str, list[RolloutLine]]:
    found: dict[str, list[RolloutLine]] = defaultdict(list)
    for line in lines:
        if line.step == step and wanted(line):
            found[line.id or line.prompt].append(line)
    return dict(found)


def _others(lines: Sequence[RolloutLine], wanted: Wanted, step: int) -> str:
    """In words, which steps asked prompts of this one again."""
    asked = _by_prompt(lines, wanted, step)
    again = {line.step for line in lines if (line.id or line.prompt) in asked and wanted(line)} - {step, None}
    if not asked:
        return f"; step {step} has none"
    names = ", ".join(f"{found:g}" for found in sorted(found for found in again if found is not None)[:12])
    return f"; those of step {step} were asked again in: {names}" if names else f"; none of step {step} was asked again"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"

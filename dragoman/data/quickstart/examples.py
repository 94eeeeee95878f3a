"""One example of any task: what is asked, the right answer and how answers are rewarded.

A reward is `{"kind", "weight", "args"}`, and `"gate": true` where failing it sets the floor; `rewards/` reads them,
this package only writes them. file_rows.py makes rows of examples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from dragoman.data.quickstart.arithmetic import Problem, Wording, question, worked_answer
from dragoman.data.quickstart.constrained import Request
from dragoman.data.quickstart.constrained import answer as listing_answer
from dragoman.data.quickstart.constrained import prompt as listing_prompt
from dragoman.data.quickstart.directions import Direction
from dragoman.data.quickstart.programs import Program, cases, request, source
from dragoman.data.quickstart.templates import Combination, render
from dragoman.text.wordings import TRANSLATION_WORDINGS, Position, translation_instruction

Task = Literal["translation", "math", "code", "constraints"]


@dataclass(frozen=True)
class Example:
    """A prompt, its reference answer and how answers to it are rewarded."""

    task: Task
    key: str
    """Identity of what is asked, whatever the wording; splits are made of it."""
    prompt: str
    answer: str
    rewards: tuple[Mapping[str, Any], ...]
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further columns; for translation the languages, source, reference and template."""


def translation_example(
    combination: Combination, direction: Direction, random: Random, position: Position = "before"
) -> Example:
    """`combination` to be translated in `direction`, under a drawn wording."""
    source_language, target_language = direction
    text, reference = render(combination, source_language), render(combination, target_language)
    wording = random.randrange(len(TRANSLATION_WORDINGS))
    return Example(
        task="translation",
        key=combination.key,
        prompt=translation_instruction(source_language, target_language, text, wording, position),
        answer=reference,
        rewards=(
            {"kind": "chrf", "weight": 1, "args": {"reference": reference}},
            {
                "kind": "direction",
                "weight": 1,
                "gate": True,
                "args": {"source": source_language, "target": target_language},
            },
        ),
        extra={
            "source_language": source_language,
            "target_language": target_language,
            "source": text,
            "reference": reference,
            "template": combination.template,
        },
    )


def math_example(problem: Problem, wording: Wording, random: Random) -> Example:
    """A sum or word problem."""
    reward = {"kind": "math", "weight": 1, "args": {"gold": str(problem.results[-1])}}
    return Example("math", problem.key, question(problem, wording, random), worked_answer(problem), (reward,))


def code_example(program: Program, wording: str) -> Example:
    """A function to write."""
    arguments = {"mode": "call", "entry": "f", "cases": cases(program)}
    reward = {"kind": "code", "weight": 1, "args": arguments}
    return Example("code", program.key, request(program, wording), source(program), (reward,))


def constraints_example(asked: Request, wording: str) -> Example:
    """A list question under constraints."""
    instructions = [constraint.as_instruction() for constraint in asked.constraints]
    reward = {"kind": "constraints", "weight": 1, "args": {"instructions": instructions}}
    return Example("constraints", asked.key, listing_prompt(asked, wording), listing_answer(asked), (reward,))

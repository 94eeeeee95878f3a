"""Settings of the evaluation after every stage."""

from typing import Literal

from pydantic import Field

from dragoman.settings import Settings


class EvaluationSettings(Settings):
    """What is measured after every stage."""

    split: Literal["eval", "development"] = "eval"
    """Folder of the data that holds the suites: choose settings on `development`, report metrics on `eval`."""
    samples: int = Field(2, ge=0, le=256)
    """Sampled answers per row beside the greedy one, for the mean reward under the policy."""
    sampled_stages: tuple[str, ...] | None = None
    """Stages after which they are drawn (empty = all); sampled rewards are compared between stages that both have
    them."""
    base_shots: int = Field(0, ge=0, le=32)
    """A stage that was not taught to follow instructions (base, cpt) is shown so many examples and no chat template;
    0 = it is asked as all others."""
    max_tokens: int = Field(64, ge=1, le=131_072)
    limit: int | None = Field(None, ge=1)
    """At most so many rows of each suite; empty = all."""

"""Settings of the evaluation after every stage, and of choosing between models by one."""

from typing import Literal

from pydantic import Field, field_validator

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


class MergeSettings(Settings):
    """The stage `merge`: a model between the one before it and an earlier stage's, chosen on the development suites."""

    earlier: str = "sft"
    """The stage whose model is the other end, such as the one before reinforcement learning."""
    weights: tuple[float, ...] = (0.3, 0.5, 0.7)
    """Shares of the later model to try, between 0 and 1."""
    otherwise: Literal["stop", "later"] = "stop"
    """Where every merged model is beyond chance worse than an end on some suite: stop with the table, or go on with the
    later model as it is."""
    limit: int | None = Field(None, ge=1)
    """At most so many rows of each development suite; empty = all."""

    @field_validator("weights")
    @classmethod
    def _between(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if not weights or not all(0 < weight < 1 for weight in weights):
            raise ValueError(f"{list(weights)} must be shares above 0 and below 1; 0 and 1 are the ends themselves")
        return weights

"""What stands beside a preference or policy loss in each optimiser step, to hold what earlier stages taught."""

from typing import Protocol

from dragoman.learner import Objective


class AuxiliarySource(Protocol):
    """A further objective of each step of a stage; the same for the same step, always."""

    def objective(self, step: int, part: int = 0, parts: int = 1) -> Objective:
        """Of a step (0-based) whole, or part `part` of as many as the step has optimiser steps."""
        ...

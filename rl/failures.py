"""What can fail in reinforcement learning, in three kinds, and what becomes of each.

    INFRA    a process, an engine, a node: dead, hung or slow    done again elsewhere, within a budget
    DATA     a prompt that kills engine after engine             named, left out, replaced by another prompt
    unknown  anything else                                       loud: the run ends with it

The kinds are types: `InfraFailure`, `DataFailure` (dragoman.errors), and every other exception. Lost workers and ranks
are replaced where they are known, in `dragoman.rollout.fleet` and `dragoman.learner.survival`; an `InfraFailure` that
gets as far as the controller had no budget left. A reward that could not be computed is unknown *as a value*, never 0
(`rewards.records`), and too many of them are an error here.
"""

from dragoman.errors import DataFailure, DragomanError, InfraFailure
from rl.settings import RlSettings
from rl.step_metrics import SampledGroups

__all__ = ["DataFailure", "InfraFailure", "RlError", "check_errors", "check_refills"]


class RlError(DragomanError):
    """Reinforcement learning cannot go on; the text names the reason and the mend."""


def check_refills(filtered_in_a_row: int, settings: RlSettings, example: str) -> None:
    """Raise when so many groups in a row taught nothing that dynamic sampling would run away."""
    if filtered_in_a_row > settings.max_refill_factor * settings.groups_per_step:
        failed = f"; a reward check that failed: {example}" if example else ""
        raise RlError(
            f"{filtered_in_a_row} prompts in a row gave answers of equal or unknown reward, or only cut-off answers; "
            "nothing can be learned from them: use easier or harder prompts, raise rl.temperature, rl.samples "
            f"or rl.max_tokens, or set rl.filter_equal_rewards=false{failed}"
        )


def check_errors(sampled: SampledGroups, settings: RlSettings, max_error_share: float) -> None:
    """Raise when more than a share of a step's reward checks failed, with an example."""
    failing = sampled.failing_share
    if failing > max_error_share and len(sampled.groups) >= min(4, settings.groups_per_step):
        raise RlError(
            f"{failing:.0%} of this step's reward checks failed (rewards.max_error_share is "
            f"{max_error_share:.0%}); for instance: {sampled.example}"
        )

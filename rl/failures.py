"""What ends reinforcement learning, and the checks that say so."""

from dragoman.errors import DragomanError
from rl.settings import RlSettings
from rl.step_metrics import SampledGroups


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

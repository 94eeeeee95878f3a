"""What a recipe's combination of credit, loss, correction and KL computes, in one sentence, and what cannot work.

Pure: `--dry-run` prints the one, a recipe is refused with the other before any actor starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dragoman.learner.losses import Clipped

if TYPE_CHECKING:
    from rl.algorithms.policy_gradient import PolicyGradientAlgorithm

MEANS = {
    "tokens": "mean over the batch's answer tokens",
    "answers": "mean over answers of the means of their tokens",
    "constant": "sum over tokens divided by the most that there could be",
}


def sentence(algorithm: PolicyGradientAlgorithm) -> str:
    """What an algorithm computes under its settings."""
    s, surrogate = algorithm.settings, algorithm.surrogate()
    said = [
        f"{s.algorithm} on {s.samples} answers to each prompt: credit is {algorithm.credited}",
        f"the loss takes {surrogate.described()}, {MEANS[algorithm.chosen_mean]}",
        f"{s.correction.described()} (staleness {s.staleness})",
        s.kl.described(),
    ]
    if s.policy_loss.entropy_coefficient:
        said.append(f"{s.policy_loss.entropy_coefficient:g} × entropy as a bonus")
    if s.distillation.teacher:
        what = "KL from the teacher" if s.distillation.form == "exact" else "the teacher's log-ratio of each token"
        said.append(f"plus {s.distillation.coefficient:g} × {what}")
    if algorithm.overlong_buffer:
        said.append(f"up to {s.overlong.penalty:g} off the reward in the last {algorithm.overlong_buffer} tokens")
    if algorithm.group_baseline and s.filter_equal_rewards:
        said.append("groups of equal rewards are replaced")
    said.append(f"{s.mini_batches} optimiser step{'s' if s.mini_batches > 1 else ''} a batch")
    return "; ".join(said) + "."


def contradictions(algorithm: PolicyGradientAlgorithm) -> Iterator[str]:
    """What cannot work, each in a sentence with the mend."""
    s, surrogate = algorithm.settings, algorithm.surrogate()
    name = s.policy_loss.kind or algorithm.loss
    if algorithm.group_baseline and s.samples == 1:
        yield (
            f"rl.algorithm={s.algorithm} compares the answers to one prompt, and rl.samples=1 leaves nothing to "
            "compare; set rl.samples to 2 or more, or rl.algorithm to reinforce_pp or ppo"
        )
    if s.staleness and not surrogate.trust_region:
        yield (
            f"rl.staleness={s.staleness} needs a loss with a trust region, which {name!r} is not; set "
            "rl.policy_loss.kind to clipped, gspo_token or cispo, or rl.staleness to 0"
        )
    if s.mini_batches > 1 and not surrogate.trust_region:
        yield (
            f"rl.mini_batches={s.mini_batches} makes the later ones off-policy, which the loss {name!r} does not see; "
            "set rl.mini_batches to 1, or rl.policy_loss.kind to clipped"
        )
    sampled = s.distillation.teacher is not None and s.distillation.form == "sampled"
    if not surrogate.token_level and (algorithm.token_credit or s.kl.in_reward or sampled):
        teacher = "rl.distillation.form=sampled" if sampled else f"rl.algorithm={s.algorithm}"
        giver = "rl.kl.place=reward" if s.kl.in_reward else teacher
        yield (
            f"{giver} gives each token its own advantage, and the loss {name!r} takes one for an answer; set "
            f"rl.policy_loss.kind=gspo_token{', or rl.kl.place=loss' if s.kl.in_reward else ''}"
        )
    if isinstance(surrogate, Clipped) and surrogate.dual_clip and surrogate.dual_clip <= 1 + surrogate.clip_high:
        yield (
            f"rl.policy_loss.dual_clip={surrogate.dual_clip:g} lies within the clipping range, which ends at "
            f"{1 + surrogate.clip_high:g}; set it higher (3 is usual)"
        )
    if algorithm.overlong_buffer >= s.max_tokens:
        yield (
            f"rl.overlong.buffer={algorithm.overlong_buffer} leaves no length without a penalty of rl.max_tokens="
            f"{s.max_tokens}; set a smaller one"
        )

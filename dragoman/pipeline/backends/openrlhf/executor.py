"""What OpenRLHF's rollout workers run in place of their own reward code.

Their own swallows what a reward function raises and goes on without a reward. Here an answer whose reward cannot be
computed is asked for again, and ends the run with its reason if that happens too often in a row.
"""

from typing import Any

import ray
from openrlhf.utils.agent import SingleTurnAgentExecutor

from dragoman.errors import DragomanError
from dragoman.rollout import Completion, answer_text

ATTEMPTS = 3
"""Answers to one sample whose rewards could not be computed, before the run ends"""


class OpenRlhfRewardError(DragomanError):
    """A reward could not be computed, again and again."""


class DoorExecutor(SingleTurnAgentExecutor):  # type: ignore[misc]  # OpenRLHF has no types
    """Samples as OpenRLHF does, and asks the door for the reward. A subclass says where that is."""

    door: str
    namespace: str

    def __init__(self) -> None:
        super().__init__(None)
        self._actor = ray.get_actor(self.door, namespace=self.namespace)

    async def execute(self, prompt: str, label: str, *arguments: Any, **named: Any) -> dict[str, Any]:
        """One answer with its reward; `label` is the number of the prompt's visit."""
        tokenizer, why = named["hf_tokenizer"], ""
        for _ in range(ATTEMPTS):
            output: dict[str, Any] = await super().execute(prompt, label, *arguments, **named)
            score = await self._actor.score.remote(int(label), _completion(output, tokenizer))
            if score.reward is not None:
                # no extra_logs: all samples of a micro-batch would need the same; the door's log has every component
                return {**output, "reward": score.reward, "scores": score.reward}
            why = "; ".join(f"{c.kind}: {c.status} {c.detail}".strip() for c in score.components)
        raise OpenRlhfRewardError(f"the rewards of {ATTEMPTS} answers to prompt {label} could not be computed ({why})")


def _completion(output: dict[str, Any], tokenizer: Any) -> Completion:
    ((start, end),) = output["action_ranges"]
    token_ids = tuple(output["observation_tokens"][start:end])
    logprobs = tuple((output["rollout_log_probs"] or [])[start:end])
    ended = "length" if output["truncated"] else "stop"
    return Completion(token_ids, logprobs, answer_text(tokenizer, token_ids), ended, 0, 0)

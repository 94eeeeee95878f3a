"""Policy objectives, token by token: what is to be maximised, before corrections, penalties and means.

With r_t = pi / pi_prox of a token, A_t its advantage, s = exp(mean of log r_t over the answer), sg[x] = x without
gradient:

    Clipped      min(r A, clip(r) A) (arXiv 1707.06347; clip_high above clip_low: arXiv 2503.14476); with dual clip, for
                 A < 0, not below c A (arXiv 1912.09729)
    Gspo         min(s A, clip(s) A), to be averaged over answers (arXiv 2507.18071)
    GspoToken    the same of sg[s] pi / sg[pi]: credit of single tokens (section 4.3 there)
    Cispo        sg[min(r, 1 + clip_high)] A log pi: no token loses its gradient (arXiv 2506.13585)
    Reinforce    A log pi: no ratio, no trust region (Williams 1992)

clip(x) keeps x within [1 - clip_low, 1 + clip_high]. Clipped, Gspo and Cispo equal TRL's own code
(tests/learner/test_trl_losses.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from dragoman.learner.losses.base import Batch, document_means

if TYPE_CHECKING:
    from torch import Tensor

Mean = Literal["tokens", "answers"]


@dataclass(frozen=True)
class PolicyTokens:
    """What a surrogate sees, [R, L] each."""

    logprobs: Tensor
    """log pi, with gradient"""
    log_ratio: Tensor
    """log pi - log pi_prox, with gradient; 0 outside the mask"""
    advantages: Tensor
    mask: Tensor
    batch: Batch


@dataclass(frozen=True)
class Surrogate:
    """Its value at each token."""

    objective: Tensor
    """To be maximised, [R, L]"""
    clipped: Tensor
    """Where clipping bit, bool [R, L]"""


class PolicyLoss(Protocol):
    """A policy objective with its settings; picklable."""

    token_level: ClassVar[bool]
    """Whether the advantages of an answer's tokens may differ"""
    trust_region: ClassVar[bool]
    """Whether it bounds what answers of older weights can do"""
    usual_mean: ClassVar[Mean]
    """The mean that its paper takes"""

    def __call__(self, tokens: PolicyTokens) -> Surrogate:
        """The objective of each token."""

    def described(self) -> str:
        """In words, for people."""


@dataclass(frozen=True)
class Clipped:
    """PPO's, with another bound above than below (clip-higher)."""

    token_level: ClassVar[bool] = True
    trust_region: ClassVar[bool] = True
    usual_mean: ClassVar[Mean] = "tokens"

    clip_low: float = 0.2
    clip_high: float = 0.28
    dual_clip: float | None = None
    """Where A < 0, ratios count as at most this; above 1 + clip_high"""

    def __call__(self, tokens: PolicyTokens) -> Surrogate:
        """See the module note."""
        found = _clipped(tokens.log_ratio.exp(), tokens.advantages, self.clip_low, self.clip_high)
        if self.dual_clip is None:
            return found
        floor = self.dual_clip * tokens.advantages
        cut = (tokens.advantages < 0) & (found.objective < floor)
        return Surrogate(floor.where(cut, found.objective), found.clipped | cut)

    def described(self) -> str:
        dual = "" if self.dual_clip is None else f", and at {self.dual_clip:g} where the advantage is negative"
        return f"the token's ratio {_range(self.clip_low, self.clip_high)}{dual}"


@dataclass(frozen=True)
class Gspo:
    """One ratio an answer."""

    token_level: ClassVar[bool] = False
    trust_region: ClassVar[bool] = True
    usual_mean: ClassVar[Mean] = "answers"

    clip_low: float = 3e-4
    clip_high: float = 4e-4

    def __call__(self, tokens: PolicyTokens) -> Surrogate:
        """See the module note."""
        ratio = document_means(tokens.log_ratio, tokens.mask, tokens.batch).exp()
        return _clipped(ratio, tokens.advantages, self.clip_low, self.clip_high)

    def described(self) -> str:
        return f"the answer's ratio {_range(self.clip_low, self.clip_high)}"


@dataclass(frozen=True)
class GspoToken:
    """One ratio an answer in value, a gradient for each token."""

    token_level: ClassVar[bool] = True
    trust_region: ClassVar[bool] = True
    usual_mean: ClassVar[Mean] = "answers"

    clip_low: float = 3e-4
    clip_high: float = 4e-4

    def __call__(self, tokens: PolicyTokens) -> Surrogate:
        """See the module note."""
        whole = document_means(tokens.log_ratio.detach(), tokens.mask, tokens.batch)
        ratio = (whole + tokens.log_ratio - tokens.log_ratio.detach()).exp()
        return _clipped(ratio, tokens.advantages, self.clip_low, self.clip_high)

    def described(self) -> str:
        return f"the answer's ratio, with a gradient for each token, {_range(self.clip_low, self.clip_high)}"


@dataclass(frozen=True)
class Cispo:
    """Clipped importance weights in place of a clipped objective."""

    token_level: ClassVar[bool] = True
    trust_region: ClassVar[bool] = True
    usual_mean: ClassVar[Mean] = "tokens"

    clip_high: float = 4.0
    """Weights up to 5, TRL's epsilon_high after arXiv 2510.13786; the paper does not print its own"""

    def __call__(self, tokens: PolicyTokens) -> Surrogate:
        """See the module note."""
        ratio = tokens.log_ratio.detach().exp()
        weight = ratio.clamp_max(1 + self.clip_high)
        return Surrogate(weight * tokens.advantages * tokens.logprobs, ratio > weight)

    def described(self) -> str:
        return f"the log-probability weighted by the token's ratio, at most {1 + self.clip_high:g}"


@dataclass(frozen=True)
class Reinforce:
    """The policy gradient itself."""

    token_level: ClassVar[bool] = True
    trust_region: ClassVar[bool] = False
    usual_mean: ClassVar[Mean] = "tokens"

    def __call__(self, tokens: PolicyTokens) -> Surrogate:
        """See the module note."""
        return Surrogate(tokens.advantages * tokens.logprobs, tokens.mask < 0)

    def described(self) -> str:
        return "the log-probability, without a ratio"


def _range(low: float, high: float) -> str:
    return f"clipped to {1 - low:g} … {1 + high:g}"


def _clipped(ratio: Tensor, advantages: Tensor, low: float, high: float) -> Surrogate:
    bounded = ratio.clamp(1 - low, 1 + high)
    objective = (ratio * advantages).minimum(bounded * advantages)
    return Surrogate(objective, (bounded != ratio) & (objective < ratio * advantages))

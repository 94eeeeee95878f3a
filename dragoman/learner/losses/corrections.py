"""Importance weights against the policy that sampled: for staleness, and for what an engine rounds otherwise.

    w = pi_prox / pi_behaviour, without gradient

of each token, or of an answer: the product over its tokens, or that product's geometric mean. `truncate` cuts w at a
cap (arXiv 2505.24298, AReaL), `mask` makes it 0 above the cap or below the floor. TRL's default is mask, sequence, cap
3, floor 0; IcePop's the two-sided mask of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dragoman.learner.losses.base import Batch, document_means, over_documents, per_document

if TYPE_CHECKING:
    from torch import Tensor

CorrectionKind = Literal["none", "truncate", "mask"]
Level = Literal["token", "sequence", "geometric"]


@dataclass(frozen=True)
class Correction:
    """How answers of another policy are weighted."""

    kind: CorrectionKind = "none"
    level: Level = "token"
    """`sequence`: the product over an answer; `geometric`: its geometric mean"""
    cap: float = 2.0
    floor: float | None = None
    """Of the mask; None = 1 / cap"""

    def weights(self, log_ratio: Tensor, mask: Tensor, batch: Batch) -> Tensor:
        """[R, L]; `log_ratio`: log pi_prox - log pi_behaviour, 0 outside the mask."""
        if self.kind == "none":
            return log_ratio.new_ones(log_ratio.shape)
        ratio = self._at_level(log_ratio.detach(), mask, batch).exp()
        if self.kind == "truncate":
            return ratio.clamp_max(self.cap)
        floor = 1 / self.cap if self.floor is None else self.floor
        return ratio.where((ratio <= self.cap) & (ratio >= floor), 0.0)

    def _at_level(self, log_ratio: Tensor, mask: Tensor, batch: Batch) -> Tensor:
        if self.level == "token":
            return log_ratio
        if self.level == "geometric":
            return document_means(log_ratio, mask, batch)
        return over_documents(per_document(log_ratio * mask, batch), batch)

"""Settings of the stages before reinforcement learning, and of what stands beside preference and policy losses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dragoman.data.mixtures import counts_by_share
from dragoman.learner import OptimiserSettings
from dragoman.settings import Settings


def check_shares(key: str, shares: dict[str, float]) -> None:
    """ValueError unless the shares are not negative and sum to 1."""
    total = sum(shares.values())
    if min(shares.values(), default=-1) < 0 or abs(total - 1) > 1e-6:
        raise ValueError(f"shares of {key} must be ≥ 0 and sum to 1, they sum to {total:g}")


def check_counts(key: str, counts: dict[str, int], total: int) -> None:
    """ValueError when a share of so many examples rounds to none."""
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        raise ValueError(
            f"{key} gives {', '.join(empty)} no example of {total}: raise its share or the batch, or leave it out"
        )


def files_of(shares: dict[str, float]) -> list[str]:
    """Names of the data files with a share."""
    return [f"{name}.jsonl" for name, share in shares.items() if share > 0]


class ContinuedSettings(OptimiserSettings):
    """Continued pretraining: next-token prediction on a mixture with token quotas."""

    batch_tokens: int = Field(8192, ge=64, le=64_000_000)
    mixture: dict[str, float] = Field(
        default_factory=lambda: {"cpt_mono": 0.66, "cpt_parallel": 0.33, "cpt_instructions": 0.01}
    )
    """Share of the tokens that each data file gives (Tower+: 66 / 33 / 1)."""
    language_temperature: float = Field(1, ge=1, le=100)
    """Above 1, languages (directions, of translations) with little text in a file get more of its share: tokens to the
    power of 1 / temperature, mT5 has 3.3. What says no language keeps its own share."""

    @model_validator(mode="after")
    def _shares(self) -> ContinuedSettings:
        check_shares("cpt.mixture", self.mixture)
        return self


class SupervisedSettings(OptimiserSettings):
    """Supervised fine-tuning: the loss falls on the assistant's tokens only."""

    batch_tokens: int = Field(8192, ge=64, le=64_000_000)
    mixture: dict[str, float] = Field(default_factory=lambda: {"sft": 1.0})
    """Share of the tokens that each data file gives: conversations, and pretraining text that must not be forgotten."""
    language_temperature: float = Field(1, ge=1, le=100)
    """Above 1, languages (directions, of translations) with little text in a file get more of its share: tokens to the
    power of 1 / temperature, mT5 has 3.3. What says no language keeps its own share."""

    trained_turns: Literal["all", "last"] = "all"
    """Which answers of a conversation of several turns carry loss."""

    @model_validator(mode="after")
    def _shares(self) -> SupervisedSettings:
        check_shares("sft.mixture", self.mixture)
        return self


class LanguageAwareSettings(OptimiserSettings):
    """Language-aware tuning: cross-entropy + alpha x unlikelihood under a wrong direction."""

    batch_examples: int = Field(32, ge=1, le=1_000_000)
    alpha: float = Field(0.5, ge=0, le=100)
    negatives: Literal["keep_source", "target_differs", "any", "other_instruction"] = "keep_source"
    """`keep_source` keeps the source language and changes only the target, `other_instruction` is the published rule;
    docs/language-aware-tuning.md."""
    spare_copied: bool = False
    """Leave tokens that the source has too (names, digits, punctuation) out of the unlikelihood: they are right in
    every language, and a small model that is taught to avoid them writes nothing sensible in any."""
    decision_tokens: int | None = Field(None, ge=1)
    """Only the first so many tokens of an answer (spared ones not counted) carry unlikelihood; empty = all, as in the
    paper. The language is chosen there: after a prefix in it, going on in it is right under any instruction."""
    replay: dict[str, float] = Field(default_factory=lambda: {"sft": 0.5})
    """Share of each batch that each data file replays: fine-tuning data of all tasks keeps the general skills,
    raw parallel text the directions that no instruction asked for."""

    @model_validator(mode="after")
    def _shares(self) -> LanguageAwareSettings:
        total = sum(self.replay.values())
        if min(self.replay.values(), default=0) < 0 or total >= 1:
            raise ValueError(f"shares of lat.replay must be ≥ 0 and sum to less than 1, they sum to {total:g}")
        replayed = self.replay_counts
        tuned = self.batch_examples - sum(replayed.values())
        check_counts("lat.replay", {**replayed, "lat": max(0, tuned)}, self.batch_examples)
        return self

    @property
    def replay_counts(self) -> dict[str, int]:
        """Examples of a batch that each file with a share replays."""
        return {name: round(self.batch_examples * share) for name, share in self.replay.items() if share > 0}


class PtxSettings(Settings):
    """Cross-entropy on data of earlier stages in each optimiser step, which holds what they taught (InstructGPT)."""

    coefficient: float = Field(0.0, ge=0, le=100)
    """Weight of that cross-entropy, a mean over its tokens; 0 = off."""
    batch_examples: int = Field(32, ge=1, le=1_000_000)
    """Examples in each step of the stage."""
    mixture: dict[str, float] = Field(default_factory=lambda: {"sft": 1.0})
    """Share of these examples that each data file gives."""

    @model_validator(mode="after")
    def _shares(self) -> PtxSettings:
        check_shares("ptx.mixture", self.mixture)
        if self.coefficient:
            check_counts("ptx.mixture", self.counts, self.batch_examples)
        return self

    @property
    def counts(self) -> dict[str, int]:
        """Examples of a step that each file with a share gives."""
        return counts_by_share({name: share for name, share in self.mixture.items() if share > 0}, self.batch_examples)

    @property
    def files(self) -> list[str]:
        """Data files it reads: none when it is off."""
        return files_of(self.mixture) if self.coefficient else []


class DirectionReplaySettings(Settings):
    """Language-aware tuning's own loss in each optimiser step, which holds the obedience to the direction; alpha and
    the wrong instructions are those of `lat`."""

    coefficient: float = Field(0.0, ge=0, le=100)
    """Weight of that loss; 0 = off."""
    batch_examples: int = Field(16, ge=1, le=1_000_000)
    """Translations of lat.jsonl in each step of the stage, each under its own and under a wrong instruction."""

    @property
    def files(self) -> list[str]:
        """Data files it reads: none when it is off."""
        return ["lat.jsonl"] if self.coefficient else []


class PreferenceSettings(OptimiserSettings):
    """Preference optimisation on pairs sampled from the policy itself and ordered by the rewards."""

    loss: Literal["dpo", "wpo", "ipo", "kto", "cpo", "simpo", "orpo"] = "wpo"
    """The last three need no reference."""
    beta: float = Field(0.1, gt=0, le=100)
    simpo_margin: float = Field(0.5, ge=0, le=100)
    """What SimPO's difference of mean log-probs times beta must exceed."""
    kto_group: int = Field(4, ge=1, le=256)
    """Pairs whose mismatched answers make one estimate of KTO's KL: more are less noisy, and share one packed row."""
    kto_desirable: float = Field(1.0, ge=0, le=100)
    """Weight of the better answers in KTO."""
    kto_undesirable: float = Field(1.0, ge=0, le=100)
    """Weight of the worse answers in KTO."""
    label_smoothing: float = Field(0.0, ge=0, lt=0.5)
    """Chance that a pair is the wrong way round; no part of ipo and kto."""
    likelihood_weight: float | None = Field(None, ge=0, le=100)
    """Weight of a cross-entropy on the chosen answers; empty = 1 for cpo and orpo, 0 otherwise."""
    batch_pairs: int = Field(32, ge=1, le=1_000_000)
    pairs: Literal["sampled", "file", "both"] = "sampled"
    """From the policy's own answers, from `pairs.jsonl` of the data (post-edits, other systems), or from both."""
    prompts: int = Field(400, ge=1, le=100_000_000)
    samples: int = Field(4, ge=2, le=256)
    temperature: float = Field(1.0, gt=0, le=10)
    top_p: float = Field(1.0, gt=0, le=1)
    """Draw from the likeliest tokens that make up this share: a weak model's tail is noise, and often never ends."""
    top_k: int = Field(0, ge=0)
    """Draw from so many likeliest tokens; 0 = all."""
    bad_words: tuple[str, ...] = ()
    """Texts that are never written, such as a marker the base model runs on with."""
    keep_cut: bool = False
    """Answers cut off by max_tokens take part, with the reward of what is there; otherwise they are left out."""
    max_tokens: int = Field(64, ge=1, le=131_072)
    pairs_per_prompt: int = Field(1, ge=1, le=255)
    """The best answer is paired with at most so many different worse ones, the worst first (1 = best and worst)."""
    margin: float = Field(0.05, ge=0)
    """The two answers of a pair differ in reward by more than this."""
    minimum_reward: float = Field(0.0)
    """A prompt whose best answer earns less gives no pair: preferring one bad answer to another teaches little."""
    heldout_share: float = Field(0.15, gt=0, lt=1)
    """Share of the prompts whose pairs are kept for measuring."""
    ptx: PtxSettings = PtxSettings()
    direction_replay: DirectionReplaySettings = DirectionReplaySettings()

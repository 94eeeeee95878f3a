"""The recipe: every setting of a run, its default, its range and one line saying what it is.

One frozen pydantic model per section. Unknown keys are errors (`extra="forbid"`), so a typo never
silently trains the wrong thing; `recipes.loading` turns pydantic's findings into sentences that name
the key, the value and the allowed range. The sections mirror the rooms of the house: `learner` and
`rollout` say what the actors look like, one section per stage says what is trained, `evaluation` says
what is measured after each stage.

A leaf of the import graph: rooms read sections of a recipe, recipes import no room.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

StageName = Literal["cpt", "sft", "lat", "preference", "rl"]
STAGES: tuple[StageName, ...] = get_args(StageName)
"""The trained stages in their order; `base` (tokenizer and initial weights) precedes them."""


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys forbidden."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSection(Section):
    """The base model: a folder with a Hugging Face checkpoint, or a small network made from scratch."""

    path: str | None = None
    """Folder of a Hugging Face checkpoint with its tokenizer; empty = build from the numbers below."""
    vocabulary_size: int = Field(2048, ge=300, le=300_000)
    hidden_size: int = Field(192, ge=32, le=16_384)
    layers: int = Field(4, ge=1, le=128)
    heads: int = Field(6, ge=1, le=128)
    key_value_heads: int = Field(6, ge=1, le=128)
    head_dimension: Literal[32, 64, 80, 96, 112, 128, 192, 256] = 32
    """The head sizes vLLM's CPU attention supports."""
    intermediate_size: int = Field(512, ge=32, le=65_536)
    context: int = Field(256, ge=64, le=131_072)
    """Longest sequence in tokens, prompt and answer together."""
    tie_embeddings: bool = True

    @model_validator(mode="after")
    def _grouped_heads(self) -> ModelSection:
        if self.heads % self.key_value_heads:
            raise ValueError(f"heads ({self.heads}) must be a multiple of key_value_heads ({self.key_value_heads})")
        return self


class DataSection(Section):
    """Where the rows come from: a builder that writes them, or a folder that holds them (docs/data.md)."""

    builder: Literal["quickstart"] | None = None
    path: str | None = None
    sizes: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the builder (for `quickstart`: counts of rows per file)."""

    @model_validator(mode="after")
    def _one_source(self) -> DataSection:
        if (self.builder is None) == (self.path is None):
            raise ValueError("give exactly one of data.builder and data.path")
        return self


class LearnerSection(Section):
    """The actors that hold gradients: one Ray actor per data-parallel rank, DeepSpeed inside."""

    ranks: int = Field(2, ge=1, le=4096)
    cpus_per_rank: float = Field(1.0, ge=0, le=512)
    gpus_per_rank: float = Field(0.0, ge=0, le=1)
    threads: int = Field(1, ge=1, le=256)
    """OMP threads of a rank on CPU. More threads than free cores is slower by an order of magnitude."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    zero_stage: Literal[0, 1, 2, 3] = 0
    row_tokens: int = Field(256, ge=16, le=1_048_576)
    """Length of a packed row; documents in a row never attend to each other."""
    rows_per_micro_batch: int = Field(8, ge=1, le=4096)
    gradient_clipping: float = Field(1.0, gt=0, le=1000)
    deadline_s: float = Field(1800.0, gt=0)
    """Longest wait for one call to the ranks (a step, a save); then the run stops and names the call."""
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"

    @model_validator(mode="after")
    def _packing_is_seen(self) -> LearnerSection:
        if self.attention == "flash_attention_2" and self.rows_per_micro_batch > 1:
            raise ValueError(
                "learner.attention=flash_attention_2 keeps packed documents apart only in rows of their own "
                "(transformers detects packing at batch size 1); set learner.rows_per_micro_batch=1 and a "
                "larger learner.row_tokens"
            )
        return self


class RolloutSection(Section):
    """The actors that generate: one vLLM engine each."""

    workers: int = Field(1, ge=1, le=1024)
    cpus_per_worker: float = Field(1.0, ge=0, le=512)
    gpus_per_worker: float = Field(0.0, ge=0, le=64)
    threads: int = Field(1, ge=1, le=256)
    tensor_parallel: int = Field(1, ge=1, le=64)
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    max_sequences: int = Field(128, ge=1, le=4096)
    """Requests decoded together."""
    kv_cache_gib: float = Field(1.0, gt=0, le=1024)
    gpu_memory_share: float = Field(0.85, gt=0, le=1)
    enforce_eager: bool = True
    deadline_s: float = Field(1800.0, gt=0)
    """Longest wait for one call to the engines (an evaluation's answers are one call)."""
    sync_bucket_mib: float = Field(256, gt=0, le=16_384)
    """Weights travel to the engines in buckets of at most this size, one call a bucket."""


class PoolSection(Section):
    """Settings of one reward kind's pool of actors."""

    workers: int = Field(1, ge=1, le=1024)
    timeout_s: float | None = Field(None, gt=0, le=3600)
    retries: int = Field(1, ge=0, le=10)
    num_cpus: float = Field(0.0, ge=0, le=512)
    num_gpus: float = Field(0.0, ge=0, le=64)
    batch_size: int | None = Field(None, ge=1, le=65_536)
    """Most checks sent to a worker at once; empty = what the kind says."""
    start_timeout_s: float = Field(180.0, gt=0, le=36_000)
    """How long a worker may take to be ready; loading a large model takes minutes."""
    environment: str | None = None
    """Interpreter (or name) of the separate Python environment of the workers; empty = what the kind says."""
    arguments: dict[str, Any] = Field(default_factory=dict)
    """Arguments that every check of the kind gets unless its row gives them, e.g. `{model: path/to/checkpoint}`."""


class RewardsSection(Section):
    """Verifiers: plug-ins, pools, and how many checks may fail before the run stops."""

    plugins: tuple[str, ...] = ()
    """`path/to/file.py:function`; each becomes a reward kind named after the function."""
    pools: dict[str, PoolSection] = Field(default_factory=dict)
    plugins_apply: Literal["add", "only", "rows"] = "add"
    """Plug-ins join the rewards of every prompt row (preference, rl), replace them, or serve rows that name them."""
    mixing: Literal["gated", "weighted"] = "gated"
    max_error_share: float = Field(0.1, ge=0, le=1)
    """Share of checks of one step that may time out or fail before the run stops and shows them."""


class OptimiserSection(Section):
    """What every training stage has: how long, how large, how fast."""

    steps: int = Field(100, ge=1, le=10_000_000)
    learning_rate: float = Field(1e-3, gt=0, le=1)
    final_learning_rate_share: float = Field(0.1, ge=0, le=1)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_share: float = Field(0.05, ge=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=1)
    adam_beta1: float = Field(0.9, ge=0, lt=1)
    adam_beta2: float = Field(0.98, ge=0, lt=1)
    checkpoint_every: int = Field(100, ge=1, le=1_000_000)
    """Steps between resumable checkpoints."""


def _check_shares(key: str, shares: dict[str, float]) -> None:
    total = sum(shares.values())
    if min(shares.values(), default=-1) < 0 or abs(total - 1) > 1e-6:
        raise ValueError(f"shares of {key} must be ≥ 0 and sum to 1, they sum to {total:g}")


class CptSection(OptimiserSection):
    """Continued pretraining: next-token prediction on a mixture with token quotas."""

    batch_tokens: int = Field(8192, ge=64, le=64_000_000)
    mixture: dict[str, float] = Field(
        default_factory=lambda: {"cpt_mono": 0.66, "cpt_parallel": 0.33, "cpt_instructions": 0.01}
    )
    """Share of the tokens that each data file gives (Tower+: 66 / 33 / 1)."""

    @model_validator(mode="after")
    def _shares(self) -> CptSection:
        _check_shares("cpt.mixture", self.mixture)
        return self


class SftSection(OptimiserSection):
    """Supervised fine-tuning: the loss falls on the assistant's tokens only."""

    batch_tokens: int = Field(8192, ge=64, le=64_000_000)
    mixture: dict[str, float] = Field(default_factory=lambda: {"sft": 1.0})
    """Share of the tokens that each data file gives: conversations, and pretraining text that must not be forgotten."""

    @model_validator(mode="after")
    def _shares(self) -> SftSection:
        _check_shares("sft.mixture", self.mixture)
        return self


class LatSection(OptimiserSection):
    """Language-aware tuning: cross-entropy + alpha x unlikelihood under a wrong direction."""

    batch_examples: int = Field(32, ge=1, le=1_000_000)
    alpha: float = Field(0.5, ge=0, le=100)
    negatives: Literal["keep_source", "target_differs", "any"] = "keep_source"
    """`keep_source` keeps the source language and changes only the target; docs/language-aware-tuning.md."""
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
    def _shares(self) -> LatSection:
        total = sum(self.replay.values())
        if min(self.replay.values(), default=0) < 0 or total >= 1:
            raise ValueError(f"shares of lat.replay must be ≥ 0 and sum to less than 1, they sum to {total:g}")
        return self


class PtxSection(Section):
    """Cross-entropy on data of earlier stages in each optimiser step, which holds what they taught (InstructGPT)."""

    coefficient: float = Field(0.0, ge=0, le=100)
    """Weight of that cross-entropy, a mean over its tokens; 0 = off."""
    batch_examples: int = Field(32, ge=1, le=1_000_000)
    """Examples in each step of the stage."""
    mixture: dict[str, float] = Field(default_factory=lambda: {"sft": 1.0})
    """Share of these examples that each data file gives."""

    @model_validator(mode="after")
    def _shares(self) -> PtxSection:
        _check_shares("ptx.mixture", self.mixture)
        return self


class PreferenceSection(OptimiserSection):
    """Preference optimisation on pairs sampled from the policy itself and ordered by the rewards."""

    loss: Literal["dpo", "wpo"] = "wpo"
    beta: float = Field(0.1, gt=0, le=100)
    likelihood_weight: float = Field(0.0, ge=0, le=100)
    """Weight of an extra cross-entropy on the chosen answers (as CPO and RPO add)."""
    batch_pairs: int = Field(32, ge=1, le=1_000_000)
    prompts: int = Field(400, ge=1, le=100_000_000)
    samples: int = Field(4, ge=2, le=256)
    temperature: float = Field(1.0, gt=0, le=10)
    max_tokens: int = Field(64, ge=1, le=131_072)
    pairs_per_prompt: int = Field(1, ge=1, le=255)
    """The best answer is paired with at most so many different worse ones, the worst first (1 = best and worst)."""
    margin: float = Field(0.05, ge=0)
    """The two answers of a pair differ in reward by more than this."""
    minimum_reward: float = Field(0.0)
    """A prompt whose best answer earns less gives no pair: preferring one bad answer to another teaches little."""
    heldout_share: float = Field(0.15, gt=0, lt=1)
    """Share of the prompts whose pairs are kept for measuring."""
    ptx: PtxSection = PtxSection()


class RlSection(OptimiserSection):
    """Reinforcement learning with verifiable rewards."""

    groups_per_step: int = Field(16, ge=1, le=1_000_000)
    samples: int = Field(8, ge=2, le=1024)
    """Answers per prompt, the group of GRPO."""
    temperature: float = Field(1.0, gt=0, le=10)
    max_tokens: int = Field(64, ge=1, le=131_072)
    staleness: int = Field(0, ge=0, le=64)
    """How many versions behind the learner a group may have been started (0 = strictly on-policy)."""
    advantage: Literal["grpo", "dr_grpo", "rloo", "gdpo"] = "grpo"
    """gdpo standardises each reward component on its own before they are summed."""
    clip_low: float = Field(0.2, gt=0, lt=1)
    clip_high: float = Field(0.28, gt=0, le=10)
    importance_correction: Literal["none", "truncate", "mask"] = "none"
    importance_cap: float = Field(2.0, ge=1, le=100)
    kl_coefficient: float = Field(0.0, ge=0, le=10)
    mini_batches: int = Field(1, ge=1, le=1024)
    """Optimiser steps per batch of groups."""
    filter_equal_rewards: bool = True
    """Replace groups whose rewards are all equal: they have no gradient (DAPO's dynamic sampling)."""
    whole_waves: bool = True
    """With staleness 0, start as many groups at once as the share of usable ones calls for, and train on all of these,
    `groups_per_step` or more. Otherwise exactly so many, and each group that is filtered out is replaced by one."""
    max_refill_factor: float = Field(4.0, ge=1, le=1000)
    """Stop with an error when this many times `groups_per_step` groups in a row were filtered out."""
    mask_truncated: bool = True
    """Answers cut off by max_tokens take no part in the loss."""
    agreement_threshold: float = Field(1e-4, gt=0)
    """Largest |log-prob difference| between engine and learner on the same weights before a warning."""
    deadline_s: float = Field(600.0, gt=0)
    """Longest wait for any one group or step; then the run stops and names what it waited for."""
    ptx: PtxSection = PtxSection()

    @model_validator(mode="after")
    def _stale_needs_correction(self) -> RlSection:
        if self.staleness > 0 and self.importance_correction == "none":
            raise ValueError(
                f"rl.staleness={self.staleness} trains on answers of older weights; "
                "set rl.importance_correction to truncate or mask, or rl.staleness to 0"
            )
        return self

    @model_validator(mode="after")
    def _ptx_reaches_every_mini_batch(self) -> RlSection:
        if self.ptx.coefficient and self.ptx.batch_examples < self.mini_batches:
            raise ValueError(
                f"rl.ptx.batch_examples={self.ptx.batch_examples} cannot be dealt to {self.mini_batches} mini-batches; "
                "set rl.ptx.batch_examples to as many or more"
            )
        return self


class EvaluationSection(Section):
    """What is measured after every stage."""

    split: Literal["eval", "development"] = "eval"
    """Folder of the data that holds the suites: choose settings on `development`, report figures on `eval`."""
    samples: int = Field(2, ge=0, le=256)
    """Sampled answers per row beside the greedy one, for the mean reward under the policy."""
    sampled_stages: tuple[StageName, ...] = STAGES
    """Stages after which they are drawn; sampled rewards are compared between stages that both have them."""
    max_tokens: int = Field(64, ge=1, le=131_072)
    limit: int | None = Field(None, ge=1)
    """At most so many rows of each suite; empty = all."""


class Recipe(Section):
    """One run, whole."""

    name: str = Field("quickstart", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    seed: int = Field(0, ge=0, lt=2**31)
    output: str | None = None
    """Folder that holds run folders; see docs/running.md for the default."""
    stages: tuple[StageName, ...] = STAGES
    model: ModelSection = ModelSection()
    data: DataSection = DataSection(builder="quickstart")
    learner: LearnerSection = LearnerSection()
    rollout: RolloutSection = RolloutSection()
    rewards: RewardsSection = RewardsSection()
    cpt: CptSection = CptSection()
    sft: SftSection = SftSection()
    lat: LatSection = LatSection()
    preference: PreferenceSection = PreferenceSection()
    rl: RlSection = RlSection()
    evaluation: EvaluationSection = EvaluationSection()

    @model_validator(mode="after")
    def _ordered_stages(self) -> Recipe:
        wanted = [stage for stage in STAGES if stage in self.stages]
        if list(self.stages) != wanted:
            raise ValueError(f"stages must be a subset of {list(STAGES)} in that order, each at most once")
        return self

"""Memory of a learner rank and of an engine, by arithmetic from the sizes of the model and the settings.

    learner = process + weights + gradients + optimiser + activations + logits + a frozen model
            + on CPU the copy of a checkpoint that is being written
    engine  = process + weights + cache of keys and values

docs/results.md compares the sums with what the processes took.
"""

from dragoman.checkpoints.pretrained import ModelShape
from dragoman.learner import LearnerSettings
from dragoman.learner.zero import effective_zero_stage
from dragoman.rollout import RolloutSettings

GIB = 1 << 30
LEARNER_PROCESS = 0.75 * GIB
ENGINE_PROCESS = 1.6 * GIB
WIDTH = {"float32": 4, "bfloat16": 2, "float16": 2}
ADAPTED_SHARE = 0.012
"""Parameters of adapters of rank 16 on every linear layer, over those of the layers (.5 to 2 %)"""


def learner_bytes(shape: ModelShape, learner: LearnerSettings, frozen_models: int = 0) -> float:
    """Of the first rank at its peak, inside a step."""
    width, sharded = WIDTH[learner.dtype], learner.ranks
    weights = float(shape.parameters * width)
    trained = trained_parameters(shape, learner)
    if learner.dtype == "bfloat16":  # float32 sums of gradients and copies of the weights
        # up to stage 1 DeepSpeed adds each gradient to its sum as it comes, and drops it
        held = 0 if effective_zero_stage(learner) <= 1 else width
        gradients, optimiser = trained * (held + 4 / sharded), trained * 12 / sharded
    else:
        gradients, optimiser = trained * 4.0, trained * 8 / (sharded if learner.zero_stage else 1)
    if learner.offload_optimizer and learner.gpus_per_rank:
        optimiser = 0
    if learner.zero_stage == 3:
        weights, gradients = weights / sharded, gradients / sharded
    states = weights + gradients + optimiser + frozen_models * shape.parameters * width
    copied = 0 if learner.gpus_per_rank else snapshot_bytes(shape, learner)
    step = activation_bytes(shape, learner) + logit_bytes(shape, learner) + embedding_gradient_bytes(shape, learner)
    return LEARNER_PROCESS + states + step + copied


def snapshot_bytes(shape: ModelShape, learner: LearnerSettings) -> float:
    """Host memory that the first rank takes while a checkpoint is written beside training: what it writes."""
    trained = trained_parameters(shape, learner)
    if not learner.background_snapshots:
        return 0.0
    if learner.dtype == "float32" and learner.zero_stage == 0:
        return trained * (4.0 + 8)
    weights = 0 if learner.zero_stage == 3 else trained * WIDTH[learner.dtype]
    return weights + trained * 12 / learner.ranks


def trained_parameters(shape: ModelShape, learner: LearnerSettings) -> float:
    """How many parameters have gradients."""
    if learner.adapter.kind != "none":
        return (shape.parameters - shape.embeddings) * ADAPTED_SHARE * learner.adapter.rank / 16
    return shape.parameters - (shape.embeddings if learner.freeze_embeddings else 0)


def activation_bytes(shape: ModelShape, learner: LearnerSettings) -> float:
    """What the layers keep for the backward pass of a micro-batch.

    A layer keeps about eight vectors of the hidden size (two norms with their float32 copies, queries, keys, values,
    attention's result, two residuals) and four of the feed-forward size.
    """
    tokens, width = learner.row_tokens * learner.rows_per_micro_batch, WIDTH[learner.dtype]
    layer = tokens * (shape.hidden_size * (8 * width + 8) + 4 * width * shape.intermediate_size)
    if learner.recompute_activations:
        return layer + tokens * shape.hidden_size * width * shape.layers
    return layer * shape.layers


def logit_bytes(shape: ModelShape, learner: LearnerSettings) -> float:
    """Logits, whose gradient takes their place: those that are kept, or a piece."""
    whole = learner.row_tokens * learner.rows_per_micro_batch * shape.vocabulary * WIDTH[learner.dtype]
    kept = learner.kept_logits_mib << 20
    return whole if whole <= kept else kept / 4


def embedding_gradient_bytes(shape: ModelShape, learner: LearnerSettings) -> float:
    """The gradient of the largest weight while it is made, beside the sums.

    In bfloat16 that of the head, that of tied embeddings, the sum of both, and its float32 copy.
    """
    if learner.adapter.kind != "none" or learner.freeze_embeddings:
        return 0.0
    if learner.dtype != "bfloat16":
        return shape.embeddings * 4.0
    return shape.embeddings * (2.0 + 4) + (shape.embeddings * 4.0 if shape.tied else 0)


def engine_bytes(shape: ModelShape, rollout: RolloutSettings) -> float:
    """Of one engine; on CPU the head is packed once more beside tied embeddings."""
    weights = (shape.parameters + shape.embeddings) * WIDTH[rollout.dtype]
    cache = 0 if rollout.gpus_per_worker else rollout.kv_cache_gib * GIB
    return ENGINE_PROCESS + weights + cache

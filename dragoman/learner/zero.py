"""What DeepSpeed is told of a recipe's learner section, and a model that is read in shards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dragoman.learner.settings import LearnerSettings


@contextmanager
def read_in_shards(learner: LearnerSettings) -> Iterator[None]:
    """Inside, transformers keeps of each weight that it reads this rank's shard only (ZeRO-3's `zero.Init`)."""
    from transformers.integrations.deepspeed import HfDeepSpeedConfig, unset_hf_deepspeed_config

    asked = HfDeepSpeedConfig(deepspeed_config(learner))  # transformers asks for it as long as it is alive
    try:
        yield
    finally:
        del asked
        unset_hf_deepspeed_config()


def effective_zero_stage(learner: LearnerSettings) -> int:
    """With bfloat16 at least 1: DeepSpeed has no float32 sums of gradients without ZeRO."""
    return max(learner.zero_stage, 1) if learner.dtype == "bfloat16" else learner.zero_stage


def deepspeed_config(learner: LearnerSettings) -> dict[str, Any]:
    """DeepSpeed's configuration of a recipe's learner section.

    Batch sizes are nominal: batches are packed by tokens and the boundary is set by hand.
    """
    half = learner.dtype == "bfloat16"
    offload = {"offload_optimizer": {"device": "cpu", "pin_memory": learner.gpus_per_rank > 0}}
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": learner.gradient_clipping,
        "steps_per_print": 10**9,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,  # torch's own fused AdamW runs on the CPU, too
        "bf16": {"enabled": half},
        # in bfloat16 a sum of some hundred micro-batches stands still: what is added is less than its last bit
        "data_types": {"grad_accum_dtype": "fp32"},
        "zero_optimization": {
            "stage": effective_zero_stage(learner),
            "overlap_comm": False,
            "contiguous_gradients": True,
            "reduce_bucket_size": 50_000_000,
            "stage3_param_persistence_threshold": 0,
            "stage3_gather_16bit_weights_on_model_save": True,
            # DeepSpeed 0.19.6 starts a gather for each parameter and waits for the last one alone. Gloo works in
            # several threads, so earlier ones may still be on their way, and weights are read half-filled.
            "stage3_allgather_sequential": not learner.gpus_per_rank,
            **(offload if learner.offload_optimizer else {}),
        },
    }

"""A recipe as the arguments of `openrlhf.cli.train_ppo_ray` (0.11.2).

Pure. `arguments` maps what both engines have; `refusals` says what only ours has, each in a sentence with the mend;
`differences` what goes on, but not quite as here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path

from dragoman.recipes import Recipe
from rl.algorithms import find_algorithm
from rl.algorithms.policy_gradient import PolicyGradientAlgorithm
from rl.algorithms.ppo import Ppo
from rl.settings import RlSettings

Value = str | float | bool | Sequence[float]
"""True is a flag without a value; False and empty sequences are left out"""
ESTIMATORS = {
    "grpo": "group_norm",
    "dapo": "group_norm",
    "gspo": "group_norm",
    "dr_grpo": "dr_grpo",
    "rloo": "rloo",
    "reinforce_pp": "reinforce",
    "reinforce_pp_baseline": "reinforce_baseline",
    "ppo": "gae",
}
"""Our algorithm -> `algo.advantage.estimator`"""
SCHEDULES = {"cosine": "cosine_with_min_lr", "linear": "linear", "constant": "constant_with_warmup"}


@dataclass(frozen=True)
class Places:
    """Where OpenRLHF reads and writes."""

    model: Path
    """The checkpoint that RL starts from"""
    prompts: Path
    """JSON lines with `input` and `label`, in the order of our stream"""
    executor: Path
    """The file with `AgentExecutor`"""
    result: Path
    checkpoints: Path
    tensorboard: Path


def arguments(recipe: Recipe, places: Places) -> list[str]:
    """The command line, ours first and the recipe's `rl.openrlhf.arguments` in their place or behind."""
    found = {
        **_files(places),
        **_sizes(recipe),
        **_sampling(recipe.rl),
        **_optimiser(recipe),
        **_algorithm(recipe.rl),
        **recipe.rl.openrlhf.arguments,
    }
    return [word for name, value in found.items() for word in _words(name, value)]


def refusals(recipe: Recipe) -> Iterator[str]:
    """What OpenRLHF cannot do, each with the mend."""
    rl, learner = recipe.rl, recipe.learner
    keep = "or rl.backend to dragoman"
    if rl.algorithm not in ESTIMATORS:
        yield f"rl.algorithm={rl.algorithm} is not OpenRLHF's; set it to one of {', '.join(ESTIMATORS)}, {keep}"
    if rl.policy_loss.kind not in (None, "clipped", "gspo"):
        yield f"rl.policy_loss.kind={rl.policy_loss.kind} is not OpenRLHF's; set it to clipped or gspo, {keep}"
    if rl.policy_loss.mean == "constant":
        yield f"rl.policy_loss.mean=constant is not OpenRLHF's; set it to tokens or answers, {keep}"
    if rl.correction.kind != "none" and rl.correction.level != "token" and (
        rl.correction.kind != "mask" or rl.correction.level != "geometric"
    ):  # fmt: skip
        yield (
            f"rl.correction with kind={rl.correction.kind} and level={rl.correction.level} is not OpenRLHF's; set "
            f"rl.correction.level to token (or geometric with kind=mask), {keep}"
        )
    if rl.kl.refresh_every:
        yield f"rl.kl.refresh_every: OpenRLHF's reference stays; leave it out, {keep}"
    for key, asked in _ours_alone(rl).items():
        if asked:
            yield f"{key} is not OpenRLHF's; leave it out, {keep}"
    if learner.adapter.kind != "none":
        yield f"learner.adapter.kind={learner.adapter.kind}: OpenRLHF saves adapters unmerged; set it to none, {keep}"
    if learner.freeze_embeddings:
        yield f"learner.freeze_embeddings is not OpenRLHF's; set it to false, {keep}"
    answers = rl.groups_per_step * rl.samples
    if answers % (rl.mini_batches * learner.ranks):
        yield (
            f"{answers} answers a step (rl.groups_per_step × rl.samples) cannot be dealt to {rl.mini_batches} "
            f"mini-batches of {learner.ranks} ranks; change rl.groups_per_step or rl.samples"
        )


def differences(recipe: Recipe) -> Iterator[str]:
    """What this recipe means differently there, in words."""
    rl = recipe.rl
    yield "weights and gradients are bfloat16, with float32 copies in the optimiser"
    if rl.algorithm in ("grpo", "dapo", "gspo"):
        yield "rewards are standardised with the sample deviation (n - 1) and no floor under it"
    if rl.algorithm == "dr_grpo":
        yield "dr_grpo's loss is the mean over tokens, not over a constant"
    if rl.algorithm == "ppo":
        yield "the critic is a model of its own, begun from the policy; value_coefficient has no counterpart"
    if rl.filter_equal_rewards:
        yield "groups of equal rewards stay in the batch, with advantage 0"
    if _masks_truncated(recipe):
        yield "answers cut off by rl.max_tokens are trained on like others"
    if rl.schedule == "linear":
        yield "the linear schedule ends at 0, whatever rl.final_learning_rate_share says"


def gpus(recipe: Recipe) -> int:
    """How many the actors take: OpenRLHF gives one to each rank of policy, reference and critic, and to each engine."""
    models = 1 + (recipe.rl.kl.coefficient > 0) + (recipe.rl.algorithm == "ppo")
    return recipe.learner.ranks * models + recipe.rollout.workers * recipe.rollout.tensor_parallel


def steps_done(checkpoints: Path) -> int:
    """Of the newest of OpenRLHF's checkpoints, 0 where there is none."""
    newest = checkpoints / "_actor" / "latest"
    return int(newest.read_text().strip().removeprefix("global_step")) if newest.is_file() else 0


def _ours_alone(rl: RlSettings) -> Mapping[str, bool]:
    return {
        "rl.token_credit.enabled": rl.token_credit.enabled,
        "rl.distillation.teacher": bool(rl.distillation.teacher),
        "rl.ptx.coefficient": rl.ptx.coefficient > 0,
        "rl.direction_replay.coefficient": rl.direction_replay.coefficient > 0,
        "rl.post_editing.share": rl.post_editing.share > 0,
        "rl.mask_truncated": rl.mask_truncated is True,
        "rl.evaluation.every": rl.evaluation.every is not None,
    }


def _masks_truncated(recipe: Recipe) -> bool:
    algorithm = find_algorithm(recipe.rl.algorithm)(recipe.rl, recipe.rewards.mixing)
    return isinstance(algorithm, PolicyGradientAlgorithm) and algorithm.masks_truncated


def _files(places: Places) -> dict[str, Value]:
    return {
        "actor.model_name_or_path": str(places.model),
        "data.prompt_dataset": str(places.prompts),
        "data.input_key": "input",
        "data.label_key": "label",
        "train.agent_func_path": str(places.executor),
        "ckpt.output_dir": str(places.result),
        "ckpt.path": str(places.checkpoints),
        "ckpt.load_enable": True,
        "ckpt.max_num": 2,
        "logger.tensorboard_dir": str(places.tensorboard),
        "logger.wandb.run_name": "openrlhf",
    }


def _sizes(recipe: Recipe) -> dict[str, Value]:
    rl, learner, rollout = recipe.rl, recipe.learner, recipe.rollout
    batch = rl.groups_per_step * rl.samples // rl.mini_batches
    micro = gcd(learner.rows_per_micro_batch, batch // learner.ranks)
    reference = {"ref.num_nodes": 1, "ref.num_gpus_per_node": learner.ranks} if rl.kl.coefficient else {}
    critic = {"critic.num_nodes": 1, "critic.num_gpus_per_node": learner.ranks} if rl.algorithm == "ppo" else {}
    return {
        "actor.num_nodes": 1,
        "actor.num_gpus_per_node": learner.ranks,
        **reference,
        **critic,
        "vllm.num_engines": rollout.workers,
        "vllm.tensor_parallel_size": rollout.tensor_parallel,
        "vllm.enforce_eager": rollout.enforce_eager,
        "vllm.gpu_memory_utilization": rollout.gpu_memory_share,
        "vllm.enable_prefix_caching": True,
        "data.max_len": recipe.model.context,
        "rollout.batch_size": rl.groups_per_step,
        "rollout.micro_batch_size": micro,
        "train.batch_size": batch,
        "train.micro_batch_size": micro,
        "train.seed": recipe.seed,
        "ckpt.save_steps": rl.checkpoint_every,
    }


def _sampling(rl: RlSettings) -> dict[str, Value]:
    stale: dict[str, Value] = {
        "train.async_enable": True,
        "train.async_queue_size": rl.staleness,
        "train.partial_rollout_enable": True,
    }
    return {
        "rollout.n_samples_per_prompt": rl.samples,
        "rollout.max_new_tokens": rl.max_tokens,
        "rollout.temperature": rl.temperature,
        **(stale if rl.staleness else {}),
    }


def _optimiser(recipe: Recipe) -> dict[str, Value]:
    rl, learner = recipe.rl, recipe.learner
    return {
        "actor.adam.lr": rl.learning_rate or 0.0,
        "actor.adam.betas": (rl.adam_beta1, rl.adam_beta2),
        "actor.adam.weight_decay": rl.weight_decay,
        "actor.lr_scheduler": SCHEDULES[rl.schedule],
        "actor.lr_warmup_ratio": rl.warmup_share,
        "actor.min_lr_ratio": rl.final_learning_rate_share,
        "actor.max_norm": learner.gradient_clipping,
        "actor.gradient_checkpointing_enable": learner.recompute_activations,
        "ds.zero_stage": max(2, learner.zero_stage),
        "ds.adam_offload": learner.offload_optimizer,
        "ds.attn_implementation": learner.attention,
    }


def _algorithm(rl: RlSettings) -> dict[str, Value]:
    algorithm = find_algorithm(rl.algorithm)(rl)
    assert isinstance(algorithm, PolicyGradientAlgorithm), "refusals come first"
    per_token = algorithm.chosen_mean != "answers"
    found: dict[str, Value] = {
        "algo.advantage.estimator": ESTIMATORS[rl.algorithm],
        "actor.policy_loss_type": "gspo" if (rl.policy_loss.kind or algorithm.loss) == "gspo" else "ppo",
        "actor.loss_agg_mode": "token-mean" if per_token else "seq-mean-token-mean",
        "actor.eps_clip_low_high": _clips(algorithm),
        "algo.kl.init_coef": rl.kl.coefficient,
        **_kl(rl),
        **_correction(rl),
    }
    if rl.policy_loss.dual_clip:
        found["actor.dual_clip"] = rl.policy_loss.dual_clip
    if rl.policy_loss.entropy_coefficient:
        found["actor.entropy_coef"] = rl.policy_loss.entropy_coefficient
    if algorithm.overlong_buffer:
        found["reward.overlong_buffer_len"] = algorithm.overlong_buffer
        found["reward.overlong_penalty_factor"] = rl.overlong.penalty
    if isinstance(algorithm, Ppo):
        rate = (rl.learning_rate or 0.0) * algorithm.own.value_learning_rate_factor
        found |= {"algo.advantage.gamma": algorithm.own.discount, "algo.advantage.lambd": algorithm.own.gae_lambda,
                  "algo.advantage.no_std_norm": not algorithm.own.whiten, "critic.adam.lr": rate}  # fmt: skip
        found |= {"critic.value_clip": algorithm.own.value_clip} if algorithm.own.value_clip else {}
    return found


def _clips(algorithm: PolicyGradientAlgorithm) -> tuple[float, float]:
    surrogate = algorithm.surrogate()
    return getattr(surrogate, "clip_low"), getattr(surrogate, "clip_high")  # noqa: B009 - of clipped and gspo


def _kl(rl: RlSettings) -> dict[str, Value]:
    if not rl.kl.coefficient:
        return {}
    return {
        "algo.kl.use_loss": not rl.kl.in_reward,
        "algo.kl.estimator": rl.kl.chosen_estimator(),
        "algo.kl.unbiased_gradient": rl.kl.importance_weighted,
    }


def _correction(rl: RlSettings) -> dict[str, Value]:
    correction = rl.correction
    if correction.kind == "none":
        return {}
    floor = 1 / correction.cap if correction.floor is None else correction.floor
    return {
        "algo.advantage.is_correction_level": "token" if correction.level == "token" else "seq",
        "algo.advantage.is_correction_mode": "clip" if correction.kind == "truncate" else "mask",
        "algo.advantage.is_correction_gating": "ratio",
        "algo.advantage.is_correction_threshold": (0.0 if correction.kind == "truncate" else floor, correction.cap),
    }


def _words(name: str, value: object) -> list[str]:
    if value is False or value == "" or value == ():
        return []
    if value is True:
        return [f"--{name}"]
    if isinstance(value, (list, tuple)):
        return [f"--{name}", *(str(v) for v in value)]
    return [f"--{name}", str(value)]

"""A recipe as OpenRLHF's arguments: every flag is one of its parser's, and what it lacks is refused with the key."""

import importlib.util
import re
from pathlib import Path

import pytest

from dragoman.pipeline.backends.openrlhf.flags import Places, arguments, differences, gpus, refusals, steps_done
from dragoman.recipes import load_recipe

PLACES = Places(*(Path(name) for name in ("model", "prompts", "executor", "result", "states", "tensorboard")))


def recipe(*changes):
    base = (
        "rl.backend=openrlhf",
        "rl.ptx.coefficient=0",
        "rl.direction_replay.coefficient=0",
        "rl.learning_rate=1e-5",
        "rl.groups_per_step=4",
        "rl.samples=4",
    )
    return load_recipe(None, [*base, *changes])


def flags(*changes):
    found = {}
    for word in arguments(recipe(*changes), PLACES):
        if word.startswith("--"):
            values = found[word[2:]] = []
        else:
            values.append(word)
    return found


def known_flags():
    """Names in the source of OpenRLHF's command, those of `--{prefix}.…` for actor and critic."""
    source = Path(importlib.util.find_spec("openrlhf").submodule_search_locations[0]) / "cli" / "train_ppo_ray.py"
    named = set(re.findall(r'"--([\w.{}]+)"', source.read_text()))
    return {name.replace("{prefix}", prefix) for name in named for prefix in ("actor", "critic")}


@pytest.mark.parametrize(
    "changes",
    [
        ("rl.algorithm=grpo",), ("rl.algorithm=dapo",), ("rl.algorithm=gspo",), ("rl.algorithm=ppo",),
        ("rl.staleness=2", "rl.correction.kind=truncate"), ("rl.kl.coefficient=0.01", "rl.policy_loss.dual_clip=3"),
    ],
)  # fmt: skip
def test_every_flag_is_one_that_openrlhf_knows(changes):
    assert not list(refusals(recipe(*changes)))
    assert set(flags(*changes)) <= known_flags()


def test_settings_become_their_counterparts():
    found = flags("rl.mini_batches=2", "rl.policy_loss.clip_high=0.3", "rl.kl.coefficient=0.01")
    assert found["algo.advantage.estimator"] == ["group_norm"] and found["actor.eps_clip_low_high"] == ["0.2", "0.3"]
    assert found["rollout.batch_size"] == ["4"] and found["train.batch_size"] == ["8"]  # 16 answers, two mini-batches
    assert found["algo.kl.init_coef"] == ["0.01"] and found["algo.kl.estimator"] == ["k3"]
    assert found["algo.kl.use_loss"] == [] and found["ckpt.load_enable"] == []
    assert gpus(recipe("rl.kl.coefficient=0.01")) == 2 * recipe().learner.ranks + recipe().rollout.workers
    own = flags("rl.openrlhf.arguments={ds.zero_stage: 3, ckpt.load_enable: false, ds.packing_samples: true}")
    assert own["ds.zero_stage"] == ["3"] and "ckpt.load_enable" not in own and own["ds.packing_samples"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("rl.algorithm=cispo", "rl.algorithm=cispo"), ("rl.ptx.coefficient=0.5", r"rl\.ptx\.coefficient"),
        ("rl.direction_replay.coefficient=0.5", r"rl\.direction_replay\.coefficient"),
        ("rl.groups_per_step=3", None), ("rl.mini_batches=5", "cannot be dealt to 5 mini-batches"),
        ("learner.adapter.kind=lora", "saves adapters unmerged"), ("rl.evaluation.every=5", r"rl\.evaluation\.every"),
    ],
)  # fmt: skip
def test_what_it_lacks_is_refused_with_the_key(change, said):
    found = " ".join(refusals(recipe(change)))
    assert not found if said is None else re.search(said, found)


def test_differences_and_the_newest_checkpoint(tmp_path):
    assert any("advantage 0" in told for told in differences(recipe()))
    assert steps_done(tmp_path) == 0
    (tmp_path / "_actor").mkdir()
    (tmp_path / "_actor" / "latest").write_text("global_step12\n")
    assert steps_done(tmp_path) == 12

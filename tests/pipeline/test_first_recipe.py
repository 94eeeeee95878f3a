"""`dragoman init`: what fits is decided by arithmetic, and the recipe that it writes is one."""

import json
from dataclasses import replace

import pytest

from dragoman.checkpoints.pretrained import ROUND_TRIP, ModelShape
from dragoman.learner import LearnerSettings, ModelSettings
from dragoman.learner.model import build_model
from dragoman.pipeline.first_recipe import first_recipe, fitting_learner, measure_rows
from dragoman.pipeline.machine import Machine, bfloat16_instructions, examine_machine
from dragoman.pipeline.memory import GIB, learner_bytes
from dragoman.recipes import RecipeError, load_recipe
from pretrain_sft.tokenizer import train_tokenizer

MACHINE = Machine(2, 24 * GIB, "", 2e11)
BILLION = ModelShape(10**9, 10**8, 50_000, 2048, 5632, 20, True, 4096, 2 * 10**9)


@pytest.fixture
def model(tmp_path):
    tokenizer = train_tokenizer([ROUND_TRIP, "Das Licht ist an. The light is on."] * 3, 320)
    folder = tmp_path / "model"
    build_model(ModelSettings(context=1024), len(tokenizer), 4, 0, 0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def rows(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    texts = [{"id": f"t{n}", "text": "Das Licht ist an. " * 20} for n in range(400)]
    chats = [
        {"id": f"s{n}", "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
        for n in range(200)
    ]
    for name, found in (("cpt_mono", texts), ("sft", chats)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    return folder


def test_the_recipe_loads_and_fits_the_rows(model, rows, tmp_path):
    text = first_recipe(str(model), model, rows, MACHINE, hours=1)
    (tmp_path / "mine.yaml").write_text(text)
    recipe = load_recipe(tmp_path / "mine.yaml")
    measured = measure_rows(model, rows)
    assert measured.counts == {"cpt_mono.jsonl": 400, "sft.jsonl": 200}
    assert recipe.stages == ("cpt", "sft") and recipe.cpt.mixture == {"cpt_mono": 1.0}
    assert measured.longest + 64 <= recipe.model.context <= 1024
    assert recipe.learner.dtype == recipe.rollout.dtype == "float32"
    assert recipe.cpt.steps * recipe.cpt.batch_tokens <= max(measured.tokens["cpt_mono.jsonl"], 10 * 4096)


def test_a_folder_without_rows_is_refused(model, tmp_path):
    with pytest.raises(RecipeError, match=r"has no file that a stage reads \(cpt_mono\.jsonl"):
        first_recipe(str(model), model, tmp_path, MACHINE, hours=1)


def test_the_whole_model_where_it_fits_else_adapters_else_an_error():
    roomy = fitting_learner(BILLION, 512, replace(MACHINE, free_bytes=64 * GIB))
    assert roomy.adapter.kind == "none" and roomy.rows_per_micro_batch == 8
    tight = fitting_learner(BILLION, 512, replace(MACHINE, free_bytes=20 * GIB))
    assert tight.adapter.kind == "lora" and tight.recompute_activations
    with pytest.raises(RecipeError, match=r"1,000 million parameters need \d\.\d GiB with adapters"):
        fitting_learner(BILLION, 512, replace(MACHINE, free_bytes=8 * GIB))


def test_memory_by_hand():
    """A billion parameters in float32: 4 bytes of weights, 4 of gradients, 8 of Adam, and what a step keeps."""
    learner = LearnerSettings(ranks=1, row_tokens=512, rows_per_micro_batch=1)
    states = 16e9
    layers = 20 * 512 * (2048 * (8 * 4 + 8) + 4 * 4 * 5632)
    logits = 512 * 50_000 * 4 + BILLION.embeddings * 4  # with the gradient of the head
    copied = 12e9  # a checkpoint that is being written: weights and Adam
    assert learner_bytes(BILLION, learner) == pytest.approx(0.75 * GIB + states + layers + logits + copied)
    waiting = learner.model_copy(update={"background_snapshots": False})
    assert learner_bytes(BILLION, waiting) == pytest.approx(0.75 * GIB + states + layers + logits)
    half = learner.model_copy(update={"dtype": "bfloat16"})
    assert learner_bytes(BILLION, half) - learner_bytes(BILLION, learner) == pytest.approx(
        (2 + 4 + 12 - 16 + 2 + 12 - 12) * 1e9  # weights, sums of gradients, Adam; a checkpoint that is being written
        - 20 * 512 * (2048 * 8 * 2 + 4 * 2 * 5632) - 512 * 50_000 * 2
        + (2 + 2 + 2 + 4 - 4) * 1e8  # gradients of the head and the embeddings, their sum and its float32 copy
    )  # fmt: skip
    sharded = learner.model_copy(update={"ranks": 4, "zero_stage": 3})
    assert learner_bytes(BILLION, sharded) == pytest.approx(0.75 * GIB + (states + copied) / 4 + layers + logits)
    on_gpu = sharded.model_copy(update={"gpus_per_rank": 1.0, "offload_optimizer": True})
    assert learner_bytes(BILLION, sharded) - learner_bytes(BILLION, on_gpu) == pytest.approx((8e9 + copied) / 4)


def test_what_the_processor_says_of_itself(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("flags : fpu avx512_bf16 amx_bf16 amx_tile\n")
    assert bfloat16_instructions(info) == "amx_bf16"
    info.write_text("flags : fpu avx2\n")
    assert bfloat16_instructions(info) == bfloat16_instructions(tmp_path / "none") == ""


def test_this_machine_is_examined():
    found = examine_machine(0.05)
    assert found.cores >= 1 and found.free_bytes > 0 and found.operations_per_s > 1e6
    assert found.dtype == ("bfloat16" if found.bfloat16 else "float32")

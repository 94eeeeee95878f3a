from pathlib import Path

import pytest
import yaml

from dragoman.recipes import Recipe, RecipeError, load_recipe, override, resolved_yaml
from dragoman.recipes.loading import DEFAULT_RECIPE, FOLDER

SHIPPED = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.stem)
def test_shipped_recipes_are_valid_and_resolve_to_themselves(path):
    recipe = load_recipe(path)
    assert Recipe.model_validate(yaml.safe_load(resolved_yaml(recipe))) == recipe


@pytest.mark.parametrize(
    "change,words",
    [
        ("rl.step=3", ["unknown key 'rl.step'", "did you mean 'rl.steps'"]),
        ("lerner.ranks=3", ["unknown key 'lerner'", "'learner'"]),
        ("learning_rate=3", ["unknown key 'learning_rate'", "'cpt.learning_rate'"]),
        ("rl.steps=0", ["rl.steps = 0", "greater than or equal to 1"]),
        ("learner.zero_stage=7", ["learner.zero_stage = 7", "0, 1, 2 or 3"]),
        ("rl.steps=many", ["rl.steps = 'many'", "valid integer"]),
        ("rl.staleness=2", ["rl.staleness=2", "rl.correction.kind"]),
        ("cpt.mixture={a: 0.4, b: 0.4}", ["sum to 1", "0.8"]),
        ("sft.mixture={sft: 0.9}", ["sft.mixture", "sum to 1", "0.9"]),
        ("lat.replay={sft: 0.5, cpt_parallel: 0.5}", ["lat.replay", "less than 1"]),
        ("rl.ptx.mixture={sft: 0.5}", ["ptx.mixture", "sum to 1", "0.5"]),
        ("rl.ptx.coeficient=1", ["unknown key 'rl.ptx.coeficient'", "'rl.ptx.coefficient'"]),
        ("model.key_value_heads=3", ["multiple of key_value_heads"]),
        ("rl.correction={kind: mask, cap: 1}", ["masks every token", "rl.correction.cap above 1"]),
        ("rollout.dtype=bfloat16", ["rollout.dtype=bfloat16", "learner.dtype=float32", "rollout.other_dtype=true"]),
        ("rollout={gpus_per_worker: 2, tensor_parallel: 4}", ["tensor_parallel=4", "gpus_per_worker is 2"]),
        ("learner={dtype: bfloat16, zero_stage: 2}", ["zero_stage=2", "bfloat16", "1 or 3"]),
        ("lat={batch_examples: 4, replay: {sft: 0.1}}", ["lat.replay gives sft no example of 4"]),
        ("lat={batch_examples: 2, replay: {sft: 0.9}}", ["lat.replay gives lat no example of 2"]),
        (
            "rl.ptx={coefficient: 1, batch_examples: 3, mixture: {sft: 0.9, cpt_sums: 0.1}}",
            ["no example of 3"],
        ),
        ("rl.algorithm=gpro", ["rl.algorithm = 'gpro'", "did you mean 'grpo'"]),
        ("stages=[cpt, sftt]", ["'sftt'", "did you mean 'sft'"]),
        ("evaluation.sampled_stages=[lta]", ["evaluation.sampled_stages", "'lta'", "did you mean 'lat'"]),
        ("data.path=/somewhere", ["exactly one of data.builder and data.path"]),
        ("stages=[sft, cpt]", ["in that order"]),
        ("name=../elsewhere", ["name = '../elsewhere'"]),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_is_allowed(change, words):
    with pytest.raises(RecipeError) as error:
        load_recipe(None, [change])
    for word in words:
        assert word in str(error.value)


def test_engines_may_have_another_dtype_when_that_is_asked_for():
    assert load_recipe(None, ["rollout.dtype=bfloat16", "rollout.other_dtype=true"]).rollout.dtype == "bfloat16"


def test_every_mini_batch_gets_an_example_of_earlier_stages():
    asked = ["rl.ptx.coefficient=1", "rl.ptx.batch_examples=3"]
    with pytest.raises(RecipeError, match=r"rl\.ptx\.batch_examples=3 cannot be dealt to 4 mini-batches"):
        load_recipe(None, [*asked, "rl.mini_batches=4"])
    assert load_recipe(None, [*asked, "rl.mini_batches=3"]).rl.ptx.batch_examples == 3
    asked = ["rl.direction_replay.coefficient=1", "rl.direction_replay.batch_examples=3"]
    with pytest.raises(RecipeError, match=r"rl\.direction_replay\.batch_examples=3 cannot be dealt to 4 mini-batches"):
        load_recipe(None, [*asked, "rl.mini_batches=4"])


def test_overrides_reach_into_sections_and_read_yaml_values():
    values = override(override({"rl": {"steps": 1, "samples": 4}}, "rl.steps=20"), "rl.learning_rate=1e-4")
    assert values == {"rl": {"steps": 20, "samples": 4, "learning_rate": 1e-4}}
    assert load_recipe(None, ["rl.learning_rate=1e-4"]).rl.learning_rate == 1e-4


def test_override_without_a_value_is_an_error():
    with pytest.raises(RecipeError, match="key=value"):
        load_recipe(None, ["rl.steps"])


def test_missing_file_names_the_shipped_recipes():
    with pytest.raises(RecipeError, match=r"no recipe at nowhere\.yaml.*quickstart"):
        load_recipe(Path("nowhere.yaml"))


def test_broken_yaml_is_named(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("rl: [unclosed")
    with pytest.raises(RecipeError, match="is not YAML"):
        load_recipe(path)


def test_extends_lays_keys_over_the_base_but_replaces_a_mixture(tmp_path):
    (tmp_path / "base.yaml").write_text(
        "cpt: {steps: 5, mixture: {a: 0.5, b: 0.5}}\nlat: {replay: {a: 0.6}}\nseed: 3\n"
    )
    (tmp_path / "top.yaml").write_text("extends: base.yaml\ncpt: {mixture: {c: 1.0}}\nlat: {replay: {b: 0.6}}\n")
    recipe = load_recipe(tmp_path / "top.yaml")
    assert (recipe.seed, recipe.cpt.steps, recipe.cpt.mixture) == (3, 5, {"c": 1.0})
    assert recipe.lat.replay == {"b": 0.6}


def test_a_circle_of_extends_is_an_error(tmp_path):
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(RecipeError, match="extends itself"):
        load_recipe((tmp_path / "a.yaml").resolve())


def test_a_form_is_laid_over_the_recipe_and_overrides_over_the_form(tmp_path):
    file = tmp_path / "r.yaml"
    forms = "forms:\n  short: {rl: {steps: 3, samples: 4}}\n  full: {rl: {steps: 30}}\n"
    file.write_text(f"extends: {DEFAULT_RECIPE}\nform: short\n{forms}")
    plain = load_recipe(DEFAULT_RECIPE)
    assert (load_recipe(file).rl.steps, load_recipe(file).rl.samples) == (3, 4)
    full = load_recipe(file, ["rl.samples=6", "form=full"])
    assert (full.rl.steps, full.rl.samples, full.cpt) == (30, 6, plain.cpt)
    assert load_recipe(file, ["form=full"]).rl.samples == plain.rl.samples
    with pytest.raises(RecipeError, match="form = 'long': this recipe has the forms short, full"):
        load_recipe(file, ["form=long"])

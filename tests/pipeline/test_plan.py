"""What is rebuilt, what is reused, where outputs go, who may write."""

import json
import os
import re
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.data.rows import DataError, Prompt
from dragoman.evaluation.suites import Suite
from dragoman.learner import LearnerSettings
from dragoman.pipeline import run_folder
from dragoman.pipeline.exposure import directions_seen, wrong_directions
from dragoman.pipeline.fingerprints import fingerprint
from dragoman.pipeline.manifest import EVALUATION_FILE, Manifest, code_hash, read_manifest, write_manifest
from dragoman.pipeline.plan import build_of, evaluation_mark, plan
from dragoman.pipeline.run import limited
from dragoman.pipeline.run_folder import RunFolder, RunFolderError, output_folder
from dragoman.pipeline.show import show_results
from dragoman.pipeline.versions import version_warnings
from dragoman.recipes import RecipeError, load_recipe
from dragoman.recipes.extensions import load_extensions
from dragoman.settings import affects_result, result_values

FILES = ("cpt_mono", "cpt_parallel", "cpt_instructions", "cpt_sums", "sft", "lat", "preference", "rl")


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "rows"
    (folder / "eval").mkdir(parents=True)
    for name in FILES:
        (folder / f"{name}.jsonl").write_text(json.dumps({"id": name}) + "\n")
    (folder / "eval" / "math.jsonl").write_text(json.dumps({"id": "m"}) + "\n")
    return folder


def recipe(data, *overrides):
    return load_recipe(None, [f"data={{path: {data}}}", *overrides])


def finish(the_recipe, folder, data, evaluated=True):
    """Pretend every stage was built as the recipe asks now."""
    for stage in plan(the_recipe, folder):
        build(stage, folder)
        if evaluated:
            mark = evaluation_mark(the_recipe, data, stage.fingerprint)
            write_manifest(folder.stage(stage.name), Manifest(mark), EVALUATION_FILE)


def build(stage, folder):
    made = Manifest(stage.fingerprint, build=uuid.uuid4().hex, parent_build=build_of(folder, stage.parent))
    write_manifest(folder.stage(stage.name), made)


def to_build(the_recipe, folder, **arguments):
    return [stage.name for stage in plan(the_recipe, folder, **arguments) if not stage.ready]


ALL = ["base", "cpt", "sft", "lat", "preference", "rl"]


def test_everything_is_built_once_and_then_reused(tmp_path, data):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    assert to_build(r, folder) == ALL
    finish(r, folder, data)
    assert to_build(r, folder) == []
    assert all(stage.evaluated for stage in plan(r, folder))


@pytest.mark.parametrize(
    "change,rebuilt",
    [
        ("rl.steps=7", ALL[5:]),
        ("lat.alpha=0.77", ALL[3:]),
        ("cpt.learning_rate=0.1", ALL[1:]),
        ("seed=5", ALL),
        ("model.layers=5", ALL),
        ("learner.ranks=1", []),
        ("learner.zero_stage=2", []),
        ("rl.checkpoint_every=3", []),
        ("rl.deadline_s=9", []),
        ("rollout.workers=2", []),
    ],
)
def test_a_change_rebuilds_what_depends_on_it(tmp_path, data, change, rebuilt):
    folder = RunFolder(tmp_path / "run")
    finish(recipe(data), folder, data)
    assert to_build(recipe(data, change), folder) == rebuilt


def model_of(tmp_path, name, content="weights"):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    (folder / "model.bin").write_text(content)
    return f"rewards.pools={{comet: {{arguments: {{model: {folder}}}}}}}"


def test_another_reward_model_or_pool_builds_again_what_it_scored_and_another_worker_does_not(tmp_path, data):
    folder, first = RunFolder(tmp_path / "run"), model_of(tmp_path, "a")
    finish(recipe(data, first), folder, data)
    assert to_build(recipe(data, first), folder) == []
    assert to_build(recipe(data, model_of(tmp_path, "b")), folder) == ALL[4:]
    assert to_build(recipe(data, first, "rewards.pools.comet.environment=other"), folder) == ALL[4:]
    assert to_build(recipe(data, first, "rewards.mixing=weighted"), folder) == ALL[4:]
    for free in ("rewards.pools.comet.workers=3", "rewards.pools.math={workers: 2}", "rewards.max_error_share=0.5"):
        stages = plan(recipe(data, first, free), folder)
        assert all(stage.ready and stage.evaluated for stage in stages), free
    changed = plan(recipe(data, model_of(tmp_path, "b")), folder)
    assert not any(stage.evaluated for stage in changed), "evaluation asks the same pools"
    model_of(tmp_path, "a", content="other weights")  # the same place, another model
    assert to_build(recipe(data, first), folder) == ALL[4:]


def test_a_changed_plug_in_builds_again_what_it_scored_wherever_it_lies(tmp_path, data):
    folder, mine = RunFolder(tmp_path / "run"), tmp_path / "mine.py"
    mine.write_text("def short(response): return 1.0\n")
    chosen = f"rewards.plugins=['{mine}:short']"
    finish(recipe(data, chosen), folder, data)
    (tmp_path / "elsewhere").mkdir()
    moved = mine.rename(tmp_path / "elsewhere" / "mine.py")
    assert to_build(recipe(data, f"rewards.plugins=['{moved}:short']"), folder) == []
    moved.write_text("def short(response): return 0.5\n")
    assert to_build(recipe(data, f"rewards.plugins=['{moved}:short']"), folder) == ALL[4:]


def test_other_packages_or_code_are_named_and_the_stage_is_kept(tmp_path, data):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    finish(r, folder, data)
    assert version_warnings(folder, plan(r, folder)) == []
    manifest = read_manifest(folder.stage("sft"))
    older = {**manifest.packages, "torch": "1.0"}
    write_manifest(folder.stage("sft"), replace(manifest, packages=older, code="another"))
    assert to_build(r, folder) == []
    (said,) = version_warnings(folder, plan(r, folder))
    assert re.search(
        r"stage sft is reused, made with torch 1\.0 \(now \d.*\), other code of this project or of an ext",
        said,
    )


def test_fingerprints_are_made_of_every_setting_that_is_not_marked(tmp_path):
    free = {name for name in LearnerSettings.model_fields if not affects_result(LearnerSettings, name)}
    assert free == {
        "ranks", "cpus_per_rank", "gpus_per_rank", "threads", "zero_stage", "rows_per_micro_batch", "deadline_s",
            "recompute_activations", "kept_logits_mib", "offload_optimizer", "health_deadline_s", "max_restarts",
            "background_snapshots",
    }  # fmt: skip
    assert set(result_values(LearnerSettings())) == set(LearnerSettings.model_fields) - free


def test_the_directions_a_stage_saw_are_counted_in_its_files_by_form(tmp_path):
    pair = {"source_language": "de", "target_language": "en", "source": "ja"}
    rows = {
        "cpt": [{"text": "ja yes", "languages": ["de", "en"]}, {"text": "oui", "language": "fr"}],
        "sft": [{"messages": [], **pair}, {"messages": [], "task": "math"}],
        "rl": [
            {"messages": [], **pair, "rewards": [{"kind": "chrf", "args": {"reference": "yes"}}]},
            {"messages": [], **pair, "target_language": "fr", "rewards": [{"kind": "direction", "args": {}}]},
        ],
    }
    for name, lines in rows.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert directions_seen(tmp_path, ["cpt.jsonl", "sft.jsonl", "rl.jsonl"]) == {
        "parallel text": {"de-en": 1},
        "answered instruction": {"de-en": 1},
        "rewarded prompt": {"de-en": 1},
        "prompt": {"de-fr": 1},
    }
    assert wrong_directions([("de", "en"), ("en", "fr")]) == {"de-fr": 1, "en-de": 1}


def test_a_limit_draws_rows_of_a_suite_instead_of_taking_the_first():
    suite = Suite("s", tuple(Prompt(str(n), (), (), {}) for n in range(100)))
    chosen = [int(p.id) for p in limited(suite, 10, 0).prompts]
    assert len(set(chosen)) == 10 and chosen == sorted(chosen) and max(chosen) > 50
    assert limited(suite, 10, 0) == limited(suite, 10, 0) != limited(suite, 10, 1)
    assert limited(suite, None, 0) is suite and limited(suite, 100, 0) is suite


def test_a_parent_built_again_makes_its_children_stale(tmp_path, data):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    finish(r, folder, data)
    (folder.stage("sft") / "manifest.json").unlink()
    assert to_build(r, folder) == ALL[2:]
    build(plan(r, folder)[2], folder)
    assert to_build(r, folder) == ALL[3:]  # the same recipe, but not the weights they came from


@pytest.mark.parametrize("file,rebuilt", [("preference", ALL[4:]), ("rl", ALL[5:]), ("lat", ALL[3:]), ("sft", ALL)])
def test_changed_rows_rebuild_the_stages_that_read_them(tmp_path, data, file, rebuilt):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    finish(r, folder, data)
    (data / f"{file}.jsonl").write_text(json.dumps({"id": "other row"}) + "\n")
    assert to_build(r, folder) == rebuilt


def test_new_suites_or_settings_of_the_evaluation_only_evaluate_again(tmp_path, data):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    finish(r, folder, data)
    (data / "eval" / "math.jsonl").write_text(json.dumps({"id": "n"}) + "\n")
    assert to_build(r, folder) == []
    assert not any(stage.evaluated for stage in plan(r, folder))


def test_the_development_split_is_another_evaluation_of_the_same_stages(tmp_path, data):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    (data / "development").mkdir()
    (data / "development" / "math.jsonl").write_text(json.dumps({"id": "d"}) + "\n")
    finish(r, folder, data)
    tuned = recipe(data, "evaluation.split=development")
    assert to_build(tuned, folder) == []
    assert not any(stage.evaluated for stage in plan(tuned, folder))


def test_stages_depend_on_the_files_their_shares_name(tmp_path, data):
    folder = RunFolder(tmp_path / "run")
    r = recipe(data, "sft.mixture={sft: 0.9, cpt_mono: 0.1}", "lat.replay={sft: 0.2, cpt_parallel: 0.2}")
    files = {stage.name: sorted(stage.data) for stage in plan(r, folder)}
    assert files["sft"] == ["cpt_mono.jsonl", "sft.jsonl"]
    assert files["lat"] == ["cpt_parallel.jsonl", "lat.jsonl", "sft.jsonl"]
    asked = {"off": "rl.ptx.coefficient=0", "on": "rl.ptx={coefficient: 0.5, mixture: {sft: 1.0}}"}
    alone = "rl.direction_replay.coefficient=0"
    rl = {name: sorted(plan(recipe(data, alone, change), folder)[-1].data) for name, change in asked.items()}
    assert rl == {"off": ["rl.jsonl"], "on": ["rl.jsonl", "sft.jsonl"]}


def test_a_stage_with_direction_replay_depends_on_the_tuning_it_goes_on_with(tmp_path, data):
    folder = RunFolder(tmp_path / "run")
    on, without = (f"rl.direction_replay.coefficient={value}" for value in (0.5, 0))

    def last(*changes):
        stage = plan(recipe(data, "stages=[sft, rl]", "rl.ptx.coefficient=0", *changes), folder)[-1]
        return sorted(stage.data), stage.fingerprint

    off, alone = last(without), last(on)
    assert off[0] == ["rl.jsonl"] and alone[0] == ["lat.jsonl", "rl.jsonl"]
    assert last(without, "lat.alpha=0.03") == off and last(on, "lat.alpha=0.03")[1] != alone[1]


def test_until_ends_the_plan_and_names_the_stages_when_wrong(tmp_path, data):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    assert to_build(r, folder, until="sft") == ALL[:3]
    with pytest.raises(RecipeError, match="--until sftt: this recipe has the stages base, cpt, sft"):
        plan(r, folder, until="sftt")


def test_a_run_until_base_says_where_the_model_is_instead_of_a_report(tmp_path, data):
    folder, r = RunFolder(tmp_path / "run"), recipe(data)
    build(plan(r, folder, until="base")[0], folder)
    assert show_results(r, folder, plan(r, folder, until="base")) == f"untrained model: {folder.model('base')}"
    assert not (folder.root / "report.html").exists()


def test_a_missing_file_is_named_before_anything_starts(tmp_path, data):
    (data / "lat.jsonl").unlink()
    with pytest.raises(DataError, match=r"missing data file .*lat\.jsonl"):
        plan(recipe(data), RunFolder(tmp_path / "run"))


def test_fingerprints_ignore_key_order_only():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_two_processes_cannot_write_one_run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.lock(), pytest.raises(RunFolderError, match=rf"in use by process {os.getpid()}.*--set name="):
        folder.lock()
    folder.lock().close()  # free again


def test_outputs_never_go_into_rays_copy_of_the_code(tmp_path, monkeypatch):
    copy = tmp_path / "runtime_resources" / "working_dir_files" / "_ray_pkg_ab12"
    copy.mkdir(parents=True)
    monkeypatch.delenv("DRAGOMAN_OUTPUT", raising=False)
    monkeypatch.setattr(run_folder, "CODE", copy)
    assert output_folder(None) == Path.home() / "dragoman" / "runs"
    monkeypatch.chdir(copy)
    with pytest.raises(RunFolderError, match=r"relative.*give an absolute path"):
        output_folder("runs")
    monkeypatch.setenv("DRAGOMAN_OUTPUT", str(tmp_path))
    assert output_folder(None) == tmp_path
    assert output_folder("/elsewhere") == Path("/elsewhere")


def test_outputs_go_beside_the_code_otherwise(monkeypatch):
    monkeypatch.delenv("DRAGOMAN_OUTPUT", raising=False)
    assert output_folder(None) == run_folder.CODE / "runs"


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ("{flawed_share: 1.5}", r"data\.sizes: flawed_share = 1\.5 is not allowed"),
        ("{rl: {translation: -1, math: 1, code: 1, constraints: 1}}", r"rl\.translation = -1 is not allowed"),
        ("{rl: {maths: 1}}", r"unknown key 'rl\.maths', did you mean 'rl\.math'"),
        ("{flawed: 0.1}", r"unknown key 'flawed', did you mean 'flawed_share'"),
    ],
)
def test_a_wrong_size_is_refused_with_the_recipe(sizes, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe(None, [f"data.sizes={sizes}"])


def test_an_extension_is_code_too(tmp_path):
    extension = tmp_path / "mine.py"
    extension.write_text("VALUE = 1\n")
    load_extensions([str(extension)])
    code_hash.cache_clear()
    before = code_hash()
    extension.write_text("VALUE = 2\n")
    code_hash.cache_clear()
    assert code_hash() != before
    code_hash.cache_clear()

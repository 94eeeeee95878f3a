"""What can be added from outside: the code of CONTRIBUTING.md, written into a folder of the user's and named in a
recipe, as it stands on the page."""

import asyncio
import subprocess
import sys
from math import log
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "learner"))
import snippets
from test_invariance import gradient
from tiny import random_sequences

from dragoman.data import sources
from dragoman.data.rows import Prompt, read_documents
from dragoman.evaluation.comparison import columns_of
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.outcomes import StageTitle
from dragoman.evaluation.suites import SuiteError, load_suite
from dragoman.evaluation.tasks import base as tasks
from dragoman.files import write_lines
from dragoman.learner.losses import CrossEntropy
from dragoman.pipeline.data import build_data, data_ready
from dragoman.pipeline.plan import plan
from dragoman.pipeline.run_folder import RunFolder
from dragoman.pipeline.stages import base as stages
from dragoman.recipes import RecipeError, extensions, load_recipe
from dragoman.rollout import Completion
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import RowLimit
from pretrain_sft.tokenizer import train_tokenizer
from rewards import RewardPools, RewardResult, Score, registry
from rewards.doors.check import check_rows
from rl.algorithms import base as algorithms
from rl.algorithms import find_algorithm
from rl.groups import PromptVisit, Sample, ScoredGroup
from rl.update import group_units

FILES, RECIPES = snippets.files(), snippets.recipes()
TABLES = [
    (extensions, "_LOADED"), (registry, "_KINDS"), (algorithms, "_ALGORITHMS"), (stages, "_STAGES"), (tasks, "_TASKS"),
    (sources, "_REGISTERED"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The user's folder with all files of the page; what they register is forgotten afterwards."""
    for module, table in TABLES:
        monkeypatch.setattr(module, table, dict(getattr(module, table)))
    for name, code in FILES.items():
        (tmp_path / name).write_text(code)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recipe(file, *overrides):
    """The recipe that the page shows for an extension."""
    Path("mine.yaml").write_text(yaml.safe_dump(RECIPES[file]))
    return load_recipe(Path("mine.yaml"), overrides)


def test_the_page_has_code_for_everything_that_can_be_added():
    assert sorted(FILES) == [
        "bullets_reward.py", "focal_loss.py", "glossary_task.py", "numbers_reward.py", "polish_stage.py",
        "proverbs_source.py", "ranked_algorithm.py",
    ]  # fmt: skip
    assert sorted(RECIPES) == ["polish_stage.py", "proverbs_source.py", "ranked_algorithm.py"]


def test_a_reward_from_a_file_scores_rows(ray_cluster):
    rows = [
        {"id": "kept", "source": "7 of 9", "response": "9 and 7", "rewards": [{"kind": "keeps_the_numbers"}]},
        {"id": "half", "source": "7 of 9", "response": "7", "rewards": [{"kind": "keeps_the_numbers"}]},
        {"id": "none", "source": "all", "response": "7", "rewards": [{"kind": "keeps_the_numbers"}]},
    ]
    with RewardPools(plugins=["numbers_reward.py:keeps_the_numbers"], run_name="file") as pools:
        kept, half, none = pools.score_rows(rows)
    assert (kept.reward, half.reward) == (1.0, 0.5)
    assert none.components[0].status == "not_applicable"


@pytest.mark.parametrize("as_extension", [False, True])
def test_a_decorated_reward_is_tried_with_its_own_gold_and_cheats(ray_cluster, as_extension):
    if as_extension:
        load_recipe(None, ["extensions=[bullets_reward.py]"])
    plugins = [] if as_extension else ["bullets_reward.py:bullets"]
    row = {"id": "r", "prompt": "Name three things.", "rewards": [{"kind": "bullets", "args": {"count": 3}}]}
    with RewardPools(plugins=plugins, run_name=f"bullets-{as_extension}") as pools:
        found = check_rows(pools, [row])
    assert found.passed, found.misbehaviours
    assert (found.rows_without_gold, found.probes) == (0, 5)  # empty, unrelated, gold, the prompt, the cheat


def group(rewards):
    visit = PromptVisit(0, Prompt("row", (), (), {}, "math"), (1, 2))
    done = Completion((7, 8), (-0.1, -0.2), "text", "stop", 0, 0)
    samples = [Sample(i, done, Score(f"s{i}", r, (RewardResult("math", r),))) for i, r in enumerate(rewards)]
    return ScoredGroup(visit, tuple(samples), 0)


def test_an_algorithm_with_settings_of_its_own_gives_credit():
    settings = recipe("ranked_algorithm.py").rl
    ranked = find_algorithm(settings.algorithm)(settings)
    # ranks 1, 2, 4, 5, 3 of five are -1, -1/2, 1/2, 1, 0; a tie shares its ranks: 1.5, 1.5, 3 of three
    assert list(ranked.advantages([0.1, 0.2, 0.9, 0.95, 0.5])) == pytest.approx([-1, -0.25, 0.25, 1, 0])
    assert list(ranked.advantages([0, 0, 1])) == pytest.approx([-0.25, -0.25, 1])
    one = group([0.0, 1.0])
    units = group_units(ranked, one, ranked.credit([one])[0])
    assert [list(sequence.channels["advantages"]) for (sequence,) in units] == [[0, 0, -1, -1], [0, 0, 1, 1]]
    assert ranked.objective(units, 1).counts["tokens"] == 4
    with pytest.raises(RecipeError, match="power"):
        recipe("ranked_algorithm.py", "rl.algorithm_settings.power=0")


def test_a_loss_needs_no_registration():
    load_recipe(None, ["extensions=[focal_loss.py]"])
    Focal = extensions._LOADED["focal_loss.py"].Focal
    one = SimpleNamespace(logprobs=torch.tensor([[log(1 / 2), log(1 / 4)]]))
    batch, counts = {"loss_mask": torch.ones(1, 2)}, {"tokens": 2}
    by_hand = (1 / 4 * log(2) + 9 / 16 * log(4)) / 2
    assert Focal(2.0)(one, batch, counts).loss.item() == pytest.approx(by_hand)
    items = random_sequences([11, 40, 23, 9, 31, 17])
    loss, whole = gradient(items, 1, Focal(2.0), ranks=1, row_tokens=200, rows=8)
    for ranks, row_tokens, rows in [(1, 80, 1), (2, 64, 1)]:
        other_loss, other = gradient(items, 1, Focal(2.0), ranks=ranks, row_tokens=row_tokens, rows=rows)
        assert other_loss == pytest.approx(loss, rel=1e-5)
        assert (other - whole).abs().max() <= 1e-5 * max(1.0, whole.abs().max())
    plain, _ = gradient(items, 1, Focal(0.0), ranks=1, row_tokens=200, rows=8)
    assert plain == pytest.approx(gradient(items, 1, CrossEntropy(), ranks=1, row_tokens=200, rows=8)[0], rel=1e-5)


def test_a_loss_of_an_extension_reaches_processes_that_cannot_import_it(folder):
    import ray.cloudpickle

    load_recipe(None, ["extensions=[focal_loss.py]"])
    (folder / "loss.pickle").write_bytes(ray.cloudpickle.dumps(extensions._LOADED["focal_loss.py"].Focal(2.0)))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).gamma)"
    root = Path(snippets.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, folder / "loss.pickle"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "2.0", done.stderr


@pytest.fixture
def rows(folder):
    for name in ("cpt_mono", "cpt_parallel", "cpt_instructions", "sft", "rl"):
        write_lines(folder / "rows" / f"{name}.jsonl", [{"id": name, "text": f"A text of {name}."}])
    asked = {"role": "user", "content": "Translate: Haus"}
    excellent = [{"id": f"e{i}", "messages": [asked, {"role": "assistant", "content": f"house {i}"}]} for i in range(9)]
    write_lines(folder / "rows" / "excellent.jsonl", excellent)
    return "data={path: rows}"


def test_a_stage_is_planned_and_is_out_of_date_when_its_settings_change(folder, rows):
    run = RunFolder(folder / "run")
    planned = plan(recipe("polish_stage.py", rows), run)
    assert [stage.name for stage in planned] == ["base", "cpt", "sft", "polish", "rl"]
    polish = planned[3]
    assert (polish.parent, list(polish.data)) == ("sft", ["excellent.jsonl"])
    changed = plan(recipe("polish_stage.py", rows, "stage_settings.polish.learning_rate=1e-5"), run)
    same = plan(recipe("polish_stage.py", rows, "stage_settings.polish.checkpoint_every=7"), run)
    assert [old.fingerprint == new.fingerprint for old, new in zip(planned, changed, strict=True)] == [True] * 3 + [
        False
    ] * 2
    assert [stage.fingerprint for stage in same] == [stage.fingerprint for stage in planned]


def test_a_wrong_key_in_the_section_of_a_stage_is_named(folder, rows):
    wrong = recipe("polish_stage.py", rows, "stage_settings.polish.lerning_rate=1")
    with pytest.raises(RecipeError, match=r"^stage_settings\.polish: lerning_rate = 1: "):
        plan(wrong, RunFolder(folder / "run"))


class Learner:
    """Writes down what it trained on."""

    def __init__(self):
        self.steps, self.saved = [], None

    async def train_step(self, objectives, learning_rate):
        self.steps.append([unit[0].label for objective in objectives for unit in objective.units])
        return {"loss": 1.0}

    async def copy_checkpoint(self, folder, tag): ...

    async def write_checkpoint(self): ...

    async def save(self, folder):
        self.saved = folder


def test_a_stage_trains_on_its_batches_and_saves_its_model(folder, rows):
    chosen = recipe("polish_stage.py", rows)
    stage, run, learner = stages.find_stage("polish"), RunFolder(folder / "run"), Learner()
    run.root.mkdir()

    async def hold(model, optimiser):
        assert (model, optimiser.steps) == (run.model("sft"), 20)
        return learner

    tokenizer = train_tokenizer(["Translate: Haus house"], 300)
    sink = SimpleNamespace(log=lambda *a: None, rewind=lambda *a: None)
    session = SimpleNamespace(
        recipe=chosen,
        folder=run,
        data=folder / "rows",
        tokenizer=tokenizer,
        sink=sink,
        hold=hold,
        encoder=RowEncoder(tokenizer, RowLimit(chosen.learner.row_tokens), folder / "encoded"),
    )
    asyncio.run(stage.build(session, run.model("sft")))
    assert learner.saved == run.model("polish")
    assert len(learner.steps) == 20 and all("excellent.jsonl: row e" in label for label in learner.steps[0])
    again = stage.source(session)
    assert [unit[0].label for unit in again.batch(7)[0].units] == learner.steps[7]


class Grader:
    async def score_many(self, answers):
        return [Score(prompt.id, 1.0, (RewardResult("exact_match", 1.0),)) for prompt, _ in answers]


def test_a_task_requires_its_column_judges_and_stands_in_the_tables(folder):
    load_recipe(None, ["extensions=[glossary_task.py]"])
    row = {"task": "glossary", "messages": [{"role": "user", "content": "Say it."}], "reference": "the dragoman",
           "rewards": [{"kind": "exact_match", "args": {"reference": "the dragoman"}}], "term": "dragoman"}  # fmt: skip
    write_lines(folder / "terms.jsonl", [{**row, "id": "a"}, {**row, "id": "b"}])
    suite = load_suite(folder / "terms.jsonl")
    answers = {"a": "a dragoman", "b": "a guide"}

    async def generate(prompts):
        return [[answers[prompt.id]] for prompt in prompts]

    found = asyncio.run(evaluate([suite], generate, Grader(), StageTitle("sft", "fine-tuning")))
    assert found.suites[0].metrics["term_used"] == 0.5
    assert [column.text(column.value(found)) for column in columns_of([found]) if column.name == "term used"] == [
        "50.0"
    ]
    write_lines(folder / "terms.jsonl", [{"id": "a", **{k: v for k, v in row.items() if k != "term"}}])
    with pytest.raises(SuiteError, match="'term' is missing"):
        load_suite(folder / "terms.jsonl")


def test_a_data_source_writes_the_rows_of_a_run(folder):
    chosen, run = recipe("proverbs_source.py", "seed=4"), RunFolder(folder / "run")
    assert not data_ready(chosen, run)
    build_data(chosen, run)
    assert data_ready(chosen, run)
    assert [row.id for row in read_documents(run.data / "cpt_mono.jsonl")] == [f"4-{n}" for n in range(5)]
    assert not data_ready(recipe("proverbs_source.py", "seed=4", "data.sizes.count=6"), run)
    with pytest.raises(RecipeError, match=r"data\.sizes: count = 0 is not allowed"):
        recipe("proverbs_source.py", "data.sizes.count=0")

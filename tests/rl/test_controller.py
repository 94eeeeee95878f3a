"""The controller around fakes of its neighbours: order, staleness, refilling, errors, resuming."""

import asyncio
import json
import pickle
import random
from collections import defaultdict
from pathlib import Path

import pytest

from cluster.metrics import MetricsSink
from dragoman.data.rows import ParallelPair, Prompt
from dragoman.learner import Objective
from dragoman.learner.checkpoints import SnapshotFailed
from dragoman.learner.losses import CrossEntropy, PolicyGradient
from dragoman.rollout import Completion
from rewards import RewardResult, RewardSpec, Score, Span
from rl.algorithms import find_algorithm
from rl.controller import Controller, RunLog
from rl.failures import RlError
from rl.prompts import PromptSource
from rl.rollouts import GroupRollout
from rl.samples_log import SamplesLog
from rl.settings import RlSettings
from rl.token_credit import TokenCredit
from rl.update import Update

SETTINGS = RlSettings(
    steps=6, groups_per_step=3, samples=4, max_tokens=4, deadline_s=5.0, checkpoint_every=2, learning_rate=1.0,
    warmup_share=0.0, final_learning_rate_share=1.0, schedule="constant",
)  # fmt: skip


class FakeLearner:
    """Weights are the list of everything trained on."""

    def __init__(self):
        self.trained, self.die_at, self.write_takes = [], None, 0

    async def train_step(self, objectives, learning_rate):
        (units,) = [objective.units for objective in objectives if isinstance(objective.loss, PolicyGradient)]
        if self.die_at is not None and len(self.trained) == self.die_at:
            raise KeyboardInterrupt("killed")
        await asyncio.sleep(0)
        self.trained.append(sorted(tuple(s.token_ids.tolist()) + tuple(s.channels["advantages"]) for (s,) in units))
        return {"loss": 0.0, "entropy": 1.0, "logprob_max_abs_diff": 0.0}

    async def logprobs(self, units, temperature, frozen=None):
        return [s.channels["loss_mask"] * 0 - 1.0 for (s,) in units]

    async def save(self, folder):
        folder.mkdir(parents=True)
        (folder / "steps").write_text(str(len(self.trained)))

    async def copy_checkpoint(self, folder, tag):
        self.copied = folder / tag / "weights", pickle.dumps(self.trained)

    async def write_checkpoint(self):
        for _ in range(self.write_takes):
            await asyncio.sleep(0)
        file, content = self.copied
        file.write_bytes(content)

    async def load_checkpoint(self, folder, tag):
        self.trained = pickle.loads((folder / tag / "weights").read_bytes())


class FakeRollout:
    """Answers depend on the seed alone, arrive in random order, and carry the version."""

    def __init__(self):
        self.version, self.synced = 0, []

    async def generate(self, prompt, sampling, seed):
        version = self.version
        await asyncio.sleep(random.random() * 0.01)
        tokens = (seed % 50 + 1, seed % 7 + 1)
        return Completion(tokens, (-1.0, -1.0), str(seed), "stop", version, self.version)

    async def generate_group(self, prompt, sampling, seeds):
        async def answer(place, seed):
            return place, await self.generate(prompt, sampling, seed)

        for ended in asyncio.as_completed([answer(place, seed) for place, seed in enumerate(seeds)]):
            yield await ended

    async def logprobs(self, sequences):
        return [[-1.0] * (len(sequence) - 1) for sequence in sequences]

    async def sleep(self): ...

    async def sync(self, learner, version):
        await asyncio.sleep(0.02)
        self.version = version
        self.synced.append(version)
        return 0.0


class FakePools:
    def __init__(self, value=lambda seed: seed % 3 / 2, status="ok"):
        self.value, self.status = value, status

    async def score(self, prompt, response):
        value = self.value(int(response)) if self.status == "ok" else None
        return Score(prompt.id, value, (RewardResult("fake", value, self.status, "because"),))


@pytest.fixture
def ray_metrics(monkeypatch):
    """Ray's gauges need a cluster; the sink's files do not."""

    class Gauge:
        def __init__(self, *_, **__): ...

        def set(self, *_, **__): ...

    import ray.util.metrics

    monkeypatch.setattr(ray.util.metrics, "Gauge", Gauge)


class FakePtx:
    """Says which mini-batches it was asked for."""

    def __init__(self):
        self.asked = []

    def objective(self, step, part, parts):
        self.asked.append((step, part, parts))
        return Objective([], CrossEntropy(), {"tokens": 1.0}, weight=0.5, name="ptx")


def controller(folder: Path, pools=None, ptx=None, scores=None, **changes):
    settings = RlSettings.model_validate({**SETTINGS.model_dump(), **changes})
    asked = [Prompt(f"r{i}", ({"role": "user", "content": chr(97 + i)},), (), {}, "t") for i in range(20)]
    prompts = PromptSource(asked, [(97 + i,) for i in range(20)], seed=0)
    rollout = GroupRollout(FakeRollout(), pools or FakePools(), settings, seed=0)
    update = Update(FakeLearner(), find_algorithm(settings.algorithm)(settings), () if ptx is None else (ptx,))
    log = RunLog(MetricsSink(folder, "test"), SamplesLog(folder / "samples.jsonl"))
    credit = TokenCredit(update.algorithm, lambda ids: "".join(map(chr, ids)))
    made = Controller(
        prompts, rollout, update, log, credit, max_error_share=0.2, checkpoints=folder / "checkpoints",
        evaluator=None if scores is None else evaluator(rollout.sampler, scores),
    )  # fmt: skip
    return made


def evaluator(engines, scores):
    """Takes its time, and sees to it that the engines' weights are those that it was asked for, to its end."""

    async def measured(version):
        for _ in range(3):
            assert engines.version == version
            await asyncio.sleep(0.01)
        return {"score": scores[version]}

    return measured


def evaluations(folder):
    found = [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["evaluated_version"], line["score"], line["best_version"]) for line in found if "score" in line]


def test_on_policy_run_does_not_depend_on_the_order_of_answers(tmp_path, ray_metrics):
    runs = []
    for attempt in range(3):
        random.seed(attempt)
        (tmp_path / str(attempt)).mkdir()
        run = controller(tmp_path / str(attempt))
        asyncio.run(run.run())
        runs.append(run.trainer.trained)
    assert len(runs[0]) == 6
    assert runs[0] == runs[1] == runs[2]


def test_data_of_earlier_stages_stands_beside_every_optimiser_step(tmp_path, ray_metrics):
    ptx = FakePtx()
    run = controller(tmp_path, ptx=ptx, mini_batches=2)
    given = []
    take = run.trainer.train_step

    async def train_step(objectives, learning_rate):
        given.append([(type(objective.loss), objective.weight) for objective in objectives])
        return await take(objectives, learning_rate)

    run.trainer.train_step = train_step
    asyncio.run(run.run())
    assert ptx.asked == [(step, part, 2) for step in range(6) for part in range(2)]
    assert given == [[(PolicyGradient, 1.0), (CrossEntropy, 0.5)]] * 12


@pytest.mark.parametrize("staleness", [0, 2])
def test_versions_are_measured_beside_training_and_the_best_is_kept(tmp_path, ray_metrics, staleness):
    scores = {0: 0.2, 2: 0.5, 4: 0.9, 6: 0.3}
    changes = {"correction": {"kind": "truncate"}} if staleness else {}
    chosen = {"evaluation": {"every": 2, "keep": "best"}, "staleness": staleness, **changes}
    run = controller(tmp_path, scores=scores, **chosen)
    asyncio.run(run.run())
    assert evaluations(tmp_path) == [(0, 0.2, 0), (2, 0.5, 2), (4, 0.9, 4), (6, 0.3, 4)]
    assert run.evaluation.settle(tmp_path / "model") and (tmp_path / "model" / "steps").read_text() == "4"


def test_patience_ends_the_run_early(tmp_path, ray_metrics, capsys):
    run = controller(tmp_path, scores={v: 1 - v for v in range(7)}, evaluation={"every": 1, "patience": 2})
    asyncio.run(run.run())
    assert run.version == 3 and len(run.trainer.trained) == 3  # known to be enough when version 2 was measured
    assert "ended after step 3 of 6" in capsys.readouterr().out


def test_a_killed_run_measures_the_version_of_its_snapshot_and_goes_on(tmp_path, ray_metrics):
    scores, settings = {0: 0.2, 2: 0.5, 4: 0.4, 6: 0.3}, {"every": 2, "keep": "best"}
    run = controller(tmp_path, scores=scores, evaluation=settings)
    run.trainer.die_at = 5
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run.run())
    again = controller(tmp_path, scores=scores, evaluation=settings)
    asyncio.run(again.run())
    assert [found[0] for found in evaluations(tmp_path)][-2:] == [4, 6] and again.evaluation.best.version == 2
    assert again.evaluation.settle(tmp_path / "model") and (tmp_path / "model" / "steps").read_text() == "2"


def equal_for_most_prompts(seed):
    """Two of three groups teach nothing."""
    return seed % 3 / 2 if seed % 50 < 10 else 0.0


def test_a_step_trains_on_every_usable_group_of_its_waves_whatever_the_timing(tmp_path, ray_metrics):
    trained = []
    for attempt in range(3):
        random.seed(attempt)
        folder = tmp_path / str(attempt)
        folder.mkdir()
        run = controller(folder, FakePools(value=equal_for_most_prompts), steps=12, max_refill_factor=50.0)
        asyncio.run(run.run())
        trained.append(run.trainer.trained)
        steps = [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]
        rows = [json.loads(text) for text in (folder / "samples.jsonl").read_text().splitlines()]
        kept = [row for row in rows if not row["filtered"]]
        assert len(kept) // 4 == sum(s["groups_trained"] for s in steps)
        assert len(rows) // 4 == sum(s["groups_sampled"] for s in steps)  # those that were replaced are logged, too
        of_prompt = defaultdict(set)
        for row in rows:
            of_prompt[row["number"], row["filtered"]].add(row["reward"])
        assert all((len(rewards) == 1) == filtered for (_, filtered), rewards in of_prompt.items())
        for step in steps:  # the mean is of everything that was sampled, not of what was trained on
            rewards = [row["reward"] for row in rows if row["step"] == step["step"]]
            assert step["reward_mean"] == pytest.approx(sum(rewards) / len(rewards))
            wrong = [n for (n, out), found in of_prompt.items() if out and found == {0.0}]
            here = {row["number"] for row in rows if row["step"] == step["step"]}
            assert step["groups_all_wrong_share"] == pytest.approx(len(here & set(wrong)) / len(here))
        assert min(s["groups_trained"] for s in steps) >= 3
        assert run.buffer.next_prompt == sum(s["groups_sampled"] for s in steps)  # every prompt was asked once
    assert trained[0] == trained[1] == trained[2]


def test_without_waves_a_step_has_exactly_its_groups(tmp_path, ray_metrics):
    pools = FakePools(value=equal_for_most_prompts)
    asyncio.run(controller(tmp_path, pools, whole_waves=False, max_refill_factor=50.0).run())
    steps = [json.loads(text) for text in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [s["groups_trained"] for s in steps] == [3] * 6
    assert sum(s["groups_sampled"] for s in steps) > 18


def test_every_version_is_synchronised_once_and_in_order(tmp_path, ray_metrics):
    run = controller(tmp_path)
    asyncio.run(run.run())
    assert run.sampler.synced == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("staleness", [0, 1, 2])
def test_staleness_stays_within_its_bound(tmp_path, ray_metrics, staleness):
    run = controller(tmp_path, staleness=staleness, correction={"kind": "truncate"}, steps=12)
    asyncio.run(run.run())
    lines = [json.loads(text) for text in (tmp_path / "samples.jsonl").read_text().splitlines()]
    ages = [line["step"] - line["version"] for line in lines if not line["filtered"]]
    assert max(ages) <= staleness and min(ages) >= 0
    groups = sum(not line["filtered"] for line in lines) // 4
    assert groups == 12 * 3 if staleness else groups >= 12 * 3  # on-policy steps take whole waves


def test_killed_and_resumed_equals_uninterrupted(tmp_path, ray_metrics):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = controller(tmp_path / "a")
    asyncio.run(whole.run())
    first = controller(tmp_path / "b")
    first.trainer.die_at = 5  # after the snapshot of step 4
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(first.run())
    second = controller(tmp_path / "b")
    asyncio.run(second.run())
    assert second.trainer.trained == whole.trainer.trained
    assert (tmp_path / "a/samples.jsonl").read_text() == (tmp_path / "b/samples.jsonl").read_text()
    steps = [json.loads(text)["step"] for text in (tmp_path / "b/metrics.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4, 5]


def test_a_run_killed_while_a_snapshot_is_written_goes_on_from_the_one_before(tmp_path, ray_metrics):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = controller(tmp_path / "a")
    asyncio.run(whole.run())
    first = controller(tmp_path / "b")

    async def never_written():
        if (tmp_path / "b/checkpoints/step_00000002").exists():
            first.trainer.die_at = 5
            await asyncio.sleep(600)
        await FakeLearner.write_checkpoint(first.trainer)

    first.trainer.write_checkpoint = never_written  # the snapshot of step 4 is still being written when step 5 dies
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(first.run())
    assert not (tmp_path / "b/checkpoints/step_00000004").exists()
    second = controller(tmp_path / "b")
    asyncio.run(second.run())
    assert second.trainer.trained == whole.trainer.trained
    assert (tmp_path / "a/samples.jsonl").read_text() == (tmp_path / "b/samples.jsonl").read_text()


def test_engines_sleep_while_the_learner_trains_and_get_its_weights_before_they_are_asked(tmp_path, ray_metrics):
    run, order = controller(tmp_path), []
    generate, train, sync = run.sampler.generate, run.trainer.train_step, run.sampler.sync

    def noted(name, work):
        async def call(*arguments):
            order.append(name)
            return await work(*arguments)

        return call

    async def sleep():
        order.append("sleep")

    run.sampler.generate, run.trainer.train_step = noted("answer", generate), noted("train", train)
    run.sampler.sleep, run.sampler.sync = sleep, noted("sync", sync)
    asyncio.run(run.run())
    steps = [name for name in order if name != "answer"]
    assert steps == ["sync", *["sleep", "train", "sync"] * 6]
    for at, name in enumerate(order):  # nothing is asked of an engine that sleeps
        if name == "sleep":
            assert order[at + 1 : at + 3] == ["train", "sync"]


def test_a_snapshot_that_cannot_be_written_ends_the_run(tmp_path, ray_metrics):
    run = controller(tmp_path, steps=1000)

    async def full():
        raise OSError(28, "No space left on device")

    run.trainer.write_checkpoint = full
    with pytest.raises(SnapshotFailed, match=r"after step 2 could not be written.*No space left"):
        asyncio.run(run.run())
    assert run.version < 1000


def test_equal_rewards_are_refilled_and_endless_refilling_stops_with_advice(tmp_path, ray_metrics):
    run = controller(tmp_path, FakePools(value=lambda seed: 1.0))
    with pytest.raises(RlError, match=r"equal or unknown reward.*rl\.filter_equal_rewards=false"):
        asyncio.run(run.run())


def test_failing_verifiers_stop_the_run_with_an_example(tmp_path, ray_metrics):
    run = controller(tmp_path, FakePools(status="timeout"))
    with pytest.raises(RlError, match=r"100% of this step's reward checks failed.*fake: timeout \(because\)"):
        asyncio.run(run.run())


def test_a_missing_group_is_reported_by_its_prompt(tmp_path, ray_metrics):
    run = controller(tmp_path, deadline_s=0.3, whole_waves=False)

    async def never(*_):
        await asyncio.sleep(60)

    run.sampler.generate = never
    with pytest.raises(
        RlError, match=r"0 of 3 groups came within rl.deadline_s=0.3 s; still running are prompts \[0, 1, 2\]"
    ):
        asyncio.run(run.run())


def test_an_error_in_a_rollout_ends_the_run_with_that_error(tmp_path, ray_metrics):
    run = controller(tmp_path)

    async def broken(*_):
        raise ConnectionError("engine lost")

    run.sampler.generate = broken
    with pytest.raises(ConnectionError, match="engine lost"):
        asyncio.run(run.run())


class VersionedLearner(FakeLearner):
    """Log-probs say which weights they are of: minus the number of steps made."""

    async def logprobs(self, units, temperature, frozen=None):
        held = -float(len(self.trained))
        await asyncio.sleep(0.005)
        assert held == -float(len(self.trained)), "trained while it read"
        return [s.channels["loss_mask"] * 0 + held for (s,) in units]


class VersionedRollout(FakeRollout):
    """As the learner; some calls are slow. What is asked during a sync waits for the new weights."""

    def __init__(self, seconds=lambda call: 0.0):
        super().__init__()
        self.seconds, self.asked = seconds, 0

    async def logprobs(self, sequences):
        self.asked += 1
        await asyncio.sleep(self.seconds(self.asked))
        return [[-float(self.version)] * (len(sequence) - 1) for sequence in sequences]


def stale(folder, sampler, **changes):
    run = controller(folder, staleness=1, correction={"kind": "truncate"}, **changes)
    run.update = Update(VersionedLearner(), run.algorithm)
    run.trainer = run.probe.trainer = run.update.trainer
    run.sampler = run.probe.sampler = sampler
    run.rollout = GroupRollout(sampler, run.rollout.scorer, run.settings, seed=0)
    return run


def agreements(folder):
    """Step -> logged agreement, in the order of the file."""
    lines = [json.loads(text) for text in (folder / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line["agreement"] for line in lines if "agreement" in line}


def test_the_probe_measures_the_first_the_last_and_every_nth_step_on_one_version(tmp_path, ray_metrics, capsys):
    asyncio.run(stale(tmp_path, VersionedRollout(), steps=9, agreement_every=3).run())
    assert agreements(tmp_path) == {0: 0.0, 3: 0.0, 6: 0.0, 8: 0.0}
    assert "warning" not in capsys.readouterr().out
    steps = [json.loads(text) for text in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in steps if "reward_mean" in line] == list(range(9))


def test_a_slow_probe_stops_no_step_and_a_figure_of_two_versions_is_not_logged(tmp_path, ray_metrics):
    sampler = VersionedRollout()
    answer = sampler.logprobs

    async def slow(sequences):
        first = sampler.asked == 0
        found = await answer(sequences)
        while first and sampler.version < 4:  # for ever, if a step waited for it
            await asyncio.sleep(0.001)
        return await answer(sequences) if first else found

    sampler.logprobs = slow
    asyncio.run(asyncio.wait_for(stale(tmp_path, sampler, steps=12, agreement_every=1000).run(), 60))
    measured = agreements(tmp_path)
    assert set(measured.values()) == {0.0}
    assert 4 <= min(measured) < 11  # the first was overtaken by a sync, and begun again later
    assert max(measured) == 11


def test_the_last_figure_is_waited_for_even_behind_an_older_probe(tmp_path, ray_metrics):
    asyncio.run(stale(tmp_path, VersionedRollout(lambda call: 60.0 if call == 1 else 0.3)).run())
    assert agreements(tmp_path) == {5: 0.0}


def test_disagreement_warns_with_the_step_it_belongs_to(tmp_path, ray_metrics, capsys):
    sampler = VersionedRollout()
    right = sampler.logprobs

    async def off(sequences):
        return [[value + 0.25 for value in values] for values in await right(sequences)]

    sampler.logprobs = off
    asyncio.run(stale(tmp_path, sampler).run())
    assert agreements(tmp_path) == {0: 0.25, 5: 0.25}
    out = capsys.readouterr().out
    assert "warning: step 0: log-probs of engine and learner differ by up to 2.50e-01" in out and "step 5:" in out


@pytest.mark.parametrize("call", [1, 2], ids=["amid the run", "after the last step"])
def test_an_error_of_the_probe_ends_the_run(tmp_path, ray_metrics, call):
    sampler = VersionedRollout()

    async def lost(sequences):
        sampler.asked += 1
        if sampler.asked == call:
            raise ConnectionError("engine lost")
        return [[-float(sampler.version)] * (len(sequence) - 1) for sequence in sequences]

    sampler.logprobs = lost
    with pytest.raises(ConnectionError, match="engine lost"):
        asyncio.run(stale(tmp_path, sampler).run())


def test_on_policy_steps_are_compared_over_their_batch_and_ask_no_probe(tmp_path, ray_metrics):
    run = controller(tmp_path)
    run.sampler.logprobs = None
    asyncio.run(run.run())
    assert agreements(tmp_path) == dict.fromkeys(range(6), 0.0)


def test_an_answer_is_logged_with_its_direction(tmp_path, ray_metrics):
    run = controller(tmp_path, steps=1)
    for prompt in run.prompts.prompts[::2]:
        object.__setattr__(prompt, "pair", ParallelPair("de", "fr", "Haus", "maison"))
    asyncio.run(run.run())
    lines = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    assert {(int(line["id"][1:]) % 2, line["direction"]) for line in lines} <= {(0, "de-fr"), (1, None)}
    assert any(line["direction"] for line in lines)


class MarkingPools:
    """The same reward for every answer; the first letter of some is marked."""

    async def score(self, prompt, response):
        spans = (Span(0, 1, -1.0, "first letter"),) if ord(response[0]) % 2 else ()
        return Score(prompt.id, 0.5, (RewardResult("fake", 0.5, spans=spans),))


def test_spans_alone_teach_and_are_logged_with_both_shares(tmp_path, ray_metrics):
    run = controller(tmp_path, MarkingPools(), token_credit={"enabled": True, "normalise": False})
    for prompt in run.prompts.prompts:
        object.__setattr__(prompt, "specs", (RewardSpec("fake", 2.0),))

    async def generate(prompt, sampling, seed):
        tokens = (seed % 50 + 1, seed % 7 + 1)
        return Completion(tokens, (-1.0, -1.0), "".join(map(chr, tokens)), "stop", 0, 0)

    run.rollout.sampler.generate = generate
    asyncio.run(run.run())
    trained = [answer[-2:] for step in run.trainer.trained for answer in step]
    assert {tuple(map(float, credit)) for credit in trained} == {(-2.0, 0.0), (0.0, 0.0)}
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert all(line["credit/sequence"] == 0 and line["credit/spans"] > 0 for line in lines if "credit/spans" in line)
    assert sum("credit/spans" in line for line in lines) == 6
    samples = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    marked = [sample for sample in samples if sample["components"][0].get("spans")]
    assert marked and all(sample["advantage"] == -1.0 for sample in marked if not sample["filtered"])
    assert marked[0]["components"][0]["spans"] == [{"start": 0, "end": 1, "value": -1.0, "label": "first letter"}]

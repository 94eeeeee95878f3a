"""On-policy distillation: advantages by hand, gates, what a teacher must be, and the reverse KL that falls."""

import asyncio

import numpy as np
import pytest
from pydantic import ValidationError

from dragoman.data.rows import Prompt
from dragoman.learner.packing import TokenSequence
from dragoman.learner.trainer import TEACHER
from dragoman.pipeline.placement import placements
from dragoman.pipeline.run_command import open_recipe
from dragoman.recipes import load_recipe
from dragoman.rollout import Completion
from rewards import RewardResult, RewardSpec, Score
from rl.algorithms import find_algorithm
from rl.distillation import (
    Distillation,
    DistillationSettings,
    TeacherError,
    check_teacher,
    log_ratio,
    masked_mean,
    passes_gates,
    with_teacher,
)
from rl.groups import PromptVisit, Sample, ScoredGroup
from rl.settings import RlSettings
from rl.update import Update

SPECS = (RewardSpec("chrf"), RewardSpec("direction"))


def sequence(behaviour, advantages, mask=(0, 1, 1)):
    channels = {"loss_mask": mask, "advantages": advantages, "behaviour_logprobs": behaviour}
    arrays = {name: np.asarray(value, np.float32) for name, value in channels.items()}
    return TokenSequence(np.asarray([1, 7, 8], np.int32), arrays)


def test_the_teacher_adds_its_log_ratio_where_there_is_loss():
    one = sequence([0, -1.0, -2.0], [0, 0.5, 0.5])
    ratio = log_ratio(one, np.asarray([-9, -0.5, -4.0]))
    assert ratio[1:] == pytest.approx([0.5, -2.0])
    taught = with_teacher(one, ratio, coefficient=0.1)
    # .5 + .1 * .5 = .55; .5 - .1 * 2 = .3; the prompt stays 0
    assert taught.channels["advantages"] == pytest.approx([0, 0.55, 0.3])
    assert taught.channels["advantages"].dtype == np.float32


def test_means_are_of_tokens_with_loss():
    masks = [np.asarray([0, 1, 1]), np.asarray([0, 1, 0])]
    assert masked_mean([np.asarray([9, 1, 2]), np.asarray([9, 3, 9])], masks) == 2.0
    assert masked_mean([], []) == 0.0


def sample(index, direction, reward=1.0, status="ok", tokens=(7, 8)):
    done = Completion(tuple(tokens), (-1.0, -2.0)[: len(tokens)], "text", "stop", 0, 0)
    found = RewardResult("direction", direction, status)
    return Sample(index, done, Score("s", reward, (RewardResult("chrf", 0.5), found)))


def group_of(*samples):
    return ScoredGroup(PromptVisit(0, Prompt("row", (), SPECS, {}, "translation"), (1,)), samples, 0)


def test_an_answer_that_failed_a_gate_is_not_taught():
    right, wrong = sample(0, 1.0), sample(1, 0.0)
    unknown = sample(2, None, status="not_applicable")
    group = group_of(right, wrong, unknown)
    assert [passes_gates(group, s) for s in group.samples] == [True, False, True]


class FakeTrainer:
    """A teacher for whom every token has log-probability -1."""

    def __init__(self):
        self.asked, self.trained = [], []

    async def logprobs(self, units, temperature, frozen=None):
        self.asked.append((temperature, frozen))
        return [s.channels["loss_mask"] * -1.0 for (s,) in units]

    async def train_step(self, objectives, learning_rate):
        self.trained = [s.channels["advantages"].tolist() for (s,) in objectives[0].units]
        self.objectives = objectives
        return {"loss": 0.0, "logprob_max_abs_diff": 0.0}


def updated(*samples, algorithm="distillation", **distillation):
    trainer = FakeTrainer()
    teacher = DistillationSettings(**{"teacher": "t", "form": "sampled", **distillation})
    settings = RlSettings(algorithm=algorithm, samples=4, temperature=0.7, distillation=teacher)
    chosen = find_algorithm(algorithm)(settings)
    group = group_of(*samples)
    update = Update(trainer, chosen, (), Distillation(trainer, teacher, settings.temperature))
    metrics = asyncio.run(update(0, [group], chosen.credit([group])))
    return trainer, metrics, chosen.teaches(group)


def test_alone_the_teacher_is_all_credit_and_equal_rewards_teach():
    # log ratios -1 - (-1) = 0 and -1 - (-2) = 1, their mean 1/2; the answer in the wrong language learns nothing
    trainer, metrics, teaches = updated(sample(0, 1.0), sample(1, 0.0))
    assert teaches and trainer.trained == [[0, -0.5, 0.5], [0, 0, 0]]
    assert trainer.asked == [(0.7, TEACHER)] and metrics["taught_share"] == 0.5
    assert metrics["reverse_kl"] == pytest.approx(-0.5)
    ungated, _, _ = updated(sample(0, 1.0), sample(1, 0.0), gated=False)
    assert ungated.trained[1] == [0, -0.5, 0.5]


def test_the_mean_is_of_the_answers_that_are_taught():
    # the taught answer has one token of ratio 0, the other one, of 0 and 1, is not heard: nothing is left to teach
    trainer, metrics, _ = updated(sample(0, 1.0, tokens=(7,)), sample(1, 0.0))
    assert trainer.trained == [[0, 0.0], [0, 0, 0]]
    assert metrics["reverse_kl"] == pytest.approx(-1 / 3)


def test_beside_rewards_it_is_added_to_theirs():
    trainer, _, _ = updated(sample(0, 1.0, 1.0), sample(1, 1.0, 0.0), algorithm="dr_grpo", coefficient=0.5)
    # +-.5 of the group, and .5 * (-.5, .5)
    assert trainer.trained == [[0, 0.25, 0.75], [0, -0.75, -0.25]]


def test_an_answer_without_tokens_or_reward_keeps_the_others_their_own_teacher():
    trainer, _, _ = updated(sample(0, 0.0), sample(1, 1.0, tokens=()), sample(2, 1.0, reward=None), sample(3, 1.0))
    assert trainer.trained == [[0, 0, 0], [0, -0.5, 0.5]]


def test_distillation_without_a_teacher_is_refused():
    with pytest.raises(ValidationError, match=r"needs rl\.distillation\.teacher"):
        RlSettings(algorithm="distillation")


def test_a_loss_that_takes_one_advantage_an_answer_is_refused():
    teacher = DistillationSettings(teacher="t", form="sampled")
    with pytest.raises(ValidationError, match=r"rl\.distillation\.form=sampled gives each token.*gspo_token"):
        RlSettings(algorithm="gspo", distillation=teacher)
    said = find_algorithm("gspo_token")(RlSettings(algorithm="gspo_token", distillation=teacher)).described()
    assert "plus 1 × the teacher's log-ratio of each token" in said
    exact = RlSettings(algorithm="gspo", distillation=DistillationSettings(teacher="t", coefficient=0.3))
    assert "plus 0.3 × KL from the teacher" in find_algorithm("gspo")(exact).described()


def test_exact_marks_who_is_taught_and_the_loss_has_the_coefficient():
    trainer, metrics, _ = updated(sample(0, 1.0), sample(1, 0.0), form="exact", coefficient=0.3)
    assert trainer.asked == [] and metrics["taught_share"] == 0.5
    (objective,) = trainer.objectives
    assert [s.channels["taught"].tolist() for (s,) in objective.units] == [[1, 1, 1], [0, 0, 0]]
    assert objective.loss.teacher_coefficient == 0.3 and "divergence" in objective.loss.statistics
    plain, _, _ = updated(sample(0, 1.0), form="sampled")
    assert plain.objectives[0].loss.teacher_coefficient == 0 and "divergence" not in plain.objectives[0].loss.statistics


class FakeTokenizer:
    def __init__(self, **pieces):
        self.pieces = pieces

    def get_vocab(self):
        return self.pieces


def test_a_teacher_of_another_vocabulary_is_refused(tmp_path, monkeypatch):
    student = FakeTokenizer(a=0, b=1, c=2)
    with pytest.raises(TeacherError, match=r"no config\.json"):
        check_teacher(student, tmp_path / "base", tmp_path)
    (tmp_path / "config.json").write_text('{"vocab_size": 3}')
    (tmp_path / "base").mkdir()
    (tmp_path / "base/config.json").write_text('{"vocab_size": 3}')
    for teacher, words in (
        (FakeTokenizer(a=0, b=2, c=1), r"3 pieces against 3, 'b'"),
        (FakeTokenizer(a=0, b=1), "'c'"),
    ):
        monkeypatch.setattr("dragoman.learner.model.load_tokenizer", lambda folder, t=teacher: t)
        with pytest.raises(TeacherError, match=words):
            check_teacher(student, tmp_path / "base", tmp_path)
    monkeypatch.setattr("dragoman.learner.model.load_tokenizer", lambda folder: FakeTokenizer(c=2, b=1, a=0))
    check_teacher(student, tmp_path / "base", tmp_path)
    (tmp_path / "base/config.json").write_text('{"vocab_size": 8}')
    with pytest.raises(TeacherError, match=r"3 rows in its output head and the student 8.*form=sampled"):
        check_teacher(student, tmp_path / "base", tmp_path)


def test_a_teacher_counts_in_the_memory_of_a_learner_rank(tmp_path):
    from tests.learner.tiny import tiny_model

    model = tiny_model()
    model.save_pretrained(tmp_path)
    alone, taught = (
        placements(load_recipe(None, overrides))[0].memory_gib
        for overrides in ([], [f"rl.distillation.teacher={tmp_path}"])
    )
    stored = sum(parameter.numel() for parameter in model.parameters())  # the tied head once
    assert taught - alone == pytest.approx(4 * stored / 2**30, rel=1e-6)


def test_a_teacher_of_another_tokenizer_is_refused_with_the_recipe(tmp_path):
    from pretrain_sft.tokenizer import train_tokenizer
    from tests.learner.tiny import tiny_model

    for name, text in (("student", "abc"), ("teacher", "xyz")):
        tokenizer = train_tokenizer([text * 40], 300)
        model = tiny_model()
        model.resize_token_embeddings(len(tokenizer))
        model.config.eos_token_id, model.config.pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    sets = [f"model.path={tmp_path / 'student'}", "model.context=128", "data.builder=null", f"data.path={tmp_path}"]
    sets += ["rl.algorithm=distillation"]
    with pytest.raises(TeacherError, match="another tokenizer"):
        open_recipe(None, [*sets, f"rl.distillation.teacher={tmp_path / 'teacher'}"], str(tmp_path), None)
    open_recipe(None, [*sets, f"rl.distillation.teacher={tmp_path / 'student'}"], str(tmp_path), None)

"""A reward as a metric of Hugging Face's evaluate: sacrebleu's own chrF, and None where nothing could be computed."""

import evaluate
import pytest
import sacrebleu

from rewards.doors.adapters.hugging_face import RewardMetric

ANSWERS = ["Der Zug fährt ab.", "Das Buch"]
REFERENCES = ["Der Zug fährt heute ab.", "Das Buch"]


def test_a_reward_is_a_metric_of_evaluate(local_ray):
    metric = RewardMetric("chrf", columns=["references"])
    found = metric.compute(predictions=ANSWERS, references=REFERENCES)
    expected = [sacrebleu.sentence_chrf(a, [r]).score / 100 for a, r in zip(ANSWERS, REFERENCES, strict=True)]
    assert found["rewards"] == pytest.approx(expected, abs=1e-6) and found["failed"] == 0
    assert found["reward"] == pytest.approx(sum(expected) / 2, abs=1e-6)
    metric.add(prediction=ANSWERS[1], reference=REFERENCES[1])  # row by row, as evaluation loops do
    assert metric.compute()["reward"] == pytest.approx(1.0)
    assert isinstance(metric, evaluate.Metric)


def test_a_reward_that_does_not_apply_is_left_out(local_ray):
    metric = RewardMetric("mt_instructions", columns=["source"], args={"instructions": [{"id": "mt:numbers"}]})
    found = metric.compute(predictions=["zwölf", "12 Euro"], source=["twelve", "12 euros"])
    assert found["rewards"][0] is None and found["reward"] == found["rewards"][1] == 1.0

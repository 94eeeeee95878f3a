"""Evaluations beside training: when, on which version, what is kept, when it is enough."""

import asyncio

import pytest
from pydantic import ValidationError

from rl.evaluation import Best, PeriodicEvaluation, PeriodicSettings


class Trainer:
    """Writes its version."""

    def __init__(self):
        self.version = 0

    async def save(self, folder):
        folder.mkdir(parents=True)
        (folder / "weights").write_text(str(self.version))


def evaluation(tmp_path, scores, **settings):
    trainer, reported = Trainer(), {}

    async def evaluator(version):
        await asyncio.sleep(0.01)
        assert version == trainer.version or settings.get("overlap")
        return {"score": scores[version], "chrf": 1.0}

    chosen = PeriodicSettings(**{k: v for k, v in settings.items() if k != "overlap"})
    made = PeriodicEvaluation(
        trainer, evaluator, chosen, tmp_path / "candidates", lambda task: None, reported.__setitem__
    )
    return made, trainer, reported


async def train(made, trainer, steps):
    await made.begin(0)
    for version in range(1, steps + 1):
        if made.has_seen_enough:
            break
        await made.engines_are_free()
        trainer.version = version
        await made.begin(version, last=version == steps)
    await made.engines_are_free()


def test_the_best_version_is_kept_and_the_others_are_removed(tmp_path):
    scores = {0: 0.3, 2: 0.5, 4: 0.5, 6: 0.4, 7: 0.45}
    made, trainer, reported = evaluation(tmp_path, scores, every=2, keep="best")
    asyncio.run(train(made, trainer, 7))
    assert list(reported) == [0, 2, 4, 6, 7]  # the last one, too
    assert [found["best_version"] for found in reported.values()] == [0, 2, 2, 2, 2]  # the earlier of equals
    assert [p.name for p in (tmp_path / "candidates").iterdir()] == ["version-000002"]
    assert made.settle(tmp_path / "model")
    assert (tmp_path / "model" / "weights").read_text() == "2" and not (tmp_path / "candidates").exists()


def test_patience_ends_it_and_the_last_version_needs_no_candidates(tmp_path):
    made, trainer, reported = evaluation(tmp_path, {v: -v for v in range(20)}, every=1, patience=3)
    asyncio.run(train(made, trainer, 19))
    # versions 1 to 3 were no better than 0; the third is known when the engines are free for version 4
    assert list(reported) == [0, 1, 2, 3, 4] and made.has_seen_enough
    assert not (tmp_path / "candidates").exists() and not made.settle(tmp_path / "model")


def test_a_resumed_stage_goes_on_from_its_snapshot(tmp_path):
    scores = {0: 0.3, 2: 0.5, 4: 0.6}
    made, trainer, _ = evaluation(tmp_path, scores, every=2, keep="best")
    asyncio.run(train(made, trainer, 4))
    again, trainer, reported = evaluation(tmp_path, scores, every=2, keep="best")
    trainer.version = 4
    (tmp_path / "candidates" / "version-000006").mkdir()  # of a version that the snapshot does not know
    again.restore(made.best)
    assert made.best == Best(4, 0.6, 4) and [p.name for p in again.folder.iterdir()] == ["version-000004"]

    async def goes_on():
        await again.begin(4)  # was measured: nothing
        await again.engines_are_free()

    asyncio.run(goes_on())
    assert not reported


def test_without_a_period_nothing_happens_and_its_other_keys_are_refused(tmp_path):
    made, trainer, reported = evaluation(tmp_path, {})
    asyncio.run(train(made, trainer, 3))
    assert not reported and not made.has_seen_enough and not made.settle(tmp_path / "model")
    for wrong in ({"keep": "best"}, {"patience": 2}):
        with pytest.raises(ValidationError, match=r"needs scores to go by; set rl\.evaluation\.every"):
            PeriodicSettings(**wrong)

"""Our metrics load from their folders as Hugging Face `evaluate` modules, without a network."""

import evaluate
import pytest
import sacrebleu

from dragoman.evaluation.modules import MODULES, module_path
from tests.evaluation.sentences import ENGLISH, GERMAN


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    """Modules are copied into one folder of the process; it is this test's own."""
    patch, folder = pytest.MonkeyPatch(), tmp_path_factory.mktemp("evaluate")
    patch.setattr(evaluate.config, "HF_MODULES_CACHE", folder / "modules")
    patch.setattr(evaluate.config, "HF_METRICS_CACHE", folder / "metrics")
    yield
    patch.undo()


def compute(name, **given):
    module = evaluate.load(module_path(name), cache_dir=str(given.pop("cache")))
    return module.compute(target="de", source="en", **given)


def test_the_gated_chrf_is_sacrebleus_where_nothing_is_gated(tmp_path):
    answers = [*GERMAN[:8], ENGLISH[8], "Das Wetter wird kalt."]
    found = compute("gated_chrf", predictions=answers, references=GERMAN, sources=ENGLISH, cache=tmp_path)
    gated = [*answers[:8], "", answers[9]]
    assert found == {"gated_chrf": pytest.approx(sacrebleu.corpus_chrf(gated, [GERMAN]).score), "closed": 1.0}


def test_off_target_counts_what_is_in_another_language(tmp_path):
    answers = [*GERMAN[:6], *ENGLISH[6:]]
    found = compute("off_target", predictions=answers, sources=ENGLISH, cache=tmp_path)
    assert found["off_target"] == pytest.approx(0.4) and found["off_target_second"] == pytest.approx(0.4)


def test_adequacy_is_one_for_references_and_lower_for_others(tmp_path):
    right = compute("adequacy", predictions=GERMAN, references=GERMAN, sources=ENGLISH, cache=tmp_path)
    wrong = compute("adequacy", predictions=GERMAN[1:] + GERMAN[:1], references=GERMAN, sources=ENGLISH, cache=tmp_path)
    assert right["adequacy"] == pytest.approx(1.0, abs=0.02) and wrong["adequacy"] < 0.5


def test_what_is_no_module_is_refused():
    assert len(MODULES) == 3
    with pytest.raises(ValueError, match="there are gated_chrf"):
        module_path("bleu")

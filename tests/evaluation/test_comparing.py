"""Systems whose order is known: the headline must rank them so, and ranks must say no more than the tests."""

import asyncio
import io
from random import Random

import pytest

from dragoman.evaluation.answering import Decoding, OutputsAnswerer
from dragoman.evaluation.comparing import CompareError, compare_systems, write_comparison
from dragoman.evaluation.comparison_tables import comparison_tables, suite_tables
from dragoman.evaluation.local_scorer import LocalScorer
from dragoman.evaluation.outcomes import Evaluation
from dragoman.evaluation.standalone import Job, run_job
from tests.evaluation.sentences import ENGLISH, GERMAN
from tests.evaluation.test_suite_files import load

ROWS = 60
FRAMES = {"de": "{} Das wissen wir seit {} Tagen.", "en": "{} We have known that for {} days."}
SUITE = """
sources: {path: a.en, references: [a.de], languages: [en, de]}
metrics: [chrf, off_target, copies, numbers, comet]
"""


def rows(language):
    sentences = GERMAN if language == "de" else ENGLISH
    return [FRAMES[language].format(sentences[n % 10], n + 2) for n in range(ROWS)]


def noised(text, random):
    words = text.split()
    wrong = set(random.sample(range(len(words)), len(words) // 2))
    return " ".join("Wort" if n in wrong else word for n, word in enumerate(words))


def reference_systems():
    random, german, english = Random(3), rows("de"), rows("en")
    return {
        "oracle": german,
        "half-noised": [noised(text, random) for text in german],
        "random": [german[(n + 7) % ROWS] for n in range(ROWS)],
        "copy": english,
        "off-target": ["Nous le savons depuis plusieurs jours, et le train part lundi du quai numéro deux."] * ROWS,
        "omission": [" ".join(text.split()[: len(text.split()) // 2]) for text in german],
    }


@pytest.fixture(scope="module")
def systems(tmp_path_factory):
    folder = tmp_path_factory.mktemp("systems")
    loaded = load(folder, SUITE.replace(", comet", ""), a_en=rows("en"), a_de=rows("de"))
    found = {}
    for name, answers in reference_systems().items():
        path = folder / f"{name}.txt"
        path.write_text("".join(f"{answer}\n" for answer in answers))
        answerer = OutputsAnswerer(path, [prompt.id for prompt in loaded.suite.prompts])
        job = Job((loaded,), answerer, Decoding())
        found[name] = asyncio.run(run_job(job, None, LocalScorer(), lambda title, done, total: None))
    return found


def value(evaluation, name):
    return next(v.value for v in evaluation.suites[0].measured if v.name == name)


def test_the_headline_ranks_reference_systems_as_they_are_known(systems):
    scores = {name: value(evaluation, "gated_chrf") for name, evaluation in systems.items()}
    assert scores["oracle"] == 100
    assert scores["oracle"] > scores["half-noised"] > scores["random"] > scores["copy"]
    assert scores["oracle"] > scores["omission"] > scores["random"] > scores["off-target"]
    # without the gate a copy would be paid for the letters that languages share
    assert value(systems["copy"], "chrf") > 10 and scores["copy"] == 0 == scores["off-target"]
    assert value(systems["copy"], "copies") == 1.0 and value(systems["off-target"], "off_target") == 1.0


def test_ranks_are_clusters_that_the_tests_tell_apart(systems, tmp_path):
    found = compare_systems({name: [one] for name, one in systems.items()}, resamples=1_000)
    ranks = {place.system: place.rank for place in found.places}
    assert (ranks["oracle"], ranks["random"]) == (1, 4)
    assert ranks["copy"] == ranks["off-target"] == 5  # both 0: nothing tells them apart
    assert len(found.pairs) == 15 and all(p.p_randomised <= p.p_holm for p in found.pairs)
    write_comparison(found, tmp_path)
    assert (tmp_path / "comparison.csv").read_text().count("\n") == 16 and (tmp_path / "comparison.json").is_file()


def test_tables_fit_eighty_columns(systems, tmp_path):
    from rich.console import Console

    found = compare_systems({name: [one] for name, one in systems.items()}, resamples=200)
    trained = {"half-noised": [systems["half-noised"], systems["omission"]], "oracle": [systems["oracle"]] * 2}
    seeds = compare_systems(trained, resamples=200)
    console = Console(width=80, record=True, file=io.StringIO())
    for table in [*comparison_tables(found), *comparison_tables(seeds), *suite_tables(systems["oracle"])]:
        console.print(table)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "100.0 ± 0.0 (2 seeds)" in text and "over rows and training seeds" in text
    assert "oracle → half-noised" in text and "chrF, gated" in text and "nrefs:1" in text


def test_an_evaluation_reads_back_as_it_was_written(systems, tmp_path):
    systems["copy"].save(tmp_path)
    again = Evaluation.load(tmp_path)
    assert again.suites == systems["copy"].suites
    assert [o.response for o in again.outcomes] == [o.response for o in systems["copy"].outcomes]
    with pytest.raises(CompareError, match="share no suite"):
        compare_systems({"a": [again], "b": [Evaluation(again.shown, (), ())]})


def test_a_metric_whose_model_is_missing_is_empty_with_the_reason(tmp_path):
    loaded = load(tmp_path, "metrics: [adequacy]\n" + SUITE.splitlines()[1].replace("[en, de]", "[en, hu]") + "\n",
                  a_en=ENGLISH, a_de=GERMAN)  # fmt: skip
    path = tmp_path / "o.txt"
    path.write_text("".join(f"{line}\n" for line in GERMAN))
    job = Job((loaded,), OutputsAnswerer(path, [p.id for p in loaded.suite.prompts]), Decoding())
    found = asyncio.run(run_job(job, None, LocalScorer(), lambda title, done, total: None))
    adequacy = next(v for v in found.suites[0].measured if v.name == "adequacy")
    assert adequacy.value is None and "does not know hu" in adequacy.reason


def test_trainings_of_one_system_are_compared_over_their_seeds(systems):
    """Two trainings each: their mean, their standard deviation, and the test of rows and seeds in place of rows'."""
    shown = {"weak": [systems["random"], systems["copy"]], "strong": [systems["oracle"], systems["half-noised"]]}
    found = compare_systems(shown, resamples=200)
    (pair,) = found.pairs
    values = {name: [value(one, "gated_chrf") for one in trainings] for name, trainings in shown.items()}
    assert pair.value_b == pytest.approx(sum(values["strong"]) / 2) and (pair.seeds_a, pair.seeds_b) == (2, 2)
    assert pair.p == pair.p_seeds == pair.p_holm and pair.p_randomised is None is pair.p_bootstrap
    strong = next(place for place in found.places if place.system == "strong")
    assert strong.seeds == 2 and strong.spread == pytest.approx(abs(values["strong"][0] - values["strong"][1]) / 2**0.5)
    assert {place.rank for place in found.places} == {1}  # so few and so different trainings tell nothing apart
    texts = [cell for table in comparison_tables(found) for column in table.columns for cell in column.cells]
    assert f"{strong.value:.1f} ± {strong.spread:.1f} (2 seeds)" in texts

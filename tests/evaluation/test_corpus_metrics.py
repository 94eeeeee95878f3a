"""Corpus metrics against sacrebleu itself, the published estimator, and counts made by hand."""

import asyncio
from itertools import combinations

import numpy as np
import pytest
import sacrebleu

from dragoman.data.rows import Prompt
from dragoman.evaluation.comparison import columns_of
from dragoman.evaluation.corpus_metrics import CorpusMetric, MetricError, find_metric, register_metric
from dragoman.evaluation.corpus_metrics.kinds import with_kinds
from dragoman.evaluation.corpus_metrics.sampled import pass_at_k
from dragoman.evaluation.corpus_metrics.surface import tokenizer_of
from dragoman.evaluation.intervals import interval, with_interval
from dragoman.evaluation.outcomes import Evaluation, Outcome, Sampled, StageTitle, SuiteResult
from dragoman.evaluation.report.viewer import evaluation_rows
from rewards.records import RewardResult, Score, Span

ANSWERS = ["Der Zug fährt am Montag ab.", "", "Das Buch", "xyz", "Le train part lundi du quai deux.", "a b c d e f"]
REFERENCES = [
    "Der Zug fährt am Dienstag ab.", "Die Reise dauert drei Wochen.", "Das Buch", "Die Schule ist weit weg.",
    "Le train part lundi du quai douze.", "a b c d f",
]  # fmt: skip
SECOND = ["Am Montag fährt der Zug.", None, None, "Die Schule liegt weit weg.", None, "a c"]
WHOLE = {
    "chrf": lambda h, r: sacrebleu.corpus_chrf(h, r).score,
    "chrf++": lambda h, r: sacrebleu.corpus_chrf(h, r, word_order=2).score,
    "bleu": lambda h, r: sacrebleu.corpus_bleu(h, r).score,
    "ter": lambda h, r: sacrebleu.corpus_ter(h, r).score,
}


def outcome(number, response, reference, source="x", **more):
    base = {
        "id": f"r{number}", "suite": "s", "task": "translation", "heldout": "", "prompt": "p", "reward": None,
        "source_language": "en", "target_language": "de",
    }  # fmt: skip
    return Outcome(**{**base, "response": response, "reference": reference, "source": source, **more})


def rows(second=False):
    return [
        outcome(n, a, r, more_references=(s,) if second and s else ())
        for n, (a, r, s) in enumerate(zip(ANSWERS, REFERENCES, SECOND, strict=True))
    ]


@pytest.mark.parametrize("name", WHOLE)
def test_figures_are_sacrebleus_with_one_and_with_several_references(name):
    found = find_metric(name).measure(rows())
    assert found.value == WHOLE[name](ANSWERS, [REFERENCES]) and "version:2.6.0" in found.signature
    assert find_metric(name).measure(rows(second=True)).value == WHOLE[name](ANSWERS, [REFERENCES, SECOND])


@pytest.mark.parametrize("name", WHOLE)
def test_the_formula_over_counts_equals_sacrebleu_on_every_choice_of_rows(name):
    metric, whole = find_metric(name), rows()
    counts = metric.counts(whole)
    for size in (1, 2, 3, 6):
        for chosen in combinations(range(6), size):
            expected = WHOLE[name]([ANSWERS[n] for n in chosen], [[REFERENCES[n] for n in chosen]])
            found = metric.score(counts[list(chosen)].sum(axis=0, keepdims=True))[0]
            assert found == pytest.approx(expected, abs=1e-4), chosen


def test_bleu_without_matches_of_several_orders_is_smoothed_as_sacrebleus():
    answers, references = ["a b c d e f g", "h i j k l"], ["g a b f d c e", "l k j i h"]
    pairs = zip(answers, references, strict=True)
    counts = find_metric("bleu").counts([outcome(n, a, r) for n, (a, r) in enumerate(pairs)])
    expected = [sacrebleu.corpus_bleu([a], [[r]]).score for a, r in zip(answers, references, strict=True)]
    assert find_metric("bleu").score(counts) == pytest.approx(expected) and all(expected)


def test_bleu_takes_the_target_languages_tokenizer_and_has_no_figure_across_several():
    chinese = [outcome(0, "火车星期一开。", "火车星期二开。", target_language="zh")]
    found = find_metric("bleu").measure(chinese)
    assert found.value == sacrebleu.corpus_bleu(["火车星期一开。"], [["火车星期二开。"]], tokenize="zh").score
    assert "tok:zh" in found.signature and tokenizer_of("th") == "char" and tokenizer_of("pt_BR") == "13a"
    mixed = find_metric("bleu").measure(chinese + rows())
    assert mixed.value is None and "different tokenizers (13a, zh)" in mixed.reason


def test_what_cannot_be_computed_is_empty_with_its_reason():
    assert find_metric("chrf").measure([]).reason == "no rows"
    assert find_metric("chrf").measure([outcome(0, "a", "")]).reason == "there is a row without a reference"
    numberless = find_metric("numbers").measure(rows())
    assert numberless.value is None and numberless.reason == "no source has numbers"
    spbleu = find_metric("spbleu").measure(rows())
    assert spbleu.value is not None or "not on this machine" in spbleu.reason
    with pytest.raises(MetricError, match="did you mean 'chrf'"):
        find_metric("chrff")


def test_audits_count_what_went_wrong():
    found = [
        outcome(0, "Der Zug 12 fährt ab.", "Der Zug 12 fährt.", "Train 12 leaves Berlin now.", on_target=True),
        outcome(1, "Train 13 leaves Berlin.", "Zug 13 verlässt Berlin.", "Train 13 leaves Berlin.", on_target=False),
        outcome(2, "ha la ha la ha la ha la ha la ha la", "Guten Tag", "Good day", on_target=None),
        outcome(3, "", "14 Tage", "14 days", on_target=False),
    ]
    values = {n: find_metric(n).measure(found).value for n in ("off_target", "copies", "repetition", "empty")}
    assert values == {"off_target": 2 / 3, "copies": 1 / 4, "repetition": 1 / 4, "empty": 1 / 4}
    assert find_metric("numbers").measure(found).value == pytest.approx(2 / 3)
    assert find_metric("names").measure(found).value == 1.0  # Berlin, where the reference has it too
    assert find_metric("off_target").measure(found).signature == "rows:3 of 4"


def test_pass_at_k_is_the_chance_that_one_of_k_drawn_samples_passes():
    for n in range(1, 8):
        for c in range(n + 1):
            for k in range(1, n + 1):
                draws = list(combinations([True] * c + [False] * (n - c), k))
                assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    # the product of Chen et al. 2021, figure 3
    assert pass_at_k(200, 13, 10) == pytest.approx(1.0 - np.prod(1.0 - 10 / np.arange(200 - 13 + 1, 200 + 1)))
    with pytest.raises(ValueError, match="1 <= k <= n"):
        pass_at_k(3, 1, 4)


def test_pass_at_k_of_a_suite_leaves_out_rows_with_too_few_samples():
    three = tuple(Sampled("x", None, correct) for correct in (True, False, False))
    one = outcome(0, "x", "x", correct=True, samples=three)
    two = outcome(1, "x", "x", correct=True)
    assert find_metric("pass@1").measure([one, two]).value == pytest.approx((1 / 3 + 1) / 2)
    assert find_metric("pass@2").measure([one, two]).value == pytest.approx(2 / 3)
    assert "ask for --samples 4" in find_metric("pass@4").measure([one, two]).reason


def test_rules_are_worth_as_much_as_the_translation_that_keeps_them():
    """By hand: 0.5 x 0.8, 1 x 0 (off target), 0 whatever its quality, and one whose adequacy is not known."""
    judged = [
        outcome(0, "a", "b", share=0.5, correct=False, on_target=True, measures={"adequacy": 0.8}),
        outcome(1, "a", "b", share=1.0, correct=True, on_target=False, measures={"adequacy": 0.9}),
        outcome(2, "a", "b", share=0.0, correct=False, on_target=True, measures={"adequacy": None}),
        outcome(3, "a", "b", share=1.0, correct=True, on_target=True, measures={"adequacy": None}),
        outcome(4, "a", "b", share=None, correct=None, on_target=True, measures={"adequacy": 0.7}),
    ]
    both = find_metric("if_mt").measure(judged)
    assert both.value == pytest.approx(0.4 / 3) and both.signature == "rows:3 of 5" and both.unit == "percent"
    assert find_metric("rules").measure(judged).value == pytest.approx(2.5 / 4)
    assert find_metric("strict").measure(judged).value == pytest.approx(2 / 4)
    unjudged = find_metric("strict").measure(judged[4:])
    assert unjudged.value is None and unjudged.reason == "no row has rules that could be checked"
    suite = SuiteResult("s", "mt_instructions", {}, measured=(both,))
    (column, *_) = columns_of([Evaluation(StageTitle("m", "m"), (suite,), ())])
    assert column.optimised_by == ("mt_instructions", "adequacy")


def test_a_metric_from_outside_is_found_by_its_name():
    class Shouting(CorpusMetric):
        name, title = "shouting", "shouting"

        def counts(self, outcomes):
            return np.asarray([[sum(map(str.isupper, o.response)), len(o.response)] for o in outcomes], float)

        def score(self, summed):
            return 100 * summed[:, 0] / np.maximum(summed[:, 1], 1)

    register_metric(Shouting())
    assert find_metric("shouting").measure([outcome(0, "ABcd", "x")]).value == 50.0


class Marking:
    """A scorer that finds a minor fault at the beginning of every answer that has one."""

    async def score_many(self, answers):
        return [self._score(prompt, answer) for prompt, answer in answers]

    def _score(self, prompt, answer):
        spans = (Span(0, 2, -1.0, "minor"),) if answer.startswith("D") else ()
        return Score(prompt.id, 0.5, (RewardResult(prompt.specs[0].kind, 0.5, spans=spans),))


def test_what_a_metric_marks_is_kept_and_shown(tmp_path):
    asked = [Prompt(o.id, ({"role": "user", "content": "p"},), (), {}) for o in rows()]
    found = asyncio.run(with_kinds(list(zip(asked, rows(), strict=True)), {"comet_kiwi": {}}, Marking())).outcomes
    assert [len(o.marks) for o in found] == [1, 0, 1, 0, 0, 0] and found[1].measures == {"comet_kiwi": 0.5}
    Evaluation(StageTitle("m", "m"), (SuiteResult("s", "translation", {}),), found).save(tmp_path)
    kept = Evaluation.load(tmp_path)
    assert kept.outcomes == found
    (shown,) = evaluation_rows([kept])[0].answers["m"].components
    assert (shown.kind, shown.spans) == ("comet_kiwi", (Span(0, 2, -1.0, "minor"),))


@pytest.mark.parametrize(
    ("count", "right", "wanted"),  # Clopper and Pearson's exact limits, as in printed tables
    [(10, 0, (0.0, 0.3085)), (50, 0, (0.0, 0.0711)), (10, 10, (0.6915, 1.0))],
)
def test_a_share_without_spread_has_the_exact_binomial_interval(count, right, wanted):
    answers = [outcome(n, "a", "b", correct=n < right) for n in range(count)]
    assert interval("accuracy", answers) == pytest.approx(wanted, abs=5e-5)
    together = [outcome(n, "a", "b", correct=n < right, cluster=str(n // 2)) for n in range(count)]
    low, high = interval("accuracy", together)
    assert (low, high) == pytest.approx(interval("accuracy", answers[: count // 2]))  # half as many that count
    metric = find_metric("off_target")
    on_target = [outcome(n, "a", "b", on_target=n >= right) for n in range(count)]
    found = with_interval(metric, on_target)
    assert (found.low, found.high) == pytest.approx(wanted, abs=5e-5)


def test_a_share_with_spread_and_what_is_no_share_are_resampled():
    some = [outcome(n, "a", "b", correct=n == 0, reward=0.0) for n in range(10)]
    low, high = interval("accuracy", some)
    assert low == 0 and high == pytest.approx(0.3)
    assert interval("reward_greedy", some) == (0, 0)

"""Metrics against sacrebleu itself and against files whose counts are known by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sacrebleu

from dragoman.data.rows import Prompt, prompt_of
from dragoman.evaluation.chrf import corpus_chrf, corpus_scores, segment_counts
from dragoman.evaluation.evaluate import evaluate
from dragoman.evaluation.metrics import metrics_of
from dragoman.evaluation.outcomes import Evaluation, Outcome, StageTitle
from dragoman.evaluation.suites import Suite
from dragoman.evaluation.tasks import find_task
from dragoman.text.identification import is_on_target
from rewards.records import RewardResult, Score

HYPOTHESES = ["Der Zug fährt am Montag ab.", "", "Das Buch", "xyz", "Le train part lundi du quai deux.", "a"]
REFERENCES = [
    "Der Zug fährt am Dienstag ab.", "Die Reise dauert drei Wochen.", "Das Buch", "Die Schule ist weit weg.",
    "Le train part lundi du quai douze.", "ab",
]  # fmt: skip


def test_corpus_chrf_is_sacrebleus() -> None:
    assert corpus_chrf(HYPOTHESES, REFERENCES) == sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score
    assert corpus_chrf([], []) is None


def test_chrf_from_counts_equals_sacrebleu_on_every_part_of_a_corpus() -> None:
    counts = segment_counts(HYPOTHESES, REFERENCES)
    for size in range(1, len(HYPOTHESES) + 1):
        expected = sacrebleu.corpus_chrf(HYPOTHESES[:size], [REFERENCES[:size]]).score
        found = corpus_scores(counts[:size].sum(axis=0, keepdims=True))[0]
        assert found == pytest.approx(expected, abs=1e-9), size


def test_orders_longer_than_every_hypothesis_are_left_out_as_in_sacrebleu() -> None:
    short, long = ["ab", "c"], ["abcdefgh", "cde"]
    found = corpus_scores(segment_counts(short, long).sum(axis=0, keepdims=True))[0]
    assert found == pytest.approx(sacrebleu.corpus_chrf(short, [long]).score, abs=1e-9)


MIXED = [
    # target, response, (on target, language)
    ("de", "Der Zug fährt am Mittwoch von Gleis acht ab.", (True, "de")),
    ("de", "Die Reise dauert drei Wochen und kostet zwölf Euro.", (True, "de")),
    ("de", "The train leaves on Wednesday from platform eight.", (False, "en")),
    ("de", "Le train part mercredi du quai numéro huit.", (False, "fr")),
    ("fr", "Le voyage dure trois semaines et coûte douze euros.", (True, "fr")),
    ("fr", "The trip lasts three weeks and costs twelve euros.", (False, "en")),
    ("fr", "The hotel is open until the end of the month.", (False, "en")),
    ("fr", "", (False, "und")),
    ("es", "El museo está cerrado en el mes de octubre.", (True, "es")),
    ("es", "Le musée est fermé pendant le mois d'octobre.", (False, "fr")),
]
"""Ten translations, from German into French, else from French: 4 right, 3 English, 2 French, 1 empty."""


def translation(number: int, target: str, reference: str, source: str = "", **changes: str) -> Prompt:
    row = {
        "id": f"t{number}",
        "task": "translation",
        "messages": [{"role": "user", "content": "Translate."}],
        "rewards": [{"kind": "chrf", "args": {"reference": "x"}}],
        "reference": reference,
        "source": source,
        "source_language": "de" if target == "fr" else "fr",
        "target_language": target,
        "heldout": "slots" if number % 2 else "template",
    }
    return prompt_of({**row, **changes}, "here")


class FullMarks:
    """Pays everything."""

    async def score_many(self, answers: Sequence[tuple[Prompt, str]]) -> list[Score]:
        return [Score(prompt.id, 1.0, (RewardResult("chrf", 1.0),)) for prompt, _ in answers]


def run(prompts: Sequence[Prompt], answers: list[list[str]], scorer: Any = None) -> Evaluation:
    async def generate(asked: Sequence[Prompt]) -> list[list[str]]:
        return answers

    suite = Suite("translation", tuple(prompts))
    return asyncio.run(evaluate([suite], generate, scorer or FullMarks(), StageTitle("rl", "rl")))


def test_off_target_ratio_of_a_mixed_file_with_known_counts() -> None:
    rows = [translation(number, target, "x") for number, (target, _, _) in enumerate(MIXED)]
    evaluation = run(rows, [[response] for _, response, _ in MIXED])
    for outcome, (_, response, expected) in zip(evaluation.outcomes, MIXED, strict=True):
        assert (outcome.on_target, outcome.detected) == expected, response
    metrics = evaluation.suites[0].metrics
    assert metrics["off_target"] == pytest.approx(6 / 10)
    assert metrics["english_share"] == pytest.approx(3 / 10)
    assert metrics["source_share"] == pytest.approx(2 / 10)
    assert metrics["undecided"] == 0
    by_direction = {name: part["off_target"] for name, part in evaluation.suites[0].by_direction.items()}
    assert by_direction == {
        "fr-de": pytest.approx(2 / 4),
        "de-fr": pytest.approx(3 / 4),
        "fr-es": pytest.approx(1 / 2),
    }
    by_heldout = {name: part["off_target"] for name, part in evaluation.suites[0].by_heldout.items()}
    assert by_heldout == {"template": pytest.approx(2 / 5), "slots": pytest.approx(4 / 5)}


def test_english_counts_as_english_share_only_where_it_is_off_target() -> None:
    text = "The train leaves on Wednesday from platform eight."
    rows = [translation(0, "en", "x"), translation(1, "de", "x")]
    metrics = run(rows, [[text], [text]]).suites[0].metrics
    assert metrics["off_target"] == metrics["english_share"] == 0.5
    assert metrics["source_share"] == 0


def test_a_language_the_identifier_does_not_know_is_undecided_not_off_target() -> None:
    prompt = translation(0, "fr", "x", target_language="tlh")
    metrics = run([prompt], [["tlhIngan maH taHjaj je Qapla' batlh"]]).suites[0].metrics
    assert metrics["off_target"] is None
    assert metrics["undecided"] == 1


def test_bits_per_byte_weighs_texts_by_their_bytes_and_reads_each_once() -> None:
    asked: list[str] = []

    async def bits(texts: Sequence[str]) -> list[float | None]:
        asked.extend(texts)
        return [{"abcd": 8.0, "\u00e9\u00e9": 2.0, "too long": None}[text] for text in texts]

    async def generate(prompts: Sequence[Prompt]) -> list[list[str]]:
        return [["x"] for _ in prompts]

    rows = [translation(n, "fr", text) for n, text in enumerate(["abcd", "\u00e9\u00e9", "abcd", "too long"])]
    stage = StageTitle("rl", "rl")
    found = asyncio.run(evaluate([Suite("translation", tuple(rows))], generate, FullMarks(), stage, bits))
    assert sorted(asked) == ["abcd", "too long", "\u00e9\u00e9"]
    assert found.suites[0].metrics["bits_per_byte"] == pytest.approx((8 + 2 + 8) / (4 + 4 + 4))
    assert run(rows, [["x"]] * 4).suites[0].metrics["bits_per_byte"] is None


class GatedChrf:
    """Independent reward: sentence chrF, or 0 in the wrong language."""

    async def score_many(self, answers: Sequence[tuple[Prompt, str]]) -> list[Score]:
        return [Score(prompt.id, self._value(prompt, answer), ()) for prompt, answer in answers]

    def _value(self, prompt: Prompt, answer: str) -> float:
        assert prompt.pair is not None
        right = is_on_target(answer, prompt.pair.target_language, prompt.pair.source_language).on_target
        return sacrebleu.sentence_chrf(answer, [prompt.reference]).score / 100 if right else 0.0


def test_oracle_beats_random_beats_copy(suites: list[Suite]) -> None:
    """Random: another row's reference in the right language. Copy: the source as it is."""
    prompts = next(suite for suite in suites if suite.name == "translation_zero_shot").prompts
    targets = [p.pair.target_language for p in prompts if p.pair]
    same = [[o for o, t in zip(prompts, targets, strict=True) if t == target] for target in targets]
    others = [found[(found.index(p) + 1) % len(found)] for p, found in zip(prompts, same, strict=True)]
    systems = {
        "oracle": [[p.reference] for p in prompts],
        "random": [[other.reference] for other in others],
        "copy": [[p.pair.source] for p in prompts if p.pair],
    }
    found = {name: run(prompts, answers, GatedChrf()).suites[0].metrics for name, answers in systems.items()}
    assert found["oracle"]["chrf"] == 100 and found["oracle"]["exact_match"] == 1
    assert found["oracle"]["off_target"] == found["random"]["off_target"] == 0
    assert found["copy"]["off_target"] == 1 and (found["copy"]["source_share"] or 0) >= 0.9
    second = {name: found[name]["off_target_second"] or 0.0 for name in found}
    assert second["oracle"] <= 0.2 and second["copy"] >= 0.8  # on short sentences CLD2 is not sure
    rewards = [found[name]["reward_greedy"] or 0.0 for name in ("oracle", "random", "copy")]
    assert rewards[0] == 1 and rewards[0] > rewards[1] > rewards[2] == 0


def outcome(number: int, **changes: Any) -> Outcome:
    texts = {"id": str(number), "suite": "s", "task": "math", "heldout": "slots"}
    given: dict[str, Any] = {**texts, "prompt": "", "reference": "", "response": ""} | {
        "reward": 1.0,
        "correct": True,
    }
    return Outcome(**{**given, **changes})


def test_failed_rewards_are_counted_and_left_out_never_zero() -> None:
    outcomes = [
        outcome(1),
        outcome(2, reward=0.0, correct=False),
        outcome(3, reward=None, correct=None, sample_errors=2),
    ]
    metrics = metrics_of("math", outcomes)
    assert metrics["accuracy"] == metrics["reward_greedy"] == 0.5
    assert metrics["errors"] == 3 and metrics["n"] == 3
    assert metrics["reward_sampled"] is None


def test_all_rewards_failed_gives_no_figure() -> None:
    metrics = metrics_of("math", [outcome(1, reward=None, correct=None)])
    assert metrics["accuracy"] is None and metrics["reward_greedy"] is None and metrics["errors"] == 1


def test_constraints_strict_and_share() -> None:
    outcomes = [outcome(n, correct=share == 1, share=share) for n, share in enumerate((1.0, 0.5, 0.0, 1.0))]
    metrics = metrics_of("constraints", outcomes)
    assert metrics["strict"] == 0.5
    assert metrics["share"] == 0.625


def test_pass_at_1_counts_programs_that_pass_every_case() -> None:
    outcomes = [outcome(1, share=1.0), outcome(2, share=0.75, correct=False)]
    assert metrics_of("code", outcomes)["pass_at_1"] == 0.5


@pytest.mark.parametrize("kind", ["math", "code", "constraints", "mt_instructions", "preference_label"])
def test_what_stands_for_a_task_is_marked_where_its_reward_kind_was_trained(kind):
    assert kind in find_task(kind).primary.optimised_by

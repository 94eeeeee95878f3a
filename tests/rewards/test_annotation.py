"""Tower's annotation tasks: hand counts, seqeval's published example, tower-eval's rules, and hostile answers."""

import json
import time

import pytest

from rewards import RewardError, validate_rows
from rewards.annotation.edits import edits, edits_between, tally_edits, tokens_of
from rewards.annotation.error_spans import error_spans, judge_marks, read_marks
from rewards.annotation.named_entities import entities_of, named_entities, read_tags, tagged_tokens, tally_tags
from rewards.annotation.rating import rating
from rewards.annotation.tallies import Tally
from rewards.doors.check import probes_of

TEXT = "Das ist ein Fehler und noch ein Fehler."
SPANS = [{"start": 12, "end": 18, "severity": "major"}, {"start": 4, "end": 7, "severity": "minor"}]


def tower_eval_counts(length, gold, marks):
    """The loop of tower-eval's ErrorSpanDetectionMetric, written again: (tp, total_sys, total_gold)."""
    tracks = {}
    for who, spans in (("gold", gold), ("sys", marks)):
        for level in ("minor", "major"):
            tracks[who, level] = [0] * (length + 1)
        for start, end, level in spans:
            end = min(end, length)
            for place in [start] if start == end else range(start, end):
                tracks[who, level][place] += 1
    right = given = wanted = 0.0
    for place in range(length + 1):
        gold_minor, gold_major = tracks["gold", "minor"][place] > 0, tracks["gold", "major"][place] > 0
        sys_minor, sys_major = tracks["sys", "minor"][place] > 0, tracks["sys", "major"][place] > 0
        given += sys_minor or sys_major
        wanted += gold_minor or gold_major
        if (gold_minor and sys_minor) or (gold_major and sys_major):
            right += 1
        elif (gold_minor or gold_major) and (sys_minor or sys_major):
            right += 0.5
    return Tally(right, given, wanted)


@pytest.mark.parametrize(
    ("response", "marks"),
    [
        ('"Fehler" - major; "ist" - minor', [(12, 18, "major"), (4, 7, "minor")]),
        ('"Fehler" - minor\n"Fehler" - minor\n"Fehler" - minor', [(12, 18, "minor"), (32, 38, "minor")]),
        ('"nicht da" - major', []),
        ("Das ist ein <major>Fehler</major> und noch ein <minor>Fehler</minor>.",
         [(12, 18, "major"), (32, 38, "minor")]),
        ("<minor>Fehler</minor>", [(12, 18, "minor")]),
        ('[{"start": 0, "end": 99, "severity": "minor"}]', [(0, 99, "minor")]),
        ('```json\n{"errors": [{"text": "noch", "severity": "critical"}]}\n```', [(23, 27, "major")]),
        ('<think>"Das" - major</think>"ist" - minor', [(4, 7, "minor")]),
        ("No errors.", []),
    ],
)  # fmt: skip
def test_marks_are_read_in_every_form_and_counted_as_tower_eval_counts(response, marks):
    tally, reading = judge_marks(response, TEXT, SPANS)
    gold = [(s["start"], s["end"], s["severity"]) for s in SPANS]
    assert tally == tower_eval_counts(len(TEXT), gold, marks) and len(reading.marks) == len(marks)


def test_span_f1_by_hand():
    # marked 6 major of 9 gold characters rightly: P 1, R 2/3; as minor each is half right: P 1/2, R 1/3
    assert error_spans('"Fehler" - major', TEXT, SPANS).value == pytest.approx(0.8)
    assert error_spans('"Fehler" - minor', TEXT, SPANS).value == pytest.approx(0.4)
    # an omission that WMT gives the place -1 has no character
    assert error_spans("[]", TEXT, [{"start": -1, "end": -1, "severity": "major"}]).value == 1.0


def test_an_answer_without_marks_must_say_that_there_are_none():
    assert [error_spans(said, TEXT, []).value for said in ("[]", "No errors.", TEXT)] == [1.0, 1.0, 1.0]
    assert [error_spans(said, TEXT, []).value for said in ("", "Hello", "<think>[]")] == [0.0, 0.0, 0.0]


def test_a_wrong_mark_is_a_span_of_the_answer():
    said = '<think>x</think>"Fehler" - major\n"noch" - minor'
    (span,) = error_spans(said, TEXT, SPANS).spans
    assert said[span.start : span.end] == "noch" and span.value < 0


def test_entities_are_seqevals():
    # the example of seqeval's README: precision, recall and F1 are 0.5
    gold = [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    found = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    tallies = [tally_tags(*pair) for pair in zip(found, gold, strict=True)]
    whole = Tally(*(sum(t) for t in zip(*((t.right, t.given, t.wanted) for t in tallies), strict=True)))
    assert whole == Tally(1, 2, 2) and whole.f() == 0.5
    # conlleval: I- behind O, or of another type, begins an entity; B- ends one
    assert entities_of(["I-A", "I-B", "B-B", "O"]) == {("A", 0, 1), ("B", 1, 2), ("B", 2, 3)}


TOKENS, TAGS = ["Anna", "Weber", "lebt", "in", "Bonn", "."], ["B-PER", "I-PER", "O", "O", "B-LOC", "O"]


@pytest.mark.parametrize(
    "response",
    [
        '[("Anna", "B-PER"), ("Weber", "I-PER"), ("lebt", "O"), ("in", "O"), ("Bonn", "B-LOC"), (".", "O")]',
        json.dumps([list(pair) for pair in zip(TOKENS, TAGS, strict=True)]),
        "<PER>Anna Weber</PER> lebt in <LOC>Bonn</LOC>.",
        '[{"text": "Anna Weber", "type": "PER"}, {"text": "Bonn", "label": "LOC"}]',
    ],
)
def test_tags_are_read_in_every_form(response):
    assert read_tags(response, TOKENS) == TAGS
    assert named_entities(response, TOKENS, TAGS).value == 1.0


def test_short_and_long_lists_of_pairs_are_filled_and_cut():
    assert read_tags('[("Anna", "B-PER"), ("x", "PER")]', TOKENS) == ["B-PER", *["O"] * 5]
    assert read_tags("<PER>Anna</PER> lebt in Bonn.", TOKENS) is None
    assert read_tags("<PER>Anna Weber</PER> lebt in <LOC>Bonn</LOC>.", TOKENS, ["LOC"])[:2] == ["O", "O"]
    # one of two entities, and nothing wrong: P 1, R 1/2
    assert named_entities("<PER>Anna Weber</PER> lebt in Bonn.", TOKENS, TAGS).value == pytest.approx(2 / 3)
    assert named_entities("", TOKENS, ["O"] * 6).value == 0.0


def test_tagged_gold_becomes_tokens_and_tags():
    assert tagged_tokens("<PER>Anna Weber</PER> lebt in <LOC>Bonn</LOC> .") == (TOKENS, TAGS)
    with pytest.raises(ValueError, match="has no end"):
        tagged_tokens("<PER>Anna")


SOURCE, REFERENCE = "She go to school every days .", "She goes to school every day ."


def test_edits_by_hand():
    assert edits_between(tokens_of(SOURCE), tokens_of(REFERENCE)) == {(1, 2, ("goes",)), (5, 6, ("day",))}
    assert edits_between(list("ab"), list("axb")) == {(1, 1, ("x",))}
    assert edits_between(list("abcd"), list("ad")) == {(1, 3, ())}
    assert edits_between([], []) == set() and edits_between([], ["a"]) == {(0, 0, ("a",))}
    # one of two edits and none wrong: P 1, R 1/2, F0.5 = 1.25 * 0.5 / (0.25 + 0.5)
    assert edits("She goes to school every days .", SOURCE, REFERENCE).value == pytest.approx(5 / 6)
    # one right, one wrong, one missing: P 1/2, R 1/2
    assert edits("She goes to schools every days .", SOURCE, REFERENCE).value == pytest.approx(0.5)
    assert edits(SOURCE, SOURCE, SOURCE).value == 1.0 and edits(REFERENCE, SOURCE, SOURCE).value == 0.0
    # of two references the one counts that suits
    assert edits("She went to school every day .", SOURCE, [REFERENCE, "She went to school every day ."]).value == 1.0


def test_edits_bring_the_source_to_the_target():
    import random

    draw = random.Random(0)
    for _ in range(300):
        one, other = ([draw.choice("abc") for _ in range(draw.randrange(8))] for _ in range(2))
        made, place = list[str](), 0
        for start, end, new in sorted(edits_between(one, other)):
            made += one[place:start] + list(new)
            place = end
        assert made + one[place:] == other


def test_a_rating_is_one_number_on_the_last_line():
    assert rating("85", 80).value == pytest.approx(0.95)
    assert rating("It reads well.\nScore: 80/100", 80).value == 1.0
    for said in ("", "80 or 90", "120", "good", "80\nbut"):
        assert rating(said, 80).value == 0.0


HOSTILE = {
    "brackets": "[" * 200_000, "open tags": "<minor>" * 28_000, "quotes": '"' * 199_000,
    "closings": '" - minor' * 20_000,
    "nested": "<minor>" * 9_000 + "Das" * 20_000 + "</minor>" * 9_000, "pairs": '("' * 60_000,
    "many": json.dumps([{"text": "a", "severity": "minor"}] * 6_000), "long": "a b " * 500_000,
    "everything": '"a" - minor;' * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_cost_little_and_earn_nothing(name):
    said, begun = HOSTILE[name], time.process_time()
    values = [
        error_spans(said, TEXT, []).value, named_entities(said, TOKENS, TAGS).value,
        edits(said, SOURCE, REFERENCE).value, rating(said, 80).value,
    ]  # fmt: skip
    assert values == [0.0] * 4 and time.process_time() - begun < 5


def test_a_hundred_thousand_marks_do_not_raise_precision():
    tally, reading = judge_marks('"a" - minor;' * 100_000, "a" * 100, [])
    assert reading.fault and tally == Tally(0, 101, 0)
    assert len(read_marks(json.dumps([{"start": 0, "end": 1, "severity": "minor"}] * 900), TEXT).marks) == 900
    assert tally_edits("x " * 1_000, SOURCE, REFERENCE) == Tally(0, 1, 2)


ROWS = [
    {"id": "e", "translation": TEXT, "spans": SPANS, "rewards": [{"kind": "error_spans"}]},
    {"id": "n", "tokens": TOKENS, "tags": TAGS, "rewards": [{"kind": "named_entities"}]},
    {"id": "g", "source": SOURCE, "reference": REFERENCE, "rewards": [{"kind": "edits"}]},
    {"id": "r", "gold": 50, "rewards": [{"kind": "rating"}]},
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_gold_earns_all_and_cheats_do_not(row):
    validate_rows([row])
    kinds = {"error_spans": error_spans, "named_entities": named_entities, "edits": edits, "rating": rating}
    kind = row["rewards"][0]["kind"]
    arguments = {k: v for k, v in row.items() if k not in ("id", "rewards")}
    for probe in probes_of(row):
        value = kinds[kind](probe.response, **arguments).value
        assert value == 1.0 if probe.must_pass else value < 0.89, probe.name


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "e", "spans": [{"start": 3, "end": 9}]}, "span 0 is"),
        ({"id": "e", "spans": [{"start": 99, "end": 101, "severity": "minor"}]}, "translation of 39 characters"),
        ({"id": "e", "spans": [{"start": 1, "end": 2, "severity": "bad"}]}, "severity 'bad'"),
        ({"id": "n", "tags": ["O"]}, "6 tokens and 1 tags"),
        ({"id": "n", "tags": ["PER"] * 6}, "tag 'PER' is neither"),
        ({"id": "g", "source": "a " * 1_001}, "1001 tokens"),
        ({"id": "r", "gold": 120}, "must lie on the scale"),
    ],
)
def test_malformed_rows_are_refused(change, told):
    row = {**next(row for row in ROWS if row["id"] == change["id"]), **change}
    with pytest.raises(RewardError, match=told):
        validate_rows([row])

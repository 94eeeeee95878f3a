"""What each filter leaves out and what it lets pass, and the funnel's counts."""

import json

import pytest
from pydantic import ValidationError

from dragoman.data.corpora.filters import FILTERS
from dragoman.data.corpora.funnel import Funnel
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes


def segment(source, target, languages=("en", "de"), place="f:1"):
    return Segment(source, target, *languages, place)


def fault(name, source, target, languages=("en", "de"), **limits):
    return FILTERS[name](CorpusSizes(limits=limits)).fault(segment(source, target, languages))


GOOD = [
    ("The house is old and the roof leaks.", "Das Haus ist alt und das Dach ist undicht.", ("en", "de")),
    ("Save {count} files in <b>5</b> folders", "{count} Dateien in <b>5</b> Ordnern speichern", ("en", "de")),
    ("Where is the station?", "駅はどこですか。", ("en", "ja")),
    ("The temperature is 21.5 degrees.", "Температура составляет 21,5 градуса.", ("en", "ru")),
    ("OK", "OK!", ("de", "fr")),
    ("Größe: 3 m", "Size: 3 m", ("de", "en")),
    ("A naïve plan for the small café", "Un plan naïf pour le petit café", ("en", "fr")),
]


@pytest.mark.parametrize("name", [name for name in FILTERS if name != "copy"])
def test_good_pairs_pass_every_filter(name):
    chosen = FILTERS[name](CorpusSizes())
    for source, target, languages in GOOD:
        assert chosen.fault(segment(source, target, languages)) is None, (name, source)


BAD = [
    ("empty", "Hello", " … ", ("en", "de"), "target"),
    ("empty", "—", "Hallo", ("en", "de"), "source"),
    ("encoding", "For you", "FÃ¼r dich", ("en", "de"), "wrong table"),
    ("encoding", "For you", "Fu\ufffdr dich", ("en", "de"), "U+FFFD"),
    ("encoding", "For\0you", "Für dich", ("en", "de"), "U+0000"),
    ("encoding", "For you", "F\ud83dr dich", ("en", "de"), "U+D83D"),
    ("length", "word " * 500, "Wort", ("en", "de"), "characters"),
    ("length_ratio", "The house is old and the roof leaks.", "Das Haus", ("en", "de"), "times the other"),
    ("copy", "The house is old.", "the house is OLD", ("en", "de"), "is the source"),
    ("copy", "The big old house is empty now", "The big old house is empty", ("en", "de"), "the source's"),
    ("script", "The house is old", "Dom jest stary", ("en", "ru"), "another script than ru"),
    ("numbers", "Wait 15 minutes", "Warte 51 Minuten", ("en", "de"), "numbers"),
    ("placeholders", "Hello {name}", "Hallo {nmae}", ("en", "de"), "placeholders"),
    ("placeholders", "<b>Hello</b> you", "<b>Hallo du", ("en", "de"), "tags"),
    ("language", "The house is old and grey.", "La maison est vieille et grise.", ("en", "de"), "target is fr, not de"),
    ("language", "Das Haus ist alt und grau.", "The house is old and grey.", ("en", "de"), "swapped"),
]


@pytest.mark.parametrize(("name", "source", "target", "languages", "words"), BAD)
def test_each_fault_is_said_in_words(name, source, target, languages, words):
    assert words in (fault(name, source, target, languages) or "")


def test_duplicates_and_near_ones_of_one_direction_only():
    sizes = CorpusSizes()
    exact, near = FILTERS["duplicates"](sizes), FILTERS["near_duplicates"](sizes)
    text = "The maximum number of connections to the server was reached"
    pairs = [
        segment(text, "eins", place="a:1"), segment(text.upper() + "!", "Eins.", place="a:2"),
        segment(text, "zwei", place="a:3"), segment(text, "eins", ("en", "fr"), "a:4"),
    ]  # fmt: skip
    assert [bool(exact.fault(s)) for s in pairs] == [False, True, False, False]
    assert near.fault(pairs[0]) is None and near.fault(pairs[3]) is None, "another language is no repetition"
    assert near.fault(segment(text + " now", "x")) == "nearly the source of a:1"
    assert near.fault(segment("Added user", "x")) is None and near.fault(segment("Added users", "y")) is None
    assert near.fault(segment("The minimum size of a folder on the disk was changed", "y")) is None


def test_held_out_text_is_found_on_either_side(tmp_path):
    file = tmp_path / "suite.jsonl"
    file.write_text(json.dumps({"source": "The house is old.", "reference": "Das Haus ist alt."}))
    chosen = FILTERS["contamination"](CorpusSizes(contamination=(str(file),)))
    assert chosen.fault(segment("the house is old", "La maison est vieille", ("en", "fr"))) == "held out for measuring"
    assert chosen.fault(segment("La casa", "Das Haus ist alt", ("es", "de"))) is not None
    assert chosen.fault(segment("The house is new.", "Das Haus ist neu.")) is None


def test_a_reward_is_a_filter_where_a_recipe_names_one():
    assert fault("quality", "The house is old.", "xyz") is None
    asked = {"kind": "adequacy", "least": 0.5}
    assert fault("quality", "The house is old.", "Das Haus ist alt.", quality=asked) is None
    assert "adequacy 0." in fault("quality", "The house is old.", "Guten Appetit allerseits!", quality=asked)
    assert fault("quality", "The house is old.", "Hús er gamalt", ("en", "is"), quality=asked) is None, "does not apply"


def test_the_funnel_counts_what_comes_and_goes_with_samples():
    funnel = Funnel(CorpusSizes(filters=("empty", "copy", "duplicates")))
    given = [
        segment("a b", "x y"), segment("a b", ""), segment("a b", "a b", place="f:3"),
        segment("a b", "x y"), segment("c", "d"),
    ]  # fmt: skip
    assert [s.target for s in funnel.run(given)] == ["x y", "d"]
    assert [(p.name, p.came, p.went) for p in funnel.passages] == [
        ("empty", 5, 1),
        ("copy", 4, 1),
        ("duplicates", 3, 1),
    ]
    assert funnel.passages[1].samples[0].place == "f:3" and funnel.emptied_by() is None
    alone = Funnel(CorpusSizes(filters=("empty", "copy")))
    assert not list(alone.run([segment("a", "a")])) and alone.emptied_by().name == "copy"


def test_an_unknown_filter_is_named():
    with pytest.raises(ValidationError, match="'lenght' is no filter; known are empty, "):
        CorpusSizes(filters=("lenght",))

"""A corpus as the files of every stage: held out by question, zero-shot directions unseen, drafts, refusals."""

import hashlib
import json
import re

import pytest

from dragoman.data.catalogs.identity import split_of
from dragoman.data.corpora.segments import Segment
from dragoman.data.corpora.settings import CorpusSizes
from dragoman.data.corpora.source import CORPUS
from dragoman.data.corpora.splits import Questions, split_numbers
from dragoman.data.rows import DataError, read_conversations, read_documents, read_prompts
from dragoman.data.sources import SourceError
from dragoman.evaluation.suites import load_suites
from dragoman.recipes import load_recipe

NOUNS = ["house", "garden", "street", "river", "mountain", "window", "bridge", "forest", "market", "village"]
ADJECTIVES = ["old", "green", "narrow", "quiet", "beautiful", "broken", "hidden", "famous", "empty", "crowded"]
HAUPTWORT = dict(
    zip(NOUNS, ["Haus", "Garten", "Straße", "Fluss", "Berg", "Fenster", "Brücke", "Wald", "Markt", "Dorf"], strict=True)
)
DEUTSCH = dict(
    zip(
        ADJECTIVES,
        ["alt", "grün", "eng", "still", "schön", "kaputt", "versteckt", "berühmt", "leer", "voll"],
        strict=True,
    )
)
FRANCAIS = dict(
    zip(
        ADJECTIVES,
        ["vieux", "vert", "étroit", "calme", "beau", "cassé", "caché", "célèbre", "vide", "plein"],
        strict=True,
    )
)


def sentences():
    for noun in NOUNS:
        for first in ADJECTIVES:
            for second in ADJECTIVES[:6]:
                if first != second:
                    yield (
                        f"Our neighbours say that the {noun} is {first} and {second} today.",
                        f"Man sagt, dass hier {HAUPTWORT[noun]} heute {DEUTSCH[first]} und {DEUTSCH[second]} ist.",
                        f"On dit que cet endroit ({noun}) est ici {FRANCAIS[first]} et {FRANCAIS[second]}.",
                    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    rows = list(sentences())
    german = ["source\ttarget\tmt"] + [f"{e}\t{d}\t{d.replace('heute ', '')}" for e, d, _ in rows]
    (folder / "de.tsv").write_text("\n".join(german), encoding="utf-8")
    (folder / "fr.en").write_text("\n".join(e for e, _, _ in rows), encoding="utf-8")
    (folder / "fr.fr").write_text("\n".join(f for _, _, f in rows), encoding="utf-8")
    terms = [f"{noun}\t{HAUPTWORT[noun]}" for noun in NOUNS]
    (folder / "terms.tsv").write_text("\n".join(["source\ttarget", *terms]), encoding="utf-8")
    inputs = [
        {"path": str(folder / "de.tsv"), "languages": ["EN", "DE"], "columns": {"draft": "mt"}, "licence": "CC0-1.0",
         "domain": "homes"},
        {"path": str(folder / "fr"), "format": "moses", "languages": ["en", "fr"]},
    ]  # fmt: skip
    asked = {
        "inputs": inputs, "filters": ["empty", "encoding", "copy", "duplicates"], "zero_shot": ["FR-en"],
        "glossary": {"path": str(folder / "terms.tsv"), "languages": ["en", "de"]},
        "eval_per_direction": 20, "development_per_direction": 5,
    }  # fmt: skip
    CORPUS.write(folder / "data", 0, CorpusSizes.model_validate(asked))
    return folder / "data", asked


def rows(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_every_stage_has_its_file_and_reads_it(written):
    folder, _ = written
    assert read_documents(folder / "cpt_mono.jsonl") and read_documents(folder / "cpt_parallel.jsonl")
    assert {c.task for c in read_conversations(folder / "sft.jsonl", translations=True)} == {
        "translation",
        "post_editing",
        "mt_instructions",
    }
    assert read_conversations(folder / "lat.jsonl", translations=True)
    for name in ("preference", "rl"):
        prompts = read_prompts(folder / f"{name}.jsonl")
        kinds = {p.task: [spec.kind for spec in p.specs] for p in prompts}
        assert kinds == {
            "translation": ["chrf", "direction"], "mt_instructions": ["mt_instructions", "chrf", "direction"],
        }  # fmt: skip
    suites = {suite.name: suite for suite in load_suites(folder / "eval")}
    ways = {f"terms_{way}" for way in ("none", "proper", "random")}
    assert set(suites) == {"translation_supervised", "translation_zero_shot", "mt_instructions", *ways}
    assert {suites[way].task_name for way in ways} == {"terminology"}
    asked = [[p.pair.source for p in suites[way].prompts] for way in sorted(ways)]
    assert asked[0] == asked[1] == asked[2] and len(asked[0]) >= 20
    assert {p.pair.direction for p in suites["translation_zero_shot"].prompts} == {("fr", "en")}


def test_no_text_of_a_held_out_row_stands_in_training_in_any_direction(written):
    folder, _ = written

    def plain(text):  # independent of the product's own normalisation
        return re.sub(r"\W+", " ", text.lower()).strip()

    suites = [file for split in ("eval", "development") for file in (folder / split).glob("*.jsonl")]
    measured = [json.loads(line) for file in suites for line in file.read_text(encoding="utf-8").splitlines()]
    held = {plain(row[side]) for row in measured for side in ("source", "reference")}
    trained = {
        plain(r[side])
        for name in ("sft", "lat", "preference", "rl")
        for r in rows(folder, name)
        for side in ("source", "reference")
    }
    trained |= {plain(r["text"]) for r in rows(folder, "cpt_mono")}
    assert held and not held & trained
    parallel = " ".join(plain(r["text"]) for r in rows(folder, "cpt_parallel"))
    assert not [text for text in held if text in parallel]
    asked = " ".join(plain(m["content"]) for name in ("sft", "rl") for r in rows(folder, name) for m in r["messages"])
    assert not [text for text in held if text in asked]  # nor inside of a document


def test_a_zero_shot_direction_is_in_no_stage(written):
    folder, _ = written
    for name in ("sft", "lat", "preference", "rl"):
        directions = {(r["source_language"], r["target_language"]) for r in rows(folder, name)}
        assert ("fr", "en") not in directions and {("en", "de"), ("de", "en"), ("en", "fr")} <= directions


def test_rows_say_where_they_come_from_and_drafts_become_post_editing(written):
    folder, _ = written
    found = rows(folder, "sft")
    german = [r for r in found if r["target_language"] == "de"]
    assert {(r["licence"], r["domain"], r["provenance"]) for r in german} == {("CC0-1.0", "homes", "de.tsv")}
    edited = [r for r in found if r["task"] == "post_editing"]
    assert len(edited) > 100
    assert all(
        "heute" in r["messages"][1]["content"] and "heute" not in r["messages"][0]["content"].split("\n\n")[-1]
        for r in edited
    )


def test_edited_translations_are_preferred_to_their_drafts(written):
    folder, _ = written
    found = rows(folder, "pairs")
    assert len(found) > 100 and all("heute" in r["chosen"] and "heute" not in r["rejected"] for r in found)
    assert all(r["messages"][0]["role"] == "user" and r["cluster"] for r in found)


def test_the_same_inputs_and_seed_give_the_same_bytes_and_the_funnel_is_written(written, tmp_path):
    folder, asked = written
    CORPUS.write(tmp_path, 0, CorpusSizes.model_validate(asked))
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.jsonl"))
    assert names and all((folder / n).read_bytes() == (tmp_path / n).read_bytes() for n in names)
    funnel = json.loads((folder / "funnel.json").read_text())["filters"]
    assert [f["name"] for f in funnel] == ["empty", "encoding", "copy", "duplicates"] and funnel[0]["came"] == 1080


def test_segments_that_share_a_text_are_one_question():
    pairs = [("one two", "eins zwei"), ("eins zwei", "un deux"), ("three", "drei"), ("un deux", "uno dos")]
    given = [Segment(s, t, "xx", "yy", "p") for s, t in pairs]
    questions = Questions()
    assert list(questions.heard(given)) == given
    named = dict(zip([s.source for s in given], questions.names().tolist(), strict=True))
    assert named["one two"] == named["eins zwei"] == named["un deux"] != named["three"]
    assert f"{named['one two']:016x}" == hashlib.sha256(b"one two").hexdigest()[:16]  # of the family's first text
    (only,) = [split for split, found in split_numbers(questions.names(), 0).items() if 2 in found]
    assert only == split_of(hashlib.sha256(b"three").hexdigest()[:16], 0)


def test_inputs_that_leave_nothing_name_the_filter(tmp_path):
    (tmp_path / "m.tsv").write_text("source\ttarget\nsame text\tsame text\n", encoding="utf-8")
    asked = CorpusSizes.model_validate({"inputs": [{"path": str(tmp_path / "m.tsv"), "languages": ["en", "de"]}]})
    with pytest.raises(
        SourceError, match=r"filter 'copy' left out all 1 that came to it, the first m\.tsv:2 \(the target is"
    ):
        CORPUS.write(tmp_path / "data", 0, asked)
    with pytest.raises(SourceError, match="inputs is empty"):
        CORPUS.write(tmp_path / "data", 0, CorpusSizes())


def test_a_recipe_takes_it_and_names_wrong_keys(tmp_path):
    recipe = load_recipe(None, ["data.builder=corpus", "data.sizes={inputs: [{path: m.tmx}], sft: 10}"])
    assert recipe.data.builder == "corpus"
    with pytest.raises(DataError.__mro__[1], match="did you mean 'inputs'"):
        load_recipe(None, ["data.builder=corpus", "data.sizes={input: []}"])

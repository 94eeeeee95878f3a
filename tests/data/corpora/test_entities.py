"""Named entities from annotated files: read as conlleval reads them, asked in two forms, held out by sentence."""

import json
from collections import Counter
from itertools import islice, product
from random import Random

import pytest

from dragoman.data.catalogs.items import is_paid
from dragoman.data.corpora.entities import by_split, entity_item, iob2, read_entities, tagged_text, tokens_and_tags
from dragoman.data.corpora.segments import InputError
from dragoman.data.corpora.settings import CorpusSizes, EntityInput
from dragoman.data.corpora.source import CORPUS
from dragoman.data.rows import read_conversations, read_prompts
from rewards.annotation.named_entities import read_tags

CONLL = """-DOCSTART- -X- -X- O

Anna NNP B-NP I-PER
Berg NNP I-NP I-PER
lives VBZ B-VP O
in IN B-PP O
Bad NNP B-NP I-LOC
Ems NNP I-NP I-LOC
. . O O

It PRP B-NP O
rains VBZ B-VP O
"""
NAMES = ("Anna Berg", "Otto", "Ida von Stein", "Max", "Eva Holm", "Jan", "Lea Ost", "Tim")
PLACES = ("Bad Ems", "Bonn", "Ulm", "Rio", "New York", "Oslo", "Köln", "Genf", "Linz", "Bern")


def asked(path, **more):
    return EntityInput.model_validate({"path": str(path), "language": "en", **more})


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def words(count):
    """As many made-up words."""
    return ["".join(letters) for letters in islice(product("bdfgklmnprst", "aeiou", repeat=2), count)]


def lines():
    """2,400 sentences."""
    for verb in ("lives", "works", "waits", "sings", "stayed", "arrived"):
        for name in NAMES:
            for place in PLACES:
                for day in ("today", "on Monday", "again", "alone", "for a year"):
                    tokens = [*name.split(), verb, "in", *place.split(), *day.split(), "."]
                    tags = ["O"] * len(tokens)
                    tags[: len(name.split())] = ["B-PER", *["I-PER"] * (len(name.split()) - 1)]
                    start = len(name.split()) + 2
                    tags[start : start + len(place.split())] = ["B-LOC", *["I-LOC"] * (len(place.split()) - 1)]
                    yield {"tokens": tokens, "tags": tags}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("entities")
    pairs = written(
        folder / "pairs.tsv",
        "source\ttarget\n" + "".join(f"The {w} is old.\tEs ist {w} und alt.\n" for w in words(3000)),
    )
    marked = written(folder / "ner.jsonl", "\n".join(map(json.dumps, lines())))
    sizes = CorpusSizes.model_validate({
        "inputs": {"path": str(pairs), "languages": ["en", "de"]}, "filters": ["empty"], "instructed": 0,
        "entities": {"path": str(marked), "language": "en", "licence": "CC0-1.0"}, "tasks": {"named_entities": 0.2},
        "sft": 500, "rl": 300,
    })  # fmt: skip
    CORPUS.write(folder / "data", 0, sizes)
    return folder / "data"


def rows(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_conll_is_read_as_its_columns_say_and_iob1_becomes_iob2(tmp_path):
    first, second = read_entities([asked(written(tmp_path / "train.conll", CONLL), licence="CC-BY-4.0")])
    assert first.tokens == ("Anna", "Berg", "lives", "in", "Bad", "Ems", ".")
    assert first.tags == ("B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "O")
    assert second.tags == ("O", "O") and first.types == second.types == ("LOC", "PER")
    assert (first.provenance, first.licence) == ("train.conll", "CC-BY-4.0")


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [  # what conlleval counts as entities, by hand: PER 0-1, PER 2, LOC 4; PER 0, LOC 1-2, LOC 4; PER 0, PER 1-3
        (["I-PER", "I-PER", "B-PER", "O", "I-LOC"], ["B-PER", "I-PER", "B-PER", "O", "B-LOC"]),
        (["B-PER", "I-LOC", "I-LOC", "O", "B-LOC"], ["B-PER", "B-LOC", "I-LOC", "O", "B-LOC"]),
        (["B-PER", "B-PER", "I-PER", "I-PER", "O"], ["B-PER", "B-PER", "I-PER", "I-PER", "O"]),
    ],
)
def test_entities_are_those_of_conlleval(tags, wanted):
    assert iob2(tags, "here") == wanted


def test_other_schemes_are_read():
    assert iob2(["S-PER", "O", "B-LOC", "I-LOC", "E-LOC"], "here") == ["B-PER", "O", "B-LOC", "I-LOC", "I-LOC"]
    assert iob2(["U-PER", "O", "B-LOC", "L-LOC"], "here") == ["B-PER", "O", "B-LOC", "I-LOC"]
    assert iob2(["B-art-music", "I-art-music"], "here") == ["B-art_music", "I-art_music"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"tokens": ["a", "b"], "tags": ["O"]}, "2 tokens and 1 tags"),
        ({"tokens": ["a"], "tags": [3]}, "write tags as names"),
        ({"tokens": ["a"], "tags": ["PER"]}, "the tag 'PER'"),
        ({"tokens": "[", "tags": ["O"]}, "no list in column 'tokens'"),
        ({"tags": ["O"]}, "no list in column 'tokens'"),
        ({"tagged": "<PER>Anna lives"}, "has no end"),
    ],
)
def test_a_bad_row_is_named_with_its_mend(row, reason):
    with pytest.raises(InputError, match=reason) as told:
        tokens_and_tags(row, "ner.jsonl:7")
    assert str(told.value).startswith("ner.jsonl:7")


def test_bad_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"x\.conll:2 has one column"):
        list(read_entities([asked(written(tmp_path / "x.conll", "Anna B-PER\nlives\n"))]))
    with pytest.raises(InputError, match="no entity in it"):
        list(read_entities([asked(written(tmp_path / "y.conll", "It O\nrains O\n"))]))
    with pytest.raises(ValueError, match=r"tasks\.named_entities needs sentences"):
        CorpusSizes.model_validate({"tasks": {"named_entities": 0.1}})


def test_classes_of_a_data_set_have_their_names(tmp_path):
    import datasets

    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-PER", "I-PER"]))
    features = datasets.Features({"tokens": datasets.Sequence(datasets.Value("string")), "tags": tags})
    table = {"tokens": [["Anna", "Berg", "sings"]], "tags": [[1, 2, 0]]}
    datasets.Dataset.from_dict(table, features=features).to_parquet(tmp_path / "ner.parquet")
    datasets.Dataset.from_dict(table, features=features).save_to_disk(tmp_path / "folder")
    for path, form in ((tmp_path / "ner.parquet", None), (tmp_path / "folder", "datasets")):
        (one,) = read_entities([asked(path, format=form)])
        assert one.tags == ("B-PER", "I-PER", "O")


def test_both_forms_are_read_back_as_the_same_tags(tmp_path):
    (one, _) = read_entities([asked(written(tmp_path / "a.conll", CONLL))])
    assert tagged_text(one) == "<PER>Anna Berg</PER> lives in <LOC>Bad Ems</LOC> ."
    items = [entity_item(one, Random(seed)) for seed in range(20)]
    assert {item.answer[0] for item in items} == {"<", "["} and all(map(is_paid, items))
    for item in items:
        assert read_tags(item.answer, one.tokens) == list(one.tags)
        assert "LOC, PER" in item.prompt


def test_a_text_without_spaces_has_none_between_its_tokens(tmp_path):
    file = written(tmp_path / "a.conll", "東京 B-LOC\nに O\n行く O\n")
    (one,) = read_entities([asked(file, language="ja")])
    assert tagged_text(one) == "<LOC>東京</LOC>に行く"
    assert read_tags(tagged_text(one), one.tokens) == list(one.tags)


def test_what_could_be_taken_for_a_tag_is_asked_as_tokens_only(tmp_path):
    (one,) = read_entities([asked(written(tmp_path / "a.conll", "<b> O\nAnna B-PER\n"))])
    assert tagged_text(one) is None
    assert {entity_item(one, Random(seed)).answer[0] for seed in range(20)} == {"["}


def test_shares_hold_and_every_split_has_sentences_of_its_own(made):
    marked = {name: [r for r in rows(made, name) if r["task"] == "named_entities"] for name in ("sft", "rl")}
    for name, found in marked.items():
        assert abs(len(found) / len(rows(made, name)) - 0.2) <= 0.01
        assert {row["licence"] for row in found} == {"CC0-1.0"}
    suites = [rows(made / split, "named_entities") for split in ("eval", "development")]
    split_of = [{" ".join(row["tokens"]) for row in found} for found in (*marked.values(), *suites)]
    assert all(len(texts) >= 30 for texts in split_of)
    assert max(Counter(text for texts in split_of for text in texts).values()) == 1


def test_stages_and_suites_read_the_rows(made):
    assert len(read_conversations(made / "sft.jsonl")) == 500
    for name in ("rl.jsonl", "eval/named_entities.jsonl"):
        prompts = [p for p in read_prompts(made / name) if p.task == "named_entities"]
        assert prompts and all(spec.kind == "named_entities" for p in prompts for spec in p.specs)


def test_a_sentence_is_held_out_by_its_words(tmp_path):
    text = "Anna B-PER\nsings O\n\nANNA B-PER\nsings O\n! O\n"
    found = by_split(read_entities([asked(written(tmp_path / "a.conll", text))]), 0)
    assert sum(map(len, found.values())) == 1

"""Manuals as documents: what a reader sees of a page, paragraphs beside each other, pages held out whole."""

import dataclasses
import hashlib
import json
import sys
from itertools import product
from pathlib import Path

import pytest

from dragoman.data.catalogs import build as building
from dragoman.data.catalogs.manuals import cut, manual_documents, read_pages
from dragoman.data.corpora.segments import InputError
from dragoman.data.readers.mallard import Block, read_blocks, titles_of
from dragoman.data.rows import read_conversations, read_documents, read_prompts
from dragoman.data.settings import DataSettings, parsed_sizes
from dragoman.data.sources import SourceError, find_source
from dragoman.evaluation.suite_files import load_suite_files
from dragoman.files import read_lines
from dragoman.packages import PackageError
from dragoman.packages.table import GNOME_MANUALS
from dragoman.text.languages import language_name

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "packages"))
from catalog_samples import PARTS, offer_wheel
from debs import deb, offer_deb

NAMESPACES = 'xmlns="http://projectmallard.org/1.0/" xmlns:if="http://projectmallard.org/if/1.0/"'
PAGE = f"""<page {NAMESPACES} id="send">
  <info><desc>Hidden</desc><title type="link">Hidden</title></info>
  <title>Send  files</title>
  <comment><cite>anna</cite><p>Hidden</p></comment>
  <p>Press <keyseq><key>Ctrl</key><key>C</key></keyseq> and <gui>Copy</gui>.
     <!-- no comment --> See <link xref="share"/> or <link xref="#more"/>.</p>
  <if:choose>
    <if:when test="platform:gnome-classic"><p>Hidden</p></if:when>
    <if:when test="!platform:gnome-classic"><p>Shown</p></if:when>
  </if:choose>
  <p if:test="!target:mobile, platform:ubuntu">Shown, too</p>
  <media src="a.png"><p>Hidden</p></media>
  <table><tr><td><p>Cell</p></td><td>Bare cell</td></tr></table>
  <section id="more"><title>More</title><screen>hidden</screen>
    <steps><item><p>Choose <guiseq><gui>File</gui><gui>Send</gui></guiseq></p></item></steps>
  </section>
</page>""".encode()


def page(paragraphs, name="one"):
    texts = "".join(f"<p>{text}</p>" for text in paragraphs)
    return f'<page {NAMESPACES} id="{name}">{texts}</page>'


def sentences(code):
    return [f"{' '.join(parts)}." for parts in product(*PARTS[code])]


def manual(pages=60, length=4):
    """Pages of consecutive sentences in English, German and French; the French one lacks a sentence of the first."""
    files = {}
    for number in range(pages):
        for code, name in {"en": "C", "de": "de", "fr": "fr_FR"}.items():
            texts = sentences(code)[number * length : (number + 1) * length]
            texts[1:2] = [sentences("en")[1]] if (code, number) == ("fr", 0) else texts[1:2]
            files[f"usr/share/help/{name}/tiny/p{number:02}.page"] = page(texts, f"p{number:02}")
    return files


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """A manual from apt and a catalog from pip."""
    (tmp_path / "index").mkdir()
    path = offer_deb(tmp_path, monkeypatch, manual(), GNOME_MANUALS.name, GNOME_MANUALS.version)
    offer_wheel(tmp_path / "index", monkeypatch, tmp_path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(building, "GNOME_MANUALS", dataclasses.replace(GNOME_MANUALS, sha256=sha256))


def test_a_page_is_what_its_reader_sees_of_it():
    titles = {"share": "Share files", **titles_of(PAGE, "C/tiny/send")}
    assert titles == {"share": "Share files", "send": "Send files", "send#more": "More"}
    assert read_blocks(PAGE, titles, "C/tiny/send") == [
        Block("title", "Send files"),
        Block("p", "Press Ctrl+C and Copy. See Share files or More."),
        Block("p", "Shown"),
        Block("p", "Shown, too"),
        Block("p", "Cell"),
        Block("td", "Bare cell"),
        Block("title", "More"),
        Block("p", "Choose File ▸ Send"),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"<page", "C/tiny/x is no well-formed XML"), (b"<book/>", "C/tiny/x begins with book, and a page of Mallard")],
)
def test_what_is_no_page_is_named(content, told):
    with pytest.raises(InputError, match=told):
        read_blocks(content, {}, "C/tiny/x")


def test_entities_of_a_page_are_not_resolved(tmp_path):
    (tmp_path / "secret").write_text("secret")
    content = f'<!DOCTYPE page [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>{page(["a &x; b"])}'.encode()
    assert "secret" not in read_blocks(content, {}, "p")[0].text


@pytest.mark.parametrize(
    ("lengths", "most", "parts"),
    [
        ([5, 5, 5, 5], 20, [(0, 4)]),
        ([5, 5, 5, 5], 10, [(0, 2), (2, 4)]),
        ([5, 5, 5, 5, 1], 10, [(0, 1), (1, 3), (3, 5)]),  # 3 parts of 7 words; middles: 2.5 | 7.5 12.5 | 17.5 20.5
        ([1, 30, 1], 10, [(0, 1), (1, 2), (2, 3)]),
        ([0, 0], 10, []),
        ([], 10, []),
    ],
)
def test_a_page_is_cut_between_paragraphs_into_parts_of_about_one_length(lengths, most, parts):
    assert [(part.start, part.stop) for part in cut(lengths, most)] == parts


def test_a_document_has_a_language_only_where_all_of_it_is_translated(tmp_path):
    path = deb(tmp_path / "manual.deb", manual(pages=3))
    pages = read_pages(GNOME_MANUALS, path, ("de", "fr"))
    assert [one.name for one in pages] == ["tiny/p00", "tiny/p01", "tiny/p02"]
    assert pages[0].paragraphs["de"] == tuple(sentences("de")[:4])
    assert pages[0].paragraphs["fr"][0] == sentences("fr")[0] and pages[0].paragraphs["fr"][1] == ""
    first, second, *_ = manual_documents(GNOME_MANUALS, pages, 1000, seed=0)
    assert first.texts == {"en": "\n".join(sentences("en")[:4]), "de": "\n".join(sentences("de")[:4])}
    assert second.texts["fr"] == "\n".join(sentences("fr")[4:8])
    assert (first.provenance, first.licence) == ("gnome-user-docs 43.0-2, tiny/p00", "CC-BY-SA-3.0")
    with pytest.raises(SourceError, match=r"gnome-user-docs 43.0-2 is not in 'cs'; known languages are de, fr_FR"):
        read_pages(GNOME_MANUALS, path, ("de", "cs"))


def test_another_structure_is_no_translation(tmp_path):
    files = manual(pages=1) | {"usr/share/help/de/tiny/p00.page": page(sentences("de")[:3], "p00")}
    (found,) = read_pages(GNOME_MANUALS, deb(tmp_path / "manual.deb", files), ("de", "fr"))
    assert set(found.paragraphs) == {"en", "fr"}


def test_parts_of_a_page_stay_in_its_split_and_known_ones_are_told(tmp_path):
    pages = read_pages(GNOME_MANUALS, deb(tmp_path / "manual.deb", manual()), ("de",))
    found = manual_documents(GNOME_MANUALS, pages, 20, seed=0)
    splits = {}
    for one in found:
        splits.setdefault(one.cluster, set()).add(one.split)
    assert len(splits) == 60 < len(found) and all(len(one) == 1 for one in splits.values())
    assert {"train", "eval"} < {one.split for one in found} and {one.heldout for one in found} == {"page"}
    train = next(one for one in pages if one.name in {f.provenance[-8:] for f in found if f.split == "train"})
    eval_ = next(one for one in pages if one.name in {f.provenance[-8:] for f in found if f.split == "eval"})
    copied = dataclasses.replace(eval_, paragraphs=train.paragraphs)
    marked = manual_documents(GNOME_MANUALS, [train, copied], 1000, seed=0)
    assert [(one.split, one.heldout) for one in marked] == [("train", "page"), ("eval", "near")]


SIZES = {
    "languages": ["en", "de", "fr"], "zero_shot": ["de-fr", "fr-de"], "packages": ["homeassistant"], "manuals": True,
    "human_eval": False, "algorithms": False, "accept_licences": ["CC-BY-SA-3.0"], "manual_share": 0.25,
    "mono": 5000, "parallel": 50, "instructions": 10, "sft": 200, "lat": 20, "preference": 50, "rl": 60,
    "eval_per_direction": 5, "eval_general": 6, "development_per_direction": 3, "development_general": 4,
}  # fmt: skip


def written(folder, **changes):
    find_source("catalogs").write(folder, 0, parsed_sizes(DataSettings(builder="catalogs", sizes=SIZES | changes)))


def of_manuals(path):
    return [row for _, row in read_lines(path) if row["provenance"].startswith("gnome-user-docs")]


def test_the_catalogs_take_pages_to_read_and_to_translate_and_hold_others_out(offered, tmp_path):
    with pytest.raises(PackageError, match=r"CC-BY-SA-3.0, which is not permissive.*adaptations are to be"):
        written(tmp_path / "refused", accept_licences=[])
    folder = tmp_path / "data"
    written(folder)
    files = {path.stem: of_manuals(path) for path in folder.glob("*.jsonl")}
    assert {name for name, rows in files.items() if rows} >= {"cpt_mono", "sft", "rl"}
    assert not files["lat"] and not files["cpt_parallel"]
    assert len(files["sft"]) == 8 and {row["task"] for row in files["sft"]} == {"translation"}  # 0.25 x 0.16 x 200
    assert {row["language"] for row in files["cpt_mono"]} == {"en", "de", "fr"}
    suite = [row for _, row in read_lines(folder / "eval/translation_documents.jsonl")]
    assert {(row["source_language"], row["target_language"]) for row in suite} == {
        ("en", "de"), ("de", "en"), ("en", "fr"), ("fr", "en"),
    }  # fmt: skip
    assert all(row["source"].count("\n") == 3 == row["reference"].count("\n") for row in suite)
    held_out = {row["provenance"] for row in suite}
    assert held_out and not held_out & {row["provenance"] for rows in files.values() for row in rows}
    assert {row["licence"] for row in (*suite, *files["sft"])} == {"CC-BY-SA-3.0"}
    assert read_documents(folder / "cpt_mono.jsonl") and read_conversations(folder / "sft.jsonl")
    assert read_prompts(folder / "rl.jsonl")
    shown = json.dumps([row for rows in files.values() for row in rows], ensure_ascii=False)
    assert not [row for row in suite if row["source"].split("\n")[0] in shown]


def test_a_suite_asks_whole_documents_in_any_two_languages(offered, tmp_path):
    path = tmp_path / "documents.yaml"
    path.write_text("task: rows\npackage: gnome_manuals\ndirections: [[de, fr]]\nper_direction: 4\n")
    with pytest.raises(Exception, match=r"--accept-licence CC-BY-SA-3\.0"):
        load_suite_files([str(path)])
    (loaded,) = load_suite_files([str(path)], ["CC-BY-SA-3.0"])
    assert len(loaded.suite.prompts) == 4
    for prompt in loaded.suite.prompts:
        lines = prompt.pair.source.split("\n")
        place = sentences("de").index(lines[0])
        assert lines == sentences("de")[place : place + 4]  # whole, and in the page's order
        assert prompt.pair.target.split("\n") == sentences("fr")[place : place + 4]
        assert prompt.question.endswith(prompt.pair.source) and language_name("fr") in prompt.question
    path.write_text("task: rows\npackage: gnome_manuals\n")
    with pytest.raises(Exception, match="package gnome_manuals needs directions"):
        load_suite_files([str(path)], ["CC-BY-SA-3.0"])

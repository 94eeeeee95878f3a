"""Every format with its odd cases: byte order marks, line ends, quotes, inline codes, states, plurals, wrong files."""

import json

import pytest
from pydantic import ValidationError

from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.segments import InputError
from dragoman.data.corpora.settings import InputSettings


def read(path, **asked):
    given = InputSettings(path=str(path), **asked)
    return list(find_format(given).read(given))


def pairs(path, **asked):
    return [(s.source, s.target) for s in read(path, **asked)]


def written(path, content, encoding="utf-8"):
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def test_moses_goes_line_by_line_and_only_a_line_feed_ends_a_line(tmp_path):
    written(tmp_path / "c.en", b"\xef\xbb\xbfone\r\ntwo\xe2\x80\xa8more\r\n\r\nfour")
    written(tmp_path / "c.de", "eins\nzwei\u2028mehr\n\nvier\n")
    asked = {"format": "moses", "languages": ("en", "de")}
    assert pairs(tmp_path / "c", **asked) == [
        ("one", "eins"),
        ("two\u2028more", "zwei\u2028mehr"),
        ("", ""),
        ("four", "vier"),
    ]
    assert read(tmp_path / "c", **asked)[3].place == "c:4"
    written(tmp_path / "c.de", "eins\n")
    with pytest.raises(InputError, match=r"c\.en has 4 lines and .*c\.de 1"):
        read(tmp_path / "c", **asked)
    with pytest.raises(InputError, match=r"c\.fr cannot be read"):
        read(tmp_path / "c", format="moses", languages=("en", "fr"))


def test_csv_knows_quotes_and_line_breaks_in_fields_and_tsv_does_not(tmp_path):
    csv = written(tmp_path / "m.csv", 'source,target,mt\r\n"Say ""hi"",\nnow",Sag hallo,Sage hallo\r\n')
    (found,) = read(csv, languages=("en", "de"), columns={"draft": "mt"})
    assert (found.source, found.target, found.draft) == ('Say "hi",\nnow', "Sag hallo", "Sage hallo")
    tsv = written(tmp_path / "m.tsv", 'He said "no\tEr sagte „nein\n', "utf-16")
    asked = {"languages": ("en", "de"), "header": False, "columns": {"source": "0", "target": "1"}}
    assert pairs(tsv, **asked) == [('He said "no', "Er sagte „nein")]
    with pytest.raises(InputError, match=r"m\.csv:\d has no text in column 'german'.*source, target, mt"):
        read(csv, languages=("en", "de"), columns={"target": "german"})
    with pytest.raises(InputError, match=r"does not say its languages; add languages"):
        read(csv)


def test_json_lines_take_nested_columns_and_languages_of_rows(tmp_path):
    rows = [
        {"translation": {"en": "one", "de": "eins"}},
        {
            "extra_info": {"source": "two", "source_language": "en", "target_language": "de"},
            "reward_model": {"ground_truth": "zwei"},
        },
    ]
    file = tmp_path / "r.jsonl"
    written(file, json.dumps(rows[0]))
    assert pairs(file, languages=("en", "de"), columns={"source": "translation.en", "target": "translation.de"}) == [
        ("one", "eins")
    ]
    written(file, json.dumps(rows[1]))
    verl = {
        "source": "extra_info.source", "target": "reward_model.ground_truth",
        "source_language": "extra_info.source_language", "target_language": "extra_info.target_language",
    }  # fmt: skip
    (found,) = read(file, columns=verl)
    assert (found.source, found.target, found.direction, found.place) == ("two", "zwei", ("en", "de"), "r.jsonl:1")


TMX = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="en-US" segtype="sentence"/><body>
<tu tuid="a"><tuv xml:lang="de-DE"><seg>Klick <bpt i="1">&lt;b&gt;</bpt>hier<ept i="1">&lt;/b&gt;</ept>!</seg></tuv>
 <tuv xml:lang="en-US"><seg>Click <bpt i="1">&lt;b&gt;</bpt>here<ept i="1">&lt;/b&gt;</ept>!</seg></tuv></tu>
<tu><tuv xml:lang="en-US"><seg>Page <ph x="1"/> of <hi>many</hi></seg></tuv>
 <tuv xml:lang="fr"><seg>Page <ph x="1"/> sur <hi>beaucoup</hi></seg></tuv>
 <tuv xml:lang="de"><seg>Seite <ph x="1"/> von <hi>vielen</hi></seg></tuv></tu>
<tu><tuv xml:lang="en-US"><seg>alone</seg></tuv></tu>
</body></tmx>"""


def test_tmx_keeps_native_codes_and_finds_the_languages_whatever_their_order(tmp_path):
    file = written(tmp_path / "m.tmx", TMX)
    assert pairs(file, languages=("en", "de")) == [
        ("Click <b>here</b>!", "Klick <b>hier</b>!"),
        ('Page <ph id="1"/> of many', 'Seite <ph id="1"/> von vielen'),
    ]
    assert [s.direction for s in read(file, languages=("en", "fr"))] == [("en_US", "fr")]
    first, second = read(file)  # the header's source and the first other language
    assert (first.direction, second.direction) == (("en_US", "de_DE"), ("en_US", "fr"))
    assert (first.place, second.place) == ("m.tmx#a", "m.tmx#2")


XLIFF = """<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
<file source-language="en" target-language="de" original="x" datatype="html"><body>
<trans-unit id="1"><source>Hello <g id="1">you</g></source><target state="final">Hallo <g id="1">du</g></target>
 <alt-trans origin="mt"><target>Hallo <g id="1">Sie</g></target></alt-trans></trans-unit>
<trans-unit id="2"><source>Draft</source><target state="needs-translation">Draft</target></trans-unit>
<trans-unit id="3" translate="no"><source>X1</source><target>X1</target></trans-unit>
<trans-unit id="4"><source>None</source></trans-unit>
<trans-unit id="5" approved="yes"><source>Line<x id="9"/>two</source><target>Zeile<x id="9"/>zwei</target></trans-unit>
</body></file></xliff>"""
XLIFF2 = """<xliff version="2.0" srcLang="en" trgLang="de" xmlns="urn:oasis:names:tc:xliff:document:2.0"><file id="f">
<unit id="u"><segment id="s1" state="reviewed">
<source>One <pc id="1">two</pc></source><target>Eins <pc id="1">zwei</pc></target></segment>
<segment state="initial"><source>Three<ph id="2"/></source><target>Drei<ph id="2"/></target></segment>
</unit></file></xliff>"""


def test_xliff_of_both_versions_with_states_and_drafts(tmp_path):
    file = written(tmp_path / "a.xlf", XLIFF)
    found = read(file)
    assert [(s.target, s.state) for s in found] == [
        ('Hallo <g id="1">du</g>', "final"), ("Draft", "needs-translation"), ('Zeile<x id="9"/>zwei', "final"),
    ]  # fmt: skip
    assert found[0].draft == 'Hallo <g id="1">Sie</g>' and found[0].place == "a.xlf#1"
    assert [s.place for s in read(file, states=("final",))] == ["a.xlf#1", "a.xlf#5"]
    second = read(written(tmp_path / "b.xliff", XLIFF2))
    assert [(s.source, s.target, s.state) for s in second] == [
        ('One <pc id="1">two</pc>', 'Eins <pc id="1">zwei</pc>', "reviewed"),
        ('Three<ph id="2"/>', 'Drei<ph id="2"/>', "initial"),
    ]
    assert [s.place for s in second] == ["b.xliff#u/s1", "b.xliff#u/2"]


def test_xml_that_is_broken_or_reads_other_files_is_refused(tmp_path):
    broken = written(tmp_path / "x.tmx", "<tmx><body>\n<tu></body></tmx>")
    with pytest.raises(InputError, match=r"x\.tmx:2 is no well-formed XML"):
        read(broken)
    secret = written(tmp_path / "secret.txt", "password")
    entity = f'<!DOCTYPE tmx [<!ENTITY s SYSTEM "{secret}">]>'
    hostile = (
        TMX.replace('<!DOCTYPE tmx SYSTEM "tmx14.dtd">', entity).replace("alone", "&s;").replace("of <hi>", "&s; <hi>")
    )
    with pytest.raises(InputError, match=r"h\.tmx declares entities of its own, which are not read") as refused:
        read(written(tmp_path / "h.tmx", hostile), languages=("en", "de"))
    assert "password" not in str(refused.value)


PO = r"""
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "Open \"%s\""
msgstr "„%s“ öffnen"

#, fuzzy
msgid "Close"
msgstr "Auf"

msgctxt "menu"
msgid "File"
msgid_plural "%d files"
msgstr[0] "Datei"
msgstr[1] "%d Dateien"

msgid "Untranslated"
msgstr ""

#~ msgid "Old"
#~ msgstr "Alt"
"""


def test_po_takes_plurals_apart_and_leaves_fuzzy_and_old_ones_out(tmp_path):
    file = written(tmp_path / "de.po", PO)
    assert pairs(file) == [('Open "%s"', "„%s“ öffnen"), ("File", "Datei"), ("%d files", "%d Dateien")]
    assert {s.direction for s in read(file)} == {("en", "de")}
    assert [(s.source, s.state) for s in read(file, states=("fuzzy",))] == [("Close", "fuzzy")]
    with pytest.raises(InputError, match="no catalog of gettext"):
        read(written(tmp_path / "bad.po", "no keyword here\n"))


def test_json_and_arb_catalogs_pair_by_key(tmp_path):
    source = written(tmp_path / "en.json", json.dumps({"a": {"b": "One", "c": "Two"}, "n": 3, "l": ["x", "y"]}))
    target = written(tmp_path / "de.json", json.dumps({"a": {"c": "Zwei", "b": "Eins"}, "l": ["X"]}))
    found = read(source, target_path=str(target), languages=("en", "de"))
    assert [(s.place, s.source, s.target) for s in found] == [
        ("en.json#a.b", "One", "Eins"), ("en.json#a.c", "Two", "Zwei"), ("en.json#l[0]", "x", "X"),
    ]  # fmt: skip
    arb = written(
        tmp_path / "en.arb", json.dumps({"@@locale": "en", "hi": "Hi {name}", "@hi": {"description": "greeting"}})
    )
    other = written(tmp_path / "de.arb", json.dumps({"hi": "Hallo {name}", "@hi": {"description": "x"}}))
    assert pairs(arb, target_path=str(other), languages=("en", "de")) == [("Hi {name}", "Hallo {name}")]
    with pytest.raises(InputError, match="add target_path"):
        read(source, languages=("en", "de"))


def test_subtitles_pair_by_time(tmp_path):
    first = "1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\nyou\r\n\r\n2\r\n00:00:05,000 --> 00:00:06,000\r\nBye\r\n"
    second = (
        "1\n00:00:01,200 --> 00:00:02,100\nHallo du\n\n2\n00:00:03,000 --> 00:00:03,500\n[Musik]\n\n"
        "3\n00:00:04,900 --> 00:00:06,000\nTschüss"
    )
    files = [written(tmp_path / name, text) for name, text in (("a.srt", first), ("b.srt", second))]
    asked = {"target_path": str(files[1]), "languages": ("en", "de")}
    assert pairs(files[0], **asked) == [("Hello you", "Hallo du"), ("Bye", "Tschüss")]
    sbv = written(tmp_path / "c.sbv", "0:00:01.000,0:00:02.000\nHello you\n")
    assert pairs(sbv, **asked) == [("Hello you", "Hallo du")]


def test_datasets_of_a_folder_and_of_parquet(tmp_path):
    import datasets

    table = datasets.Dataset.from_dict({"translation": [{"en": "one", "de": "eins"}, {"en": "two", "de": "zwei"}]})
    table.save_to_disk(str(tmp_path / "disk"))
    table.to_parquet(str(tmp_path / "t.parquet"))
    asked = {"languages": ("en", "de"), "columns": {"source": "translation.en", "target": "translation.de"}}
    wanted = [("one", "eins"), ("two", "zwei")]
    assert pairs(tmp_path / "disk", format="datasets", **asked) == wanted
    assert pairs(tmp_path / "t.parquet", **asked) == wanted
    assert pairs(tmp_path / "t.parquet", streaming=True, **asked) == wanted
    with pytest.raises(InputError, match="cannot be loaded by datasets"):
        read(tmp_path / "missing.parquet", **asked)


def test_bytes_that_are_no_utf_8_and_unknown_formats_are_named(tmp_path):
    latin = written(tmp_path / "l.csv", "source,target\nTür,door\n", "latin-1")
    with pytest.raises(InputError, match=r"l\.csv:2 is not utf-8 \(byte 0xfc\)"):
        read(latin, languages=("de", "en"))
    for asked, words in (
        ({"path": "a.docx"}, "no format is known by '.docx'"),
        ({"path": "a", "format": "tmxx"}, "did you mean 'tmx'"),
    ):
        with pytest.raises(ValidationError, match=words):
            InputSettings(**asked)
    with pytest.raises(ValidationError, match="unknown language code 'xx1'"):
        InputSettings(path="a.tmx", languages=("en", "xx1"))

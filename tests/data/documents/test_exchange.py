"""TMX and XLIFF filled in place, read back by the standard library's parser."""

import re
import xml.etree.ElementTree as ET

import pytest

from dragoman.data.corpora.segments import InputError
from dragoman.data.documents import Asked, Reply, open_document, translate_document

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
X1 = "{urn:oasis:names:tc:xliff:document:1.2}"
X2 = "{urn:oasis:names:tc:xliff:document:2.0}"
DE = {"Hello": "Hallo", "file": "Datei", "Click": "Klicken Sie", "here": "hier", "world": "Welt"}


def in_german(texts):
    """A stand-in that swaps words and keeps all else."""
    return [Reply(re.sub(r"[A-Za-z]+", lambda m: DE.get(m[0], m[0]), text)) for text in texts]


def run(path, content, translate=in_german, **more):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    document = open_document(Asked(path, "en", "de", **more))
    return translate_document(document, translate, "de")


def shape(element):
    """Everything of a tree but the content of targets, and their states."""
    if element.tag.endswith("target"):
        return element.tag
    return (
        element.tag,
        sorted(element.attrib.items()),
        (element.text or "").split(),
        (element.tail or "").split(),
        [shape(e) for e in element],
    )


TMX = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r
<!DOCTYPE tmx SYSTEM "tmx14.dtd">\r
<!-- a memory -->\r
<tmx version='1.4'>\r
  <header srclang="en-US" creationtool="x" segtype="sentence"   datatype="xml"/>\r
  <body>\r
    <tu tuid="a" changeid='&quot;me&quot;'>\r
      <prop type="x">Hello</prop>\r
      <tuv xml:lang="en-US">\r
        <seg>Hello <bpt i="1">&lt;b></bpt>world<ept i="1">&lt;/b></ept> &amp; <ph x="1">{name}</ph><![CDATA[ 1 < 2, Hello ]]></seg>\r
      </tuv>\r
    </tu>\r
    <tu tuid="b"><tuv xml:lang="en-US"><seg>Hello</seg></tuv><tuv xml:lang="de"><seg>Servus</seg></tuv></tu>\r
    <tu tuid="c"><tuv xml:lang="en"><seg>42</seg></tuv><tuv xml:lang="fr"><seg>42</seg></tuv></tu>\r
  </body>\r
</tmx>\r
"""  # noqa: E501


def test_a_memory_gets_variants_and_keeps_every_other_byte(tmp_path):
    asked = []
    content, summary = run(tmp_path / "m.tmx", TMX, lambda texts: asked.extend(texts) or in_german(texts))
    assert asked == ["Hello <b>world</b> & {name} 1 < 2, Hello"]
    assert (summary.translated, summary.copied, summary.finished, summary.marked, summary.left) == (1, 1, 1, [], [])
    text = content.decode()
    new = re.compile(r'(?:\r\n      )?<tuv xml:lang="de">(?:(?!Servus).)*?</tuv>', re.DOTALL)
    assert len(new.findall(text)) == 2
    assert new.sub("", text) == TMX, "nothing but the new variants was written"
    units = {tu.get("tuid"): tu for tu in ET.fromstring(content).iter("tu")}
    made = units["a"].findall("tuv")[1]
    assert made.get(LANG) == "de" and "".join(made.itertext()).strip() == "Hallo <b>Welt</b> & {name} 1 < 2, Hallo"
    assert [(e.tag, e.get("i") or e.get("x"), e.text) for e in made.find("seg")] == [
        ("bpt", "1", "<b>"), ("ept", "1", "</b>"), ("ph", "1", "{name}"),
    ]  # fmt: skip
    assert [t.find("seg").text for t in units["b"].findall("tuv")] == ["Hello", "Servus"]
    assert [t.find("seg").text for t in units["c"].findall("tuv")] == ["42", "42", "42"]


def test_a_finished_translation_is_made_anew_only_when_asked(tmp_path):
    content, summary = run(tmp_path / "m.tmx", TMX, again=True)
    assert summary.translated == 2 and summary.finished == 0
    assert b'<tuv xml:lang="de"><seg>Hallo</seg></tuv>' in content and b"Servus" not in content


def test_a_memory_takes_no_translation_that_lost_a_code(tmp_path):
    content, summary = run(tmp_path / "m.tmx", TMX, lambda texts: [Reply("Hallo <b>Welt</b>") for _ in texts])
    assert summary.translated == 0 and len(summary.marked) == 1 and "#a: lost {name}" in summary.marked[0]
    assert "Hallo" not in content.decode()


XLIFF_1 = """<?xml version="1.0" encoding="ISO-8859-1"?>
<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" xmlns:mq="urn:mq" version="1.2">
 <file original='a.html' source-language="en-US" datatype="html">
  <body>
   <group id="g"><trans-unit id="1" mq:status="x>y">
    <source>Click <g id="1" ctype="bold">here <g id="2">world</g></g> or <x id="3"/>&#160;\xe9.</source>
    <!-- remark -->
    <alt-trans><source>Hello</source><target>Old</target></alt-trans>
   </trans-unit></group>
   <trans-unit id="2" approved="yes"><source>Hello</source><target>Grias di</target></trans-unit>
   <trans-unit id="3"><source>Hello</source><target state="needs-translation"/></trans-unit>
   <trans-unit id="4" translate="no"><source>Hello</source></trans-unit>
   <trans-unit id="5"><source>Hello</source><target state="final">Grias di</target></trans-unit>
   <group id="h" translate="no"><trans-unit id="6"><source>Hello</source></trans-unit></group>
   <trans-unit id="7"><source>Hello</source><target state='new' resname="r">Hello</target></trans-unit>
   <trans-unit id="8"><source/></trans-unit>
  </body>
 </file>
</xliff>
""".encode("latin-1")


def test_xliff_1_keeps_its_tree_and_states_what_was_done(tmp_path):
    content, summary = run(tmp_path / "a.xlf", XLIFF_1)
    before, after = ET.fromstring(XLIFF_1), ET.fromstring(content)
    units = {u.get("id"): u for u in after.iter(X1 + "trans-unit")}
    target = units["1"].find(X1 + "target")
    assert "".join(target.itertext()) == "Klicken Sie hier Welt or \xa0\xe9."
    assert [(e.tag, dict(e.attrib)) for e in target.iter() if e is not target] == [
        (X1 + "g", {"id": "1", "ctype": "bold"}), (X1 + "g", {"id": "2"}), (X1 + "x", {"id": "3"}),
    ]  # fmt: skip
    assert target.attrib == {"state": "translated", "state-qualifier": "leveraged-mt"}
    assert [units[n].find(X1 + "target").text for n in "2357"] == ["Grias di", "Hallo", "Grias di", "Hallo"]
    assert units["7"].find(X1 + "target").get("resname") == "r" and units["7"].find(X1 + "target").get("state") != "new"
    assert all(units[n].find(X1 + "target") is None for n in "468")
    assert (summary.translated, summary.finished) == (3, 2)
    file = after.find(X1 + "file")
    assert file.attrib.pop("target-language") == "de", "which is required once there are targets"
    units["1"].remove(target)
    assert shape(after) == shape(before)
    assert b"<!-- remark -->" in content and b'mq:status="x>y"' in content


def test_xliff_1_marks_a_translation_that_lost_a_code_and_stays_well_formed(tmp_path):
    def broken(texts):
        return [Reply('Klicken </g><g id="2">hier</g> <g id="9">x</g> <g id="1">offen 日') for _ in texts]

    content, summary = run(tmp_path / "a.xlf", XLIFF_1, broken)
    target = next(ET.fromstring(content).iter(X1 + "trans-unit")).find(X1 + "target")
    assert target.get("state") == "needs-review-translation" and len(summary.marked) == 3
    assert [e.get("id") for e in target] == ["2"] and "日" in "".join(target.itertext())


XLIFF_2 = b"""\xef\xbb\xbf<x:xliff xmlns:x="urn:oasis:names:tc:xliff:document:2.0" version="2.1" srcLang="en">
<x:file id="f"><x:unit id="u"><x:notes><x:note>Hello</x:note></x:notes>
<x:segment id="s1"><x:source>Hello <x:pc id="1" dataRefStart="d1">world <x:ph id="2"/></x:pc></x:source></x:segment>
<x:ignorable><x:source> Hello </x:source></x:ignorable>
<x:segment id="s2" state="initial" subState="a:b"><x:source>Hello</x:source><x:target>Hello</x:target></x:segment>
<x:segment id="s3" state="reviewed"><x:source>Hello</x:source><x:target>Servus</x:target></x:segment>
<x:segment><x:source>Hello</x:source><x:target>Servus</x:target></x:segment>
</x:unit></x:file></x:xliff>"""


def test_xliff_2_with_a_prefix_and_a_byte_order_mark(tmp_path):
    content, summary = run(tmp_path / "a.xliff", XLIFF_2)
    assert content.startswith(b"\xef\xbb\xbf<x:xliff") and summary.translated == 2 and summary.finished == 2
    root = ET.fromstring(content)
    segments = list(root.iter(X2 + "segment"))
    assert root.get("trgLang") == "de"
    assert [s.get("state") for s in segments] == ["translated", "translated", "reviewed", None]
    assert segments[1].get("subState") is None
    assert ["".join(s.find(X2 + "target").itertext()) for s in segments] == ["Hallo Welt ", "Hallo", "Servus", "Servus"]
    pair = segments[0].find(X2 + "target")[0]
    assert pair.attrib == {"id": "1", "dataRefStart": "d1"} and pair[0].get("id") == "2"
    lost, _ = run(tmp_path / "b.xliff", XLIFF_2, lambda texts: [Reply("Hallo") for _ in texts])
    assert [s.get("state") for s in ET.fromstring(lost).iter(X2 + "segment")][:2] == ["initial", "translated"]


def test_codes_that_overlap_or_repeat_are_carried_over(tmp_path):
    seg = '<bpt i="1">&lt;b></bpt>Hello<bpt i="2">&lt;b></bpt>file<ept i="1">&lt;/b></ept>here<ept i="2">&lt;/b></ept>'
    unit = f'<tu><tuv xml:lang="en"><seg>{seg}</seg></tuv></tu>'
    tmx = f'<tmx version="1.4"><header srclang="en"/><body>{unit}</body></tmx>'
    content, summary = run(tmp_path / "m.tmx", tmx)
    made = ET.fromstring(content).findall(".//seg")[1]
    assert summary.translated == 1 and "".join(made.itertext()) == "<b>Hallo<b>Datei</b>hier</b>"
    assert [e.get("i") for e in made] == ["1", "2", "1", "2"]


def test_a_pair_in_the_wrong_order_is_no_finished_translation(tmp_path):
    source = '<source>Hello &lt;b&gt; <g id="1">world</g></source>'
    unit = (
        f'<file source-language="en" target-language="de"><body><trans-unit id="1">{source}</trans-unit></body></file>'
    )
    xliff = f'<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2">{unit}</xliff>'
    content, summary = run(tmp_path / "a.xlf", xliff, lambda texts: [Reply('Hallo <b> </g>Welt<g id="1">')])
    target = next(ET.fromstring(content).iter(X1 + "target"))
    assert summary.marked and target.get("state") == "needs-review-translation"
    assert "".join(target.itertext()) == "Hallo <b> Welt" and len(target) == 0


def test_files_that_cannot_be_read_are_named(tmp_path):
    bomb = '<!DOCTYPE tmx [<!ENTITY a "b">]><tmx version="1.4"><body/></tmx>'
    with pytest.raises(InputError, match="entities of its own"):
        run(tmp_path / "m.tmx", bomb)
    with pytest.raises(InputError, match=r"m\.tmx:1 is no well-formed XML"):
        run(tmp_path / "m.tmx", "<tmx><body></tmx>")
    with pytest.raises(InputError, match="holds no text in 'en'"):
        run(tmp_path / "m.tmx", TMX.replace("en-US", "it").replace('"en"', '"it"'))
    with pytest.raises(InputError, match="source-language is en-US, not fr"):
        path = tmp_path / "a.xlf"
        path.write_bytes(XLIFF_1)
        open_document(Asked(path, "fr", "de"))

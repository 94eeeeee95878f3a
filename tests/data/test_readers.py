"""One reader for training rows and for files filled in place, compared with Babel's and the standard library's."""

import io
import xml.etree.ElementTree as ET

import pytest
from babel.messages.pofile import read_po

from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.settings import InputSettings
from dragoman.data.documents import Asked, Reply, open_document, translate_document
from dragoman.data.readers.xml_tree import streamed, tree

PO = r"""# odd
msgid ""
msgstr ""
"Language: cs\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=3; plural=(n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2;\n"

#| msgid "Old words"
msgid ""
"First \"line\"\n"
"second\tline \\ end"
msgstr "První \"řádek\"\n"
"druhý\třádek \\ konec"

#, python-format, fuzzy
msgid "Close %s"
msgstr "Otevřít %s"

msgctxt "menu"
msgid "File"
msgstr "Soubor"

msgctxt "tool"
msgid "File"
msgstr "Pilník"

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d soubor"
msgstr[1] "%d soubory"
msgstr[2] "%d souborů"

msgid "Not yet"
msgstr ""

#~ msgid "Gone"
#~ msgstr "Pryč"
"""


def read(path, **asked):
    given = InputSettings(path=str(path), **asked)
    return [(s.source, s.target) for s in find_format(given).read(given)]


def by_babel(content):
    pairs = []
    for message in read_po(io.BytesIO(content)):
        if message.id and not message.fuzzy:
            if isinstance(message.id, tuple):
                pairs += [(message.id[min(form, 1)], text) for form, text in enumerate(message.string) if text]
            elif message.string:
                pairs.append((message.id, message.string))
    return pairs


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-2"])
def test_a_catalog_is_read_as_babel_reads_it_whatever_its_bytes(tmp_path, encoding, end):
    stated = "iso-8859-2" if encoding == "iso-8859-2" else "UTF-8"
    text = PO.replace("UTF-8", stated)
    path = tmp_path / "cs.po"
    path.write_bytes(text.replace("\n", end).encode(encoding))
    found = read(path)
    assert found == by_babel(PO.encode()) and len(found) == 6
    assert found[0] == ('First "line"\nsecond\tline \\ end', 'První "řádek"\ndruhý\třádek \\ konec')
    with_fuzzy = read(path, states=("fuzzy",))
    assert with_fuzzy == [("Close %s", "Otevřít %s")]


XLIFF = """<?xml version="1.0" encoding="{encoding}"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2">
<file source-language="en" target-language="de" original="x" datatype="plaintext"><body>
 <group translate="no"><trans-unit id="0"><source>key</source><target>key</target></trans-unit></group>
 <trans-unit id="1"><source>Two
      lines &amp; <g id="1">more</g></source><target>Zwei
      Zeilen &amp; <g id="1">mehr</g></target></trans-unit>
 <trans-unit id="2" xml:space="preserve"><source>Keep  it
so</source><target>Lass  es
so</target></trans-unit>
 <trans-unit id="3"><source>One. Two.</source>
  <seg-source><mrk mtype="seg" mid="1">One.</mrk> <mrk mtype="seg" mid="2">Two.</mrk></seg-source>
  <target><mrk mtype="seg" mid="1">Eins.</mrk> <mrk mtype="seg" mid="2">Zwei.</mrk></target></trans-unit>
 <trans-unit id="4"><source>Open</source><target/></trans-unit>
</body></file></xliff>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xliff_is_spaced_as_it_says_and_segments_stay_one_text(tmp_path, encoding):
    path = tmp_path / "a.xlf"
    path.write_bytes(XLIFF.format(encoding=encoding).encode(encoding))
    assert read(path) == [
        ('Two lines & <g id="1">more</g>', 'Zwei Zeilen & <g id="1">mehr</g>'),
        ("Keep  it\nso", "Lass  es\nso"),
        ("One. Two.", "Eins. Zwei."),
        ("Open", ""),
    ]


def test_what_was_filled_in_is_read_back_as_rows(tmp_path):
    """The standard library's parser says what stands in the file; both of our readers say the same."""
    path = tmp_path / "m.tmx"
    units = "".join(f'<tu><tuv xml:lang="en"><seg>Word &lt;{n}&gt; here</seg></tuv></tu>' for n in range(50))
    path.write_text(f'<tmx version="1.4"><header srclang="en"/><body>{units}</body></tmx>')
    document = open_document(Asked(path, "en", "de"))
    swapped = lambda texts: [Reply(text.replace("Word", "Wort").replace("here", "hier")) for text in texts]  # noqa: E731
    path.write_bytes(translate_document(document, swapped, "de")[0])
    segments = [seg.text for seg in ET.parse(path).iter("seg")]
    assert read(path, languages=("en", "de")) == list(zip(segments[0::2], segments[1::2], strict=True))
    again = open_document(Asked(path, "en", "de"))
    assert len(again.slots) == 50 and all(slot.finished for slot in again.slots)


def test_cues_end_at_an_empty_line_or_at_the_next_times_in_any_dialect(tmp_path):
    srt = "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\nOne\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nTwo\r\nlines\r\n"
    vtt = "WEBVTT\n\nNOTE made by hand\n\n00:01.000 --> 00:02.000 align:start\nEins\n\n00:03.100 --> 00:04.000\nZwei\n"
    (tmp_path / "a.srt").write_bytes(srt.encode())
    (tmp_path / "a.vtt").write_text(vtt)
    asked = {"target_path": str(tmp_path / "a.vtt"), "languages": ("en", "de")}
    assert read(tmp_path / "a.srt", **asked) == [("One", "Eins"), ("Two lines", "Zwei")]
    slots = open_document(Asked(tmp_path / "a.srt", "en", "de")).slots
    assert [(slot.place, slot.text) for slot in slots] == [(":3", "One"), (":6", "Two lines")]


def test_a_long_memory_is_read_unit_by_unit():
    """What was looked at is forgotten: the body never holds more than the unit at hand."""
    units = "".join(f'<tu><tuv xml:lang="en"><seg>{n}</seg></tuv></tu>' for n in range(500))
    text = f'<tmx version="1.4"><header srclang="en"/><body>{units}</body></tmx>'
    held = [len(e.parent.children) for e in streamed(text, "x", ("tu",)) if e.name == "tu"]
    assert held == [1] * 500
    assert len(tree(text).child("body").children) == 500

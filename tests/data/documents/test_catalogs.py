"""PO by babel, JSON and ARB by json, subtitles and text by their lines."""

import io
import json
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from dragoman.data.corpora.segments import InputError
from dragoman.data.documents import Asked, Reply, open_document, translate_document
from dragoman.recipes.extensions import load_extensions

WORDS = {"Hello": "Hallo", "file": "Datei", "files": "Dateien", "world": "Welt", "Quit": "Beenden"}


def in_german(texts):
    return [Reply(re.sub(r"[A-Za-z]+", lambda m: WORDS.get(m[0], m[0]), text)) for text in texts]


def run(path, content, translate=in_german, target="de", **more):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return translate_document(open_document(Asked(path, "en", target, **more)), translate, target)


PO = r"""# Translators
msgid ""
msgstr ""
"Language: {language}\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: {plural};\n"

#. a remark
#: main.c:1
#, c-format
msgctxt "menu"
msgid "Hello %s\n"
msgstr ""

#, fuzzy, c-format
#| msgid "old"
msgid "Quit"
msgstr "Ende?"

#: main.c:2
msgid "world"
msgstr "Erde"

msgid ""
"file \"a\"\n"
"Hello"
msgstr ""

#, c-format
msgid "%d file"
msgid_plural "%d files"
{forms}
#~ msgid "gone"
#~ msgstr "weg"
"""


def po(language, plural, forms):
    slots = "".join(f'msgstr[{n}] ""\n' for n in range(forms))
    return PO.replace("{language}", language).replace("{plural}", plural).replace("{forms}", slots)


GERMAN = po("de", "nplurals=2; plural=(n != 1)", 2)
RUSSIAN = po(
    "ru",
    "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)",
    3,
)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_catalog_gets_its_messages_and_keeps_every_other_line(tmp_path, end):
    asked = []
    content, summary = run(
        tmp_path / "a.po", GERMAN.replace("\n", end), lambda texts: asked.extend(texts) or in_german(texts)
    )
    assert asked == ["Hello %s", "Quit", 'file "a"\nHello', "%d file", "%d files"]
    assert (summary.translated, summary.finished, summary.marked) == (5, 1, [])
    before, after = (read_po(io.BytesIO(text)) for text in (GERMAN.encode(), content.replace(b"\r\n", b"\n")))
    assert [(m.id, m.context, m.auto_comments, m.locations) for m in after] == [
        (m.id, m.context, m.auto_comments, m.locations) for m in before
    ]
    assert [m.string for m in after][1:] == [
        "Hallo %s\n", "Beenden", "Erde", 'Datei "a"\nHallo', ("%d Datei", "%d Dateien"),
    ]  # fmt: skip
    assert not any(m.fuzzy for m in after) and list(after.obsolete) == ["gone"]

    def others(text):
        kept = [line for line in text.split(end) if not re.match(r'msgstr|"|#,', line)]
        return kept, text.count('"')

    assert others(content.decode())[0] == others(GERMAN.replace("\n", end))[0]
    assert b"\n" not in content.replace(b"\r\n", b"") or end == "\n"


def test_a_message_that_lost_its_placeholder_is_fuzzy(tmp_path):
    content, summary = run(tmp_path / "a.po", GERMAN, lambda texts: [Reply("Hallo") for _ in texts])
    messages = {str(m.id): m for m in read_po(io.BytesIO(content))}
    assert messages["Hello %s\n"].fuzzy and messages["('%d file', '%d files')"].fuzzy
    assert messages["Hello %s\n"].flags >= {"fuzzy", "c-format"}
    assert not messages["Quit"].fuzzy and not messages["world"].fuzzy and len(summary.marked) == 3
    assert summary.marked[0] == ":11: lost %1$s: 'Hallo'"


def test_slavic_plurals_fill_every_form_and_are_to_be_looked_at(tmp_path):
    content, summary = run(tmp_path / "a.po", RUSSIAN, target="ru")
    message = next(m for m in read_po(io.BytesIO(content)) if isinstance(m.id, tuple))
    assert message.string == ("%d Datei", "%d Dateien", "%d Dateien") and message.fuzzy
    assert [line for line in summary.marked if "several plural forms" in line] == summary.marked
    word = RUSSIAN.replace('"%d file"', '"One file"')
    content, _ = run(tmp_path / "b.po", word, target="ru")
    message = next(m for m in read_po(io.BytesIO(content)) if isinstance(m.id, tuple))
    assert message.string[0] == "%d Dateien", "the form for 1 is also shown for 21 and needs its number"


def test_what_has_no_answer_leaves_its_entry_alone(tmp_path):
    content, summary = run(tmp_path / "a.po", GERMAN, lambda texts: [Reply(None, "too long") for _ in texts])
    assert content.decode() == GERMAN and len(summary.left) == 5 and "too long" in summary.left[0]


def test_a_catalog_of_another_language_or_broken_is_refused(tmp_path):
    with pytest.raises(InputError, match="Language is ru, not de"):
        run(tmp_path / "a.po", RUSSIAN)
    with pytest.raises(InputError, match="no catalog of gettext"):
        run(tmp_path / "a.po", 'msgid "a"\nno keyword\n')
    with pytest.raises(InputError, match="cannot write"):
        run(tmp_path / "a.po", GERMAN.replace("UTF-8", "ISO-8859-1"), lambda texts: [Reply("日") for _ in texts])


ARB = """\ufeff{
\t"@@locale": "en",
  "greet" :  "Hello {name}",   "@greet": {"description": "Hello", "placeholders": {"name": {"example": "file"}}},
  "n": 1.50, "list": ["Hello", "42", null, {"deep": "world \\"\\u00e9\\" \\ud83d\\ude00"}], "empty": "",
  "count": "{n, plural, one {# file} other {# files}}", "a.b": "{name}", "same": "Hello"
}
"""


def texts_of(value):
    return json.loads(value.decode("utf-8-sig"))


def test_an_arb_catalog_keeps_metadata_and_layout(tmp_path):
    asked = []
    content, summary = run(tmp_path / "a.arb", ARB, lambda texts: asked.extend(texts) or in_german(texts))
    assert asked == ["Hello {name}", "Hello", 'world "é" 😀', "{n, plural, one {# file} other {# files}}"]
    before, after = texts_of(ARB.encode()), texts_of(content)
    assert after == {
        **before, "@@locale": "de", "greet": "Hallo {name}", "list": ["Hallo", "42", None, {"deep": 'Welt "é" 😀'}],
        "count": "{n, plural, one {# Datei} other {# Dateien}}", "same": "Hallo",
    }  # fmt: skip
    assert list(after) == list(before) and (summary.translated, summary.copied) == (5, 2)
    strings = re.compile(r'"(?:[^"\\]|\\.)*"')
    assert strings.sub("", content.decode()) == strings.sub("", ARB), "not a space has moved"


def test_a_catalog_takes_no_broken_placeholder_and_keeps_what_is_there(tmp_path):
    existing = tmp_path / "de.json"
    existing.write_text('{"greet": "Servus {name}", "same": "Hello"}')
    source = '{"greet": "Hello {name}", "other": "Hello {x}", "same": "Hello"}'
    given = [Reply("Hallo {y}"), Reply("Hallo")]
    content, summary = run(tmp_path / "en.json", source, lambda texts: given, existing=existing)
    assert texts_of(content) == {"greet": "Servus {name}", "other": "Hello {x}", "same": "Hallo"}
    assert (summary.finished, summary.translated) == (1, 1) and "#other: lost {x}" in summary.marked[0]
    content, summary = run(tmp_path / "en.json", source, existing=existing, again=True)
    assert texts_of(content)["greet"] == "Hallo {name}" and summary.translated == 3
    with pytest.raises(InputError, match="is not JSON"):
        run(tmp_path / "en.json", '{"a": }')


SRT = """\ufeff1
00:00:01,000 --> 00:00:02,000 X1:40
<i>Hello world,
Hello file</i>

2
00:00:03,000 --> 00:00:04,000
- Hello!
- Quit.

3
00:00:05,000 --> 00:00:06,000
♪
""".replace("\n", "\r\n")


def test_subtitles_keep_times_numbers_and_lines(tmp_path):
    asked = []
    content, summary = run(tmp_path / "a.srt", SRT, lambda texts: asked.extend(texts) or in_german(texts))
    assert asked == ["<i>Hello world, Hello file</i>", "- Hello!", "- Quit."]
    expected = (
        SRT.replace("Hello", "Hallo").replace("world", "Welt").replace("file", "Datei").replace("Quit", "Beenden")
    )
    assert content.decode() == expected and (summary.translated, summary.copied) == (3, 1)
    content, _ = run(tmp_path / "a.srt", SRT, lambda texts: [Reply("a\n\nb " * 9) for _ in texts])
    assert content.count(b"\n") == SRT.count("\n"), "an answer cannot break a cue"


def test_text_keeps_its_lines_and_equal_ones_are_asked_once(tmp_path):
    text = "Hello\r\n\r\n  Hello\t\n42 %\nfile\u2028world\n\n\nQuit"
    asked = []
    content, summary = run(tmp_path / "a.txt", text, lambda texts: asked.extend(texts) or in_german(texts))
    assert asked == ["Hello", "file\u2028world", "Quit"]
    assert content.decode() == "Hallo\r\n\r\n  Hallo\t\n42 %\nDatei\u2028Welt\n\n\nBeenden"
    assert (summary.translated, summary.copied) == (4, 1)


def test_an_invented_placeholder_and_an_empty_answer_are_no_translation(tmp_path):
    _, summary = run(tmp_path / "a.txt", "Hello\nworld\n", lambda texts: [Reply("Hallo {name}"), Reply(" ")])
    assert summary.translated == 0 and "invented" in summary.marked[0] and "empty" in summary.marked[1]


def test_a_template_keeps_its_forms_and_a_half_finished_plural_its_finished_form(tmp_path):
    template = po("", "nplurals=INTEGER; plural=EXPRESSION", 2).replace("UTF-8", "CHARSET")
    content, summary = run(tmp_path / "a.pot", template)
    assert b"INTEGER" in content and b"charset=CHARSET" in content and summary.translated == 5
    half = GERMAN.replace('msgstr[0] ""', 'msgstr[0] "%d Akte"')
    content, summary = run(tmp_path / "a.po", half)
    assert b'msgstr[0] "%d Akte"\nmsgstr[1] "%d Dateien"' in content and summary.finished == 2
    stale = half.replace('#, c-format\nmsgid "%d file"', '#, fuzzy, c-format\nmsgid "%d file"')
    given = {"%d files": Reply(None, "too long")}
    content, _ = run(tmp_path / "b.po", stale, lambda texts: [given.get(t) or in_german([t])[0] for t in texts])
    assert b'#, fuzzy, c-format\nmsgid "%d file"' in content and b"%d Akte" in content, (
        "half of an entry is not written"
    )


def test_a_format_of_a_team_is_used_as_the_page_shows_it(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "translating.md"
    code = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    (tmp_path / "my_format.py").write_text(code)
    load_extensions([str(tmp_path / "my_format.py")])
    content, summary = run(tmp_path / "a.properties", "a=Hello {x}\nb=42\nc = world\n")
    assert content == b"a=Hallo {x}\nb=42\nc = Welt\n" and summary.translated == 2

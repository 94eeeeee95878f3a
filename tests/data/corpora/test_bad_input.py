"""What a localisation team's files hold besides good pairs, through a recipe with `builder: corpus` and every filter.

Each fault is refused with file and line before a row is written, or counted in the funnel under the filter that took
it, and in no row. Each file has the four good pairs; expected counts are those of the bad rows put in.
"""

import json

import pytest

from dragoman.errors import DragomanError
from dragoman.pipeline.data import build_data
from dragoman.pipeline.data_command import show_funnel
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import load_recipe

GOOD = [
    ("The old house near the river has a new red roof.", "Das alte Haus am Fluss hat ein neues rotes Dach."),
    ("Please close the window before you leave.", "Bitte schließen Sie das Fenster, bevor Sie gehen."),
    ("Our neighbours went to the mountains with friends.", "Unsere Nachbarn sind mit Freunden in die Berge gefahren."),
    ("The library opens again after the summer holidays.", "Die Bibliothek öffnet nach den Sommerferien wieder."),
]
ENGLISH, GERMAN = "The bridge was closed yesterday evening.", "Die Brücke wurde gestern Abend gesperrt."
LATIN = GERMAN.encode("latin-1")


def tabs(rows, end="\n"):
    return end.join(["source\ttarget", *("\t".join(row) for row in rows), ""])


def objects(rows, **more):
    return "\n".join(json.dumps({"source": source, "target": target, **more}) for source, target in rows)


def quoted(rows):
    return "\n".join(["source,target", *(f'"{source}","{target}"' for source, target in rows)])


def memory(rows, language="de"):
    units = (
        f'<tu><tuv xml:lang="en"><seg>{source}</seg></tuv><tuv xml:lang="{language}"><seg>{target}</seg></tuv></tu>'
        for source, target in rows
    )
    return f'<tmx version="1.4"><header srclang="en"/><body>{"".join(units)}</body></tmx>'


def prepared(folder, files, **asked):
    """The funnel by filter, and all that was written, of a recipe whose only input is the first file."""
    for name, content in files.items():
        content = content.encode("utf-8") if isinstance(content, str) else content
        (folder / name).write_bytes(content)
    given = {"path": str(folder / next(iter(files))), "languages": ["en", "de"], **asked}
    recipe = load_recipe(
        None, ["data.builder=corpus", f"data.sizes={json.dumps({'inputs': [given], 'instructed': 0})}"]
    )
    run = RunFolder(folder / "run")
    build_data(recipe, run)
    funnel = json.loads((run.data / "funnel.json").read_text(encoding="utf-8"))["filters"]
    written = "\n".join(file.read_text(encoding="utf-8") for file in sorted(run.data.rglob("*.jsonl")))
    return funnel, written


BAD_ROWS = [
    ("byte order mark inside", "encoding", "\ufeff" + ENGLISH, GERMAN),
    ("NUL", "encoding", ENGLISH.replace(" was", "\0was"), GERMAN),
    ("C1 control, a dash of cp1252", "encoding", ENGLISH.replace(" was", " \x96 was"), GERMAN),
    ("vertical tab", "encoding", ENGLISH.replace(" was", "\x0bwas"), GERMAN),
    ("carriage return inside", "encoding", ENGLISH.replace(" was", "\rwas"), GERMAN),
    ("replacement character", "encoding", ENGLISH, GERMAN.replace("ü", "\ufffd")),
    ("UTF-8 read as Latin-1", "encoding", ENGLISH, GERMAN.encode().decode("latin-1")),
    ("empty source", "empty", "", GERMAN),
    ("white target", "empty", ENGLISH, " \u00a0\u2028 "),
    ("over-long", "length", "bridge " * 30_000, GERMAN),
    ("one side much longer", "length_ratio", ENGLISH * 5, GERMAN),
    ("not translated", "copy", ENGLISH, ENGLISH),
    ("swapped", "language", GERMAN, ENGLISH),
    ("French for German", "language", ENGLISH, "La Brücke (le pont) a été fermée hier soir par la police."),
    ("Russian for German", "script", ENGLISH, "Мост Brücke был закрыт вчера вечером до утра."),
]


@pytest.mark.parametrize("form", ["jsonl", "tsv"])
@pytest.mark.parametrize(("taker", "source", "target"), [row[1:] for row in BAD_ROWS], ids=[row[0] for row in BAD_ROWS])
def test_a_bad_row_is_counted_under_its_filter_and_in_no_row(tmp_path, form, taker, source, target):
    rows = [*GOOD, (source, target)]
    funnel, written = prepared(tmp_path, {f"m.{form}": objects(rows) if form == "jsonl" else tabs(rows)})
    assert funnel[0]["came"] == 5
    assert {one["name"]: one["went"] for one in funnel if one["went"]} == {taker: 1}
    (sample,) = next(one["samples"] for one in funnel if one["name"] == taker)
    assert sample["place"] == f"m.{form}:{5 if form == 'jsonl' else 6}"
    assert "bridge" not in written and "Brücke" not in written and "library" in written


REPEATED = [
    ("exact", "duplicates", GOOD[0], None),
    ("case and punctuation apart", "duplicates", (GOOD[0][0].upper(), GOOD[0][1].rstrip(".")), "THE OLD HOUSE"),
    ("nearly", "near_duplicates", (f"{GOOD[0][0]} Now!", "Jetzt hat das alte Haus ein Dach am Fluss."), "roof. Now!"),
]


@pytest.mark.parametrize(("taker", "row", "gone"), [row[1:] for row in REPEATED], ids=[row[0] for row in REPEATED])
def test_a_repeated_row_stands_once(tmp_path, taker, row, gone):
    funnel, written = prepared(tmp_path, {"m.tsv": tabs([*GOOD, row])})
    assert {one["name"]: one["went"] for one in funnel if one["went"]} == {taker: 1}
    texts = [json.loads(line).get("text", "") for line in written.split("\n") if line]
    assert texts.count(GOOD[0][0]) <= 1 and (gone is None or gone not in written)


HALF = (ENGLISH + "\ud83d", GERMAN)
DRAFTED = [{"source": source, "target": target, "mt": f"{target} Oder?"} for source, target in GOOD]
DRAFTED.append({"source": ENGLISH, "target": GERMAN, "mt": GERMAN.replace(" ", "\0")})
LATIN_PO = (GOOD[0], GOOD[2], (ENGLISH, GERMAN))
OTHER_FORMS = [
    ("half a surrogate pair in JSON lines", {"m.jsonl": objects([*GOOD, HALF])}, {}, {"encoding": 1}),
    (
        "half a surrogate pair in a catalog",
        {name: json.dumps(dict(enumerate(row[side] for row in [*GOOD, HALF])))
         for side, name in enumerate(["en.json", "de.json"])},
        {"target_path": "de.json"}, {"encoding": 1},
    ),
    (
        "a draft with NUL", {"m.jsonl": "\n".join(map(json.dumps, DRAFTED))}, {"columns": {"draft": "mt"}},
        {"encoding": 1},
    ),
    ("TMX with an empty side and a swapped one", {"m.tmx": memory([*GOOD, (ENGLISH, ""), (GERMAN, ENGLISH)])}, {},
     {"empty": 1, "language": 1}),
    ("UTF-8 that says it is Latin-1", {"m.po": (
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=iso-8859-1\\n"\n'
        + "".join(f'\nmsgid "{source}"\nmsgstr "{target}"\n' for source, target in LATIN_PO)
    )}, {}, {"encoding": 1}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "asked", "taken"), [case[1:] for case in OTHER_FORMS], ids=[case[0] for case in OTHER_FORMS]
)
def test_a_fault_that_only_some_formats_can_have_is_counted_too(tmp_path, files, asked, taken):
    placed = {key: str(tmp_path / value) if key == "target_path" else value for key, value in asked.items()}
    funnel, written = prepared(tmp_path, files, **placed)
    assert {one["name"]: one["went"] for one in funnel if one["went"]} == taken
    assert "bridge" not in written and "Brücke" not in written


READ = [
    ("byte order mark", {"m.tsv": "\ufeff" + tabs(GOOD)}, {}),
    ("UTF-16", {"m.tsv": tabs(GOOD).encode("utf-16")}, {}),
    ("CRLF", {"m.tsv": tabs(GOOD, "\r\n")}, {}),
    ("CRLF in JSON lines", {"m.jsonl": objects(GOOD).replace("\n", "\r\n")}, {}),
    ("CRLF in CSV", {"m.csv": quoted(GOOD).replace("\n", "\r\n")}, {}),
]


@pytest.mark.parametrize(("files", "asked"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_marks_and_ends_of_lines_are_no_text(tmp_path, files, asked):
    funnel, written = prepared(tmp_path, files, **asked)
    assert [one["came"] for one in funnel] == [4] * len(funnel)
    assert "\ufeff" not in written and "\r" not in written and "\\r" not in written


@pytest.mark.parametrize("end", ["\u2028", "\u2029"])
def test_a_separator_that_ends_no_line_leaves_the_pairs_together(tmp_path, end):
    sources = [GOOD[0][0].replace("river ", f"river{end}"), *(source for source, _ in GOOD[1:])]
    texts = {"m.en": "\n".join(sources), "m.de": "\n".join(target for _, target in GOOD)}
    funnel, written = prepared(tmp_path, texts, path=str(tmp_path / "m"), format="moses")
    assert [one["came"] for one in funnel] == [4] * len(funnel)
    rows = [json.loads(line) for line in written.split("\n") if line]
    pairs = {(row["source"], row["reference"]) for row in rows if "reference" in row}
    allowed = set(zip(sources, (target for _, target in GOOD), strict=True))
    assert pairs and pairs <= allowed | {(target, source) for source, target in allowed}


SURPLUS = [*GOOD, (ENGLISH, "an aside", GERMAN)]
OPEN = quoted(GOOD[:2]) + f'\n"{ENGLISH}","{GERMAN}\n' + "\n".join(f'"{s}","{t}"' for s, t in GOOD[2:])
REFUSED = [
    ("Latin-1 after UTF-8", {"m.tsv": tabs(GOOD).encode() + LATIN}, r"m\.tsv:6 is not utf-8 \(byte 0xfc\)"),
    ("Latin-1 in JSON lines", {"m.jsonl": objects(GOOD).encode() + b"\n" + LATIN}, r"m\.jsonl:5 is not UTF-8"),
    ("UTF-16 without its mark", {"m.tsv": tabs(GOOD).encode("utf-16-le")}, r"m\.tsv:3 is not utf-8"),
    ("carriage returns alone", {"m.tsv": tabs(GOOD, "\r")}, r"m\.tsv:1 ends its lines with carriage returns alone"),
    ("a tab inside a text", {"m.tsv": tabs(SURPLUS)}, r"m\.tsv:6 has 3 columns and the header 2"),
    ("a side missing", {"m.tsv": tabs([*GOOD, (ENGLISH,)])}, r"m\.tsv:6 has no text in column 'target'"),
    ("null", {"m.jsonl": objects([*GOOD, (ENGLISH, None)])}, r"m\.jsonl:5 has no text in column 'target'"),
    ("an open quotation mark", {"m.csv": OPEN}, r"m\.csv:4 is no row of CSV"),
    ("an endless cell", {"m.csv": quoted([*GOOD, ("bridge " * 30_000, GERMAN)])}, r"m\.csv:6 is no row of CSV"),
    ("a name for a code", {"m.jsonl": objects(GOOD, source_language="en", target_language="German")},
     r"m\.jsonl:1: unknown language code 'German'"),
    ("no language", {"m.tmx": memory(GOOD, "")}, r"m\.tmx#1 names no language"),
    ("NUL in XML", {"m.tmx": memory([*GOOD, (ENGLISH + "\0", GERMAN)])}, r"m\.tmx:1 is no well-formed XML"),
    ("half a surrogate pair in XML", {"m.tmx": memory([*GOOD, (ENGLISH + "&#xD83D;", GERMAN)])}, r"m\.tmx:1 is no"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_read_is_refused_with_file_and_line_before_a_row_is_written(tmp_path, files, words):
    with pytest.raises(DragomanError, match=words):
        prepared(tmp_path, files, **({"languages": None} if "m.tmx" in files else {}))
    assert not list((tmp_path / "run").rglob("*.jsonl"))


def test_a_glossary_and_held_out_files_are_looked_at_too(tmp_path):
    terms = tmp_path / "terms.tsv"
    terms.write_text(tabs([("river", "Fluss"), ("roof\ufffd", "Dach"), ("window", "")]), encoding="utf-8")
    (tmp_path / "m.tsv").write_text(tabs(GOOD), encoding="utf-8")
    asked = {
        "inputs": {"path": str(tmp_path / "m.tsv"), "languages": ["en", "de"]},
        "glossary": {"path": str(terms), "languages": ["en", "de"]},
    }  # fmt: skip
    run = RunFolder(tmp_path / "run")
    build_data(load_recipe(None, ["data.builder=corpus", f"data.sizes={json.dumps(asked)}"]), run)
    told = json.loads((run.data / "funnel.json").read_text(encoding="utf-8"))["glossary"]
    assert [(one["name"], one["came"], one["went"]) for one in told] == [
        ("empty", 3, 1),
        ("encoding", 2, 1),
        ("length", 1, 0),
    ]
    held = tmp_path / "held.jsonl"
    held.write_text('{"text": "The library opens again."}\n', encoding="utf-8")
    with pytest.raises(DragomanError, match=r"held\.jsonl:1 has no text in source or reference"):
        sizes = json.dumps({**asked, "contamination": [str(held)]})
        build_data(load_recipe(None, ["data.builder=corpus", f"data.sizes={sizes}"]), run)


def test_a_catalogs_key_that_looks_like_markup_is_shown_as_it_is(capsys):
    sample = {"place": "en.json#a[/b]", "reason": "character U+0000", "source": "x", "target": "y"}
    show_funnel([{"name": "encoding", "came": 2, "went": 1, "samples": [sample]}], 1)
    assert "en.json#a[/b]: character U+0000" in capsys.readouterr().out

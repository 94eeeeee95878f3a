"""Compressed files are read as what they hold; damaged ones are named."""

import bz2
import gzip
import json
import lzma

import pyarrow
import pytest

from dragoman.data.corpora.formats import find_format
from dragoman.data.corpora.segments import InputError
from dragoman.data.corpora.settings import InputSettings
from dragoman.data.readers.texts import each_line
from dragoman.files import FileError, content_suffix, read_lines


def zstd(content):
    return bytes(pyarrow.compress(content, codec="zstd", asbytes=True))


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}
ROWS = [{"id": str(n), "text": f"Zeile {n}: ü\u2028" * 50} for n in range(3_000)]


@pytest.mark.parametrize("ending", PACKERS)
def test_json_lines_are_read_from_every_kind(tmp_path, ending):
    file = tmp_path / f"rows.jsonl.{ending}"
    file.write_bytes(PACKERS[ending]("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    assert [row for _, row in read_lines(file)] == ROWS and content_suffix(file) == ".jsonl"


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_that_is_cut_short_is_named(tmp_path, ending):
    file = tmp_path / f"rows.jsonl.{ending}"
    whole = PACKERS[ending]("".join(json.dumps(row) + "\n" for row in ROWS).encode())
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=rf"rows\.jsonl\.{ending} is no whole \.{ending} file"):
        list(read_lines(file))


@pytest.mark.parametrize("ending", PACKERS)
def test_what_is_not_compressed_at_all_is_named(tmp_path, ending):
    file = tmp_path / f"rows.jsonl.{ending}"
    file.write_text('{"id": "a"}\n' * 500)
    with pytest.raises(FileError, match="mend its ending"):
        list(read_lines(file))


def test_a_corpus_of_two_compressed_files_goes_line_by_line(tmp_path):
    (tmp_path / "c.en.gz").write_bytes(gzip.compress("\ufeffOne\r\nTwo\r\n".encode()))
    (tmp_path / "c.de").write_text("Eins\nZwei\n")
    asked = InputSettings(path=str(tmp_path / "c"), format="moses", languages=("en", "de"))
    assert [(s.source, s.target) for s in find_format(asked).read(asked)] == [("One", "Eins"), ("Two", "Zwei")]
    (tmp_path / "c.de").write_text("Eins\nZwei\nDrei\n")
    with pytest.raises(InputError, match=r"c\.en\.gz has 2 lines and .*c\.de 3; they must go line by line"):
        list(find_format(asked).read(asked))


def test_a_table_is_known_by_the_ending_below(tmp_path):
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress(b"source\ttarget\nHouse\tHaus\n"))
    asked = InputSettings(path=str(tmp_path / "t.tsv.gz"), languages=("en", "de"))
    (found,) = find_format(asked).read(asked)
    assert (found.source, found.target, found.place) == ("House", "Haus", "t.tsv.gz:2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_lines_are_pythons_own_whatever_the_encoding_and_the_pieces(tmp_path, encoding, monkeypatch):
    """Pieces of seven bytes cut letters, marks and line ends in two; the expected lines are those of `str.split`."""
    monkeypatch.setattr("dragoman.data.readers.texts._PIECE", 7)
    text = "ä€\U0001f600\r\n\n\x0b\u2028x\x85y\n" * 9 + "end without a line feed"
    mark = {"utf-8": b"", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-32-le": b"\xff\xfe\0\0"}[encoding]
    file = tmp_path / "t.txt"
    file.write_bytes(mark + text.encode(encoding))
    assert list(each_line(file)) == text.replace("\r\n", "\n").split("\n")


def test_the_line_of_a_byte_that_is_no_letter_is_named_beyond_the_first_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("dragoman.data.readers.texts._PIECE", 10)
    file = tmp_path / "t.txt"
    file.write_bytes(b"0123456789\n" * 41 + b"ab\xe4c\n")
    with pytest.raises(InputError, match=r"t\.txt:42 is not utf-8 \(byte 0xe4\); save the file as UTF-8"):
        list(each_line(file))

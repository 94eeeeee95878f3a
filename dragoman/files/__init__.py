"""Files that are there whole or not at all, and JSON lines; a leaf that every room may use."""

from dragoman.files.atomic import publish_folder, write_bytes, write_json, write_text
from dragoman.files.compressed import COMPRESSED, content_suffix, opened
from dragoman.files.errors import FileError
from dragoman.files.json_lines import append_lines, read_json, read_lines, rewind, whole_lines, write_lines

__all__ = [
    "COMPRESSED",
    "FileError",
    "append_lines",
    "content_suffix",
    "opened",
    "publish_folder",
    "read_json",
    "read_lines",
    "rewind",
    "whole_lines",
    "write_bytes",
    "write_json",
    "write_lines",
    "write_text",
]

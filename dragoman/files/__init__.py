"""Files that are there whole or not at all, and JSON lines; a leaf that every room may use."""

from dragoman.files.atomic import publish_folder, write_bytes, write_json, write_text
from dragoman.files.json_lines import FileError, append_lines, read_json, read_lines, rewind, whole_lines, write_lines

__all__ = [
    "FileError",
    "append_lines",
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

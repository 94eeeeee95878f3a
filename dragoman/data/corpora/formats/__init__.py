"""Formats of parallel text, one object each; `format` in a recipe names one, or the file's ending does."""

from dragoman.data.corpora.formats import catalogs, hub, lines, memories, tagged
from dragoman.data.corpora.formats.base import Format, find_format, register_format

__all__ = ["Format", "catalogs", "find_format", "hub", "lines", "memories", "register_format", "tagged"]

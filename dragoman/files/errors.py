"""What goes wrong with files."""

from dragoman.errors import DragomanError


class FileError(DragomanError):
    """A file that cannot be read; the text names it, the line and the mend."""

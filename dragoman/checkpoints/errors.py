"""What is wrong with a checkpoint folder."""

from dragoman.errors import DragomanError


class CheckpointError(DragomanError):
    """A folder that does not hold a usable model; the text says what is missing, and the mend."""

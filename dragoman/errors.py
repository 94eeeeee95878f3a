"""The base of every error that is told to the user.

Each room has its own classes below this one. Their text is one sentence that names the thing, the reason and the mend;
a command prints it and ends with exit code 2 (`dragoman.pipeline.run_command.guarded`). Any other exception is a
fault of this project and keeps its traceback.
"""


class DragomanError(Exception):
    """Something the user can mend; the text says what, why and how."""


class InfraFailure(DragomanError):
    """A process or machine failed, not what it was given: the same work is done again elsewhere, within a budget."""


class DataFailure(DragomanError):
    """What was given cannot be worked on, wherever it is tried: it is named and left out."""

"""The one error of this room."""

from dragoman.errors import DragomanError


class PackageError(DragomanError, ValueError):
    """A package that cannot be used: not found, changed, not accepted, not convertible.

    Also a ValueError: raised while a recipe is validated, it becomes one of the recipe's errors.
    """

"""The one vocabulary of errors that the rewards room raises.

`RewardError` is the base: whoever calls this package catches one class. Each message names the thing (file,
row number, kind, argument), the reason and what to do. A check that fails at run time is data, not an
exception: it comes back as a `RewardResult` with status `error` or `timeout`.
"""

import difflib
from collections.abc import Iterable

from dragoman.errors import DragomanError


class RewardError(DragomanError):
    """Base of every error raised by this package."""


class PluginError(RewardError):
    """A user's reward file or function could not be loaded."""


class RowError(RewardError):
    """A row is malformed; the message names its number, id, kind and column."""


class SandboxUnavailable(RewardError):
    """This machine cannot isolate untrusted code; there is no weaker mode to fall back to."""


class ModelUnavailable(RewardError):
    """A model that a reward needs is missing, or is not what the reward needs."""


class EndpointError(RewardError):
    """A model behind an HTTP endpoint did not answer, refused, or answered something else than was asked for."""


class PoolError(RewardError):
    """The pools were used wrongly, or could not be started."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint such as `; did you mean 'chrf'?`, or the list of known names when nothing is near."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(names) or 'none'}"

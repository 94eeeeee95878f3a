"""The settings of rewards: of one kind's pool of actors, and of all rewards of a run.

A recipe's section `rewards` is a `RewardSettings`; `RewardPools` takes `{kind: PoolSettings}`. Fields marked `RunOnly`
change how the checks are run and not what they give (dragoman/settings.py).
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from dragoman.settings import RunOnly, Settings
from rewards.mixing import Mixing


class PoolSettings(Settings):
    """How many actors check a kind, how patient they are, and what every check is given."""

    workers: RunOnly[int] = Field(1, ge=1, le=1024)
    timeout_s: float | None = Field(None, gt=0, le=3600)
    """Deadline of one check; empty = the kind's own."""
    retries: RunOnly[int] = Field(1, ge=0, le=10)
    """How often a check is repeated after its actor died or froze."""
    num_cpus: RunOnly[float] = Field(0.0, ge=0, le=512)
    """CPUs that Ray reserves for each actor."""
    num_gpus: RunOnly[float] = Field(0.0, ge=0, le=64)
    """GPUs that Ray reserves for each actor."""
    batch_size: RunOnly[int | None] = Field(None, ge=1, le=65_536)
    """Most checks sent to an actor at once; empty = the kind's own."""
    start_timeout_s: RunOnly[float] = Field(180.0, gt=0, le=36_000)
    """How long an actor may take to be ready: loading a large model takes minutes."""
    environment: str | None = None
    """Path of the Python in which the actors run, or the name of an environment; empty = the kind's own."""
    arguments: Mapping[str, Any] = Field(default_factory=dict)
    """Arguments of every check of the kind that its row does not give, e.g. `{model: path/to/checkpoint}`."""


class RewardSettings(Settings):
    """The user's own rewards, the pools, the mixing, and how many checks may fail before a run stops."""

    plugins: RunOnly[tuple[str, ...]] = ()
    """`path/to/file.py:function`, each a reward kind. Run-only: what counts is the files' content, which the
    pipeline fingerprints, and not where they lie."""
    pools: dict[str, PoolSettings] = Field(default_factory=dict)
    """By kind; a kind that is not named has the defaults."""
    plugins_apply: Literal["add", "only", "rows"] = "add"
    """Plug-ins join the rewards of every prompt row (preference, rl), replace them, or serve rows that name them."""
    mixing: Mixing = "gated"
    """How the components of a row become one number (rewards/mixing.py)."""
    max_error_share: RunOnly[float] = Field(0.1, ge=0, le=1)
    """Share of checks of one step that may time out or fail before the run stops and shows them."""

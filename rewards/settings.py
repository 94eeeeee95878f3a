"""Settings of the rewards."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from dragoman.settings import RunOnly, Settings


class PoolSettings(Settings):
    """Settings of one reward kind's pool of actors."""

    workers: RunOnly[int] = Field(1, ge=1, le=1024)
    timeout_s: float | None = Field(None, gt=0, le=3600)
    retries: RunOnly[int] = Field(1, ge=0, le=10)
    num_cpus: RunOnly[float] = Field(0.0, ge=0, le=512)
    num_gpus: RunOnly[float] = Field(0.0, ge=0, le=64)
    batch_size: RunOnly[int | None] = Field(None, ge=1, le=65_536)
    start_timeout_s: RunOnly[float] = Field(180.0, gt=0, le=36_000)
    environment: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)


class RewardSettings(Settings):
    """Verifiers: plug-ins, pools, and how many checks may fail before the run stops."""

    plugins: RunOnly[tuple[str, ...]] = ()
    pools: dict[str, PoolSettings] = Field(default_factory=dict)
    plugins_apply: Literal["add", "only", "rows"] = "add"
    mixing: Literal["gated", "weighted"] = "gated"
    max_error_share: RunOnly[float] = Field(0.1, ge=0, le=1)

"""Where outward adapters get their scores: a reward service, or reward pools of this process.

`DRAGOMAN_REWARDS_URL=http://host:port` sends rows to a service (`dragoman rewards serve`); the trainer's
environment then needs neither Ray nor any metric library. Otherwise pools start in this process at the first
call, on the Ray it is connected to or on one of its own. `DRAGOMAN_REWARDS_TOKEN` is sent when it is set.

A reward that could not be computed is an error that names its components. It is never 0.
"""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rewards.errors import RewardError
from rewards.records import Score

if TYPE_CHECKING:
    from rewards.execution.pools import RewardPools

URL_VARIABLE = "DRAGOMAN_REWARDS_URL"
TOKEN_VARIABLE = "DRAGOMAN_REWARDS_TOKEN"
REQUEST_TIMEOUT_S = 600.0

_lock = threading.Lock()
_pools: list[RewardPools] = []


def score(rows: Sequence[Mapping[str, Any]]) -> list[Score]:
    """Scores in the order of the rows; RewardError when the service or the rows are not right."""
    url = os.environ.get(URL_VARIABLE)
    if url:
        return _score_at(url, rows)
    from rewards.validation import validate_rows

    validate_rows(rows)
    return _local_pools().score_rows(rows)


def known(scores: Sequence[Score]) -> list[float]:
    """Their rewards; RewardError naming the first that could not be computed."""
    for one in scores:
        if one.reward is None:
            parts = "; ".join(f"{c.kind}: {c.status} {c.detail}".strip() for c in one.components)
            raise RewardError(f"reward of {one.id} could not be computed ({parts})")
    return [one.reward for one in scores if one.reward is not None]


def rewards_of(given: Any) -> list[dict[str, Any]]:
    """The column `rewards` as data sets hold it: a list, or its JSON text (Arrow fills up lists of mappings).

    Arguments that are None are left out: Arrow adds them where rows have different ones.
    """
    specs = json.loads(given) if isinstance(given, str) else given
    if not isinstance(specs, (list, tuple)):
        raise RewardError(f"'rewards' is {type(specs).__name__}; it must be a list of {{kind, weight, args}}")
    return [
        {
            **{key: value for key, value in spec.items() if value is not None},
            "args": {name: value for name, value in (spec.get("args") or {}).items() if value is not None},
        }
        for spec in specs
    ]


def _local_pools() -> RewardPools:
    with _lock:
        if not _pools:
            import ray

            from rewards.execution.pools import RewardPools

            if not ray.is_initialized():
                ray.init(address=os.environ.get("RAY_ADDRESS", "local"), include_dashboard=False, log_to_driver=False)
            _pools.append(RewardPools(run_name=f"adapter-{os.getpid()}"))
        return _pools[0]


def _score_at(url: str, rows: Sequence[Mapping[str, Any]]) -> list[Score]:
    headers = {"Content-Type": "application/json"}
    if os.environ.get(TOKEN_VARIABLE):
        headers["Authorization"] = f"Bearer {os.environ[TOKEN_VARIABLE]}"
    body = json.dumps({"rows": list(rows)}).encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/score", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S) as answer:
            found = json.load(answer)
    except urllib.error.HTTPError as error:
        raise RewardError(f"reward service {url} answered {error.code}: {error.read().decode()[:500]}") from None
    except OSError as error:
        raise RewardError(f"reward service {url} does not answer: {error}; is `dragoman rewards serve` up?") from None
    return [Score.from_dict(item) for item in found["scores"]]

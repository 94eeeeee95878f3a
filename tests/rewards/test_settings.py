"""Settings of pools and rewards: their ranges, and which of them change a result."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from dragoman.settings import affects_result, result_values
from rewards import PoolSettings, RewardSettings


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"workers": 0}, ["workers", "0", "1"]),
        ({"timeout_s": 0}, ["timeout_s", "0"]),
        ({"timeout_s": 4000}, ["timeout_s", "4000", "3600"]),
        ({"retries": -1}, ["retries", "-1", "0"]),
        ({"batch_size": 0}, ["batch_size", "0", "1"]),
        ({"wrokers": 2}, ["wrokers"]),
    ],
)
def test_a_wrong_pool_setting_is_named_with_its_value_and_range(wrong: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        PoolSettings(**wrong)
    assert all(word in str(caught.value) for word in words)


def test_wrong_settings_of_a_run_are_refused() -> None:
    for wrong in ({"mixing": "summed"}, {"plugins_apply": "never"}, {"max_error_share": 1.5}, {"pool": {}}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            RewardSettings.model_validate(wrong)


def test_which_settings_change_a_result() -> None:
    pool = {name for name in PoolSettings.model_fields if affects_result(PoolSettings, name)}
    run = {name for name in RewardSettings.model_fields if affects_result(RewardSettings, name)}
    assert pool == {"arguments", "environment", "timeout_s"}
    assert run == {"pools", "plugins_apply", "mixing"}
    fast = RewardSettings(pools={"comet": PoolSettings(workers=4, num_gpus=1.0, arguments={"model": "m"})})
    slow = RewardSettings(pools={"comet": PoolSettings(workers=1, arguments={"model": "m"})}, max_error_share=0.5)
    other = RewardSettings(pools={"comet": PoolSettings(arguments={"model": "n"})})
    assert result_values(fast) == result_values(slow) != result_values(other)


def test_a_recipe_s_values_become_settings() -> None:
    given = {"pools": {"comet": {"num_gpus": 1, "arguments": {"model": "models/m"}}}, "plugins": ["a.py:f"]}
    settings = RewardSettings.model_validate(given)
    assert settings.plugins == ("a.py:f",)
    assert settings.pools["comet"] == PoolSettings(num_gpus=1.0, arguments={"model": "models/m"})
    assert RewardSettings.model_validate(settings.model_dump()) == settings


def test_importing_rewards_and_what_a_worker_imports_stays_light() -> None:
    heavy = ("pydantic", "torch", "babel", "fastapi")
    code = (
        "import sys, json, rewards, rewards.registry, rewards.execution.worker, rewards.models.comet;"
        f"print(json.dumps([name for name in {heavy} if name in sys.modules]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == []

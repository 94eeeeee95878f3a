"""What is looked at before compute is spent."""

import asyncio
from types import SimpleNamespace

import pytest

from dragoman.evaluation.suites import SuiteError
from dragoman.pipeline.run import _check
from dragoman.recipes import Recipe


def test_training_without_evaluation_needs_no_suites(tmp_path):
    started = []

    async def start_async(kinds):
        started.append(kinds)

    session = SimpleNamespace(
        recipe=Recipe(), data=tmp_path, checked_prompts=[], pools=lambda: SimpleNamespace(start_async=start_async)
    )
    asyncio.run(_check(session, [], measured=False))
    assert started == [set()]
    with pytest.raises(SuiteError, match="no evaluation suite"):
        asyncio.run(_check(session, [], measured=True))

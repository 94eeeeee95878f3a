"""The RL stage by OpenRLHF: prompts out, checkpoint, metrics and samples back.

Our engine and learner give their places back first. The prompts of all steps come from our stream; OpenRLHF shuffles
them. Everything is on disk before it starts; a run that was stopped goes on from OpenRLHF's newest checkpoint.
"""

import asyncio
import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray

from cluster.placement import Placement, check_cluster
from cluster.progress import Progress
from dragoman.files import write_lines, write_text
from dragoman.learner.encoding import prompt_text
from dragoman.pipeline.backends.openrlhf.door import RewardDoor, door_name
from dragoman.pipeline.backends.openrlhf.flags import Places, arguments, differences, gpus, refusals, steps_done
from dragoman.pipeline.backends.openrlhf.process import OpenRlhfError, run_trainer
from dragoman.pipeline.backends.openrlhf.scalars import ScalarReader
from dragoman.pipeline.session import Session
from dragoman.recipes import Recipe, RecipeError
from rl.groups import PromptVisit
from rl.prompts import PromptSource

NEEDED = ("openrlhf", "flash_attn")
"""Modules of the trainer that may be missing"""
KEPT = ("tokenizer", "special_tokens", "chat_template", "generation_config", "vocab", "merges")
"""Files of the parent, by how their names begin, that the result takes over"""


def check(recipe: Recipe) -> None:
    """RecipeError for what this backend cannot do with a recipe, or not in this environment."""
    for reason in refusals(recipe):
        raise RecipeError(f"rl.backend=openrlhf: {reason}")
    for module in NEEDED:
        if importlib.util.find_spec(module) is None:
            raise RecipeError(
                f"rl.backend=openrlhf: the package {module} is not installed; install the extra of a GPU machine "
                "(docs/openrlhf.md), or set rl.backend to dragoman"
            )


async def train(session: Session, parent: Path, visits: PromptSource) -> dict[str, Any]:
    """Train from `parent` with OpenRLHF and leave the checkpoint where the stage's is; returns the reward checks."""
    recipe, folder = session.recipe, session.folder
    check(recipe)
    for difference in differences(recipe):
        print(f"rl: OpenRLHF: {difference}", flush=True)
    work = folder.checkpoints("rl") / "openrlhf"
    places = Places(
        parent, work / "prompts.jsonl", work / "executor.py", work / "result", work / "states", work / "tensorboard"
    )
    stream = [visits.visit(number) for number in range(recipe.rl.steps * recipe.rl.groups_per_step)]
    _write(session, places, stream, recipe)
    async with session.without_actors():
        check_cluster([Placement("openrlhf", gpus(recipe), 1, 1, 0), Placement("controller", 1, 2, 0, 0)])
        started = steps_done(places.checkpoints)
        door = ray.remote(RewardDoor).options(name=door_name(recipe.name), num_cpus=0, max_concurrency=10_000)
        actor: Any = door.remote(recipe, stream, folder.root / "samples.jsonl", started)
        try:
            await actor.start.remote()
            watch = _Watch(session, actor, places.tensorboard, started)
            log = folder.stage("rl") / "openrlhf.log"
            await run_trainer(arguments(recipe, places), log, _environment(), watch.look)
            watch.close()
            stats: dict[str, Any] = await actor.stats.remote()
        finally:
            await _end(actor)
    _adopt(parent, places.result, folder.model("rl"))
    return stats


def _write(session: Session, places: Places, stream: Sequence[PromptVisit], recipe: Recipe) -> None:
    """Prompts and the executor's file."""
    rows = [
        {"input": prompt_text(session.tokenizer, visit.prompt.messages), "label": str(visit.number)} for visit in stream
    ]
    write_lines(places.prompts, rows)
    namespace = ray.get_runtime_context().namespace
    write_text(
        places.executor,
        '"""Written by Dragoman: where OpenRLHF\'s rollout workers get their rewards."""\n\n'
        "from dragoman.pipeline.backends.openrlhf.executor import DoorExecutor\n\n\n"
        "class AgentExecutor(DoorExecutor):\n"
        f"    door, namespace = {door_name(recipe.name)!r}, {namespace!r}\n",
    )


def _environment() -> dict[str, str]:
    """Of the trainer: this cluster."""
    return {"RAY_ADDRESS": ray.get_runtime_context().gcs_address, "HF_HUB_OFFLINE": "1"}


class _Watch:
    """Progress and metrics of a running trainer, from the door and from its TensorBoard files."""

    def __init__(self, session: Session, door: Any, tensorboard: Path, started: int) -> None:
        self._sink, self._door = session.sink, door
        self._scalars = ScalarReader(tensorboard / "openrlhf", started)
        self._progress = Progress("rl, OpenRLHF", session.recipe.rl.steps, started)
        self._sink.rewind("rl", started)

    async def look(self) -> None:
        """Log what is new."""
        found = self._scalars.new()
        for step, values in found:
            self._sink.log("rl", step, values)
        shown = {"reward": found[-1][1]["reward_mean"]} if found and "reward_mean" in found[-1][1] else {}
        self._progress.update(await self._door.steps.remote(), shown)

    def close(self) -> None:
        """End the line of the bar."""
        self._progress.close()


async def _end(actor: Any) -> None:
    """The door's pools end with it, as far as it still answers."""
    try:
        await asyncio.wait_for(actor.close.remote(), 30)
    except (TimeoutError, ray.exceptions.RayActorError) as error:
        print(f"warning: the reward door did not close: {error}", flush=True)
    ray.kill(actor)


def _adopt(parent: Path, result: Path, model: Path) -> None:
    """OpenRLHF's checkpoint with the tokenizer and the settings of generation that the parent has."""
    if not (result / "config.json").is_file():
        raise OpenRlhfError(f"OpenRLHF's trainer left no checkpoint in {result}; see its log")
    shutil.rmtree(model, ignore_errors=True)
    aside = model.with_name(f"{model.name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(result, aside)
    for file in parent.iterdir():
        if file.name.startswith(KEPT):
            shutil.copy2(file, aside / file.name)
    aside.rename(model)

"""What the stages that sample prompts and score answers have in common."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

from dragoman.data.rows import EncodedPrompt
from dragoman.pipeline.fingerprints import file_hash, plugin_file
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import Stage
from dragoman.recipes import Recipe
from dragoman.settings import Json, result_values
from pretrain_sft.auxiliary import AuxiliarySource
from pretrain_sft.direction_replay import DirectionReplay
from pretrain_sft.ptx import PtxSource
from pretrain_sft.settings import PreferenceSettings
from rewards.settings import PoolSettings
from rl.settings import RlSettings


class SamplingStage(Stage):
    """A subclass samples the prompts of `NAME.jsonl`."""

    @abstractmethod
    def settings(self, recipe: Recipe) -> PreferenceSettings | RlSettings:
        """See `Stage.settings`."""

    def files(self, recipe: Recipe) -> list[str]:
        """Its prompts, and the data of earlier stages if it trains on some."""
        settings = self.settings(recipe)
        return [f"{self.name}.jsonl", *settings.ptx.files, *settings.direction_replay.files]

    def depends_on(self, recipe: Recipe) -> Mapping[str, Json]:
        """Also on the engines' dtype, on everything about the rewards that affects a value, and on language-aware
        tuning's settings where its loss goes on."""
        replays = self.settings(recipe).direction_replay.coefficient
        return {
            **super().depends_on(recipe),
            **({"lat": result_values(recipe.lat)} if replays else {}),
            "rollout": result_values(recipe.rollout),
            "rewards": reward_values(recipe),
            "plugins": plugin_hashes(recipe),
        }

    async def check(self, session: Session) -> None:
        """Rows, rewards and prompt lengths."""
        session.prompts(self.name, self.longest_prompt(session.recipe))

    def longest_prompt(self, recipe: Recipe) -> int:
        """Tokens of a prompt that leaves space for an answer: in the context, and in a packed row of the learner."""
        return min(recipe.model.context, recipe.learner.row_tokens) - self.settings(recipe).max_tokens

    def auxiliary(self, session: Session) -> list[AuxiliarySource]:
        """The further objectives that the stage's section asks for."""
        settings, recipe, found = self.settings(session.recipe), session.recipe, list[AuxiliarySource]()
        if settings.ptx.coefficient:
            found.append(PtxSource(session.data, settings.ptx, session.encoder, settings.steps, recipe.seed))
        if settings.direction_replay.coefficient:
            found.append(
                DirectionReplay(
                    session.data, settings.direction_replay, recipe.lat, session.encoder, settings.steps, recipe.seed
                )
            )
        return found


ORDINARY = result_values(PoolSettings())


def reward_values(recipe: Recipe) -> Mapping[str, Json]:
    """What affects the value of a reward; a pool that differs in nothing of that is as good as not named."""
    rewards = recipe.rewards
    pools = {kind: {"settings": result_values(pool), "files": _files_of(pool)} for kind, pool in rewards.pools.items()}
    named: dict[str, Json] = {k: pool for k, pool in pools.items() if pool != {"settings": ORDINARY, "files": {}}}
    return {"apply": rewards.plugins_apply, "mixing": rewards.mixing, "pools": named}


def _files_of(pool: PoolSettings) -> dict[str, Json]:
    """Hashes of the model files that the arguments of a pool name: another model at the same place is another one."""
    found: dict[str, Json] = {}
    for name, value in pool.arguments.items():
        path = Path(value).expanduser() if isinstance(value, str) else None
        if path is not None and path.exists():
            found[name] = hashes_of(path)
    return found


def hashes_of(path: Path) -> dict[str, Json]:
    """Of a file, or of each file in a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)) or p.name: file_hash(p) for p in files}


def reward_kinds(prompts: Iterable[EncodedPrompt]) -> list[str]:
    """Kinds that the prompts of a stage optimise."""
    return sorted({spec.kind for encoded in prompts for spec in encoded.prompt.specs if spec.weight > 0})


def plugin_hashes(recipe: Recipe) -> list[list[str]]:
    """Function name and hash of the file of each plug-in, wherever the file lies."""
    return [[reference.rpartition(":")[2], file_hash(plugin_file(reference))] for reference in recipe.rewards.plugins]

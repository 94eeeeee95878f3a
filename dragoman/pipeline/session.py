"""The actors of a run, started when first needed and shared by all its stages.

Starting a vLLM engine or importing DeepSpeed costs far more than a small stage; so one learner group, one
rollout group and one set of reward pools live as long as the run. `hold` puts a model into the learner,
`serve` reads one into the engines.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cluster.metrics import MetricsSink
from cluster.placement import give_back, node_count, shared_places
from dragoman.actors import ANYWHERE, Places
from dragoman.data.rows import EncodedPrompt, Prompt, read_conversations, read_prompts, with_specs
from dragoman.evaluation.few_shot import ended, few_shot_text
from dragoman.learner import OptimiserSettings, SurvivingLearner, ValueHead
from dragoman.learner.encoding import check_lengths, encode_prompts, encode_texts
from dragoman.learner.model import load_tokenizer
from dragoman.pipeline.data import data_folder
from dragoman.pipeline.placement import rollout_settings
from dragoman.pipeline.run_folder import RunFolder
from dragoman.recipes import Recipe
from dragoman.rollout import RolloutGroup, SamplingSettings, sample_seed
from pretrain_sft.encoded import RowEncoder
from pretrain_sft.examples import RowLimit
from rewards import RewardPools, RewardSpec


class Session:
    """Actors of one run."""

    def __init__(self, recipe: Recipe, folder: RunFolder, sink: MetricsSink) -> None:
        self.recipe, self.folder, self.sink = recipe, folder, sink
        self.data = data_folder(recipe, folder)
        self.tokenizer: Any = None
        self._learner: SurvivingLearner | None = None
        self._rollout: RolloutGroup | None = None
        self._rollout_start: asyncio.Task[None] | None = None
        self._pools: RewardPools | None = None
        self._prompts: dict[str, list[EncodedPrompt]] = {}
        self._learner_started = False
        self._places = ANYWHERE
        self._told: set[str] = set()

    def open_base(self, model: Path) -> None:
        """The base model is there: load its tokenizer and start the engines in the background."""
        self.tokenizer = load_tokenizer(model)
        self.tokenizer.template_date = self.recipe.model.template_date
        settings = rollout_settings(self.recipe, node_count())
        self._rollout = RolloutGroup(model, settings, self.recipe.model.context, self.recipe.name, self._shared())
        self._rollout_start = asyncio.create_task(self._rollout.start())

    def _shared(self) -> Places:
        """Bundles that learner ranks and engines share, if they do."""
        learner, rollout = self.recipe.learner, self.recipe.rollout
        if rollout.colocate and self._places is ANYWHERE:
            cpus, gpus = (
                learner.cpus_per_rank + rollout.cpus_per_worker,
                learner.gpus_per_rank + rollout.gpus_per_worker,
            )
            self._places = shared_places(learner.ranks, cpus, gpus)
        return self._places

    @property
    def encoder(self) -> RowEncoder:
        """How rows become examples, once the tokenizer is there."""
        limit = RowLimit(self.recipe.learner.row_tokens, self.recipe.data.long_rows)
        return RowEncoder(self.tokenizer, limit, self.folder.encoded)

    def raise_if_engine_failed(self) -> None:
        """Engines start in the background; their failure must not wait for the first evaluation."""
        if self._rollout_start is not None and self._rollout_start.done():
            self._rollout_start.result()

    def open_learner(self) -> None:
        """Create the learner's actors; their imports, seconds long, go on while the caller does something else."""
        if self._learner is None:
            journal = self.folder.root / "journal"
            self._learner = SurvivingLearner(self.recipe.learner, self.recipe.name, journal, self._shared())

    async def learner(self) -> SurvivingLearner:
        """The learner group, started."""
        self.open_learner()
        assert self._learner is not None
        if not self._learner_started:
            await self._learner.start()
            self._learner_started = True
        return self._learner

    async def rollout(self) -> RolloutGroup:
        """The rollout group, started."""
        assert self._rollout is not None and self._rollout_start is not None, "open_base comes first"
        await self._rollout_start
        return self._rollout

    def pools(self) -> RewardPools:
        """The reward pools; kinds start when first used or by `start`."""
        if self._pools is None:
            rewards = self.recipe.rewards
            self._pools = RewardPools(rewards.pools, rewards.plugins, self.recipe.name, rewards.mixing)
        return self._pools

    def prompts(self, stage: str, longest: int) -> list[EncodedPrompt]:
        """The prompts of a sampling stage with the recipe's plug-ins applied; read, checked and encoded once."""
        if stage not in self._prompts:
            prompts = self._with_plugins(read_prompts(self.data / f"{stage}.jsonl"))
            self._prompts[stage] = self.that_fit(prompts, longest, f"{stage}.jsonl", f"{stage}.max_tokens")
        return self._prompts[stage]

    @property
    def checked_prompts(self) -> list[Prompt]:
        """Every prompt that has been read so far."""
        return [encoded.prompt for found in self._prompts.values() for encoded in found]

    def that_fit(self, prompts: Sequence[Prompt], longest: int, name: str, key: str) -> list[EncodedPrompt]:
        """The prompts that leave room for an answer; EncodingError where longer ones are refused. `key` is the mend."""
        ids = encode_prompts(self.tokenizer, [p.messages for p in prompts], [p.id for p in prompts])
        found = [EncodedPrompt(prompt, tuple(tokens)) for prompt, tokens in zip(prompts, ids, strict=True)]
        short = [encoded for encoded in found if len(encoded.token_ids) <= longest]
        if self.recipe.data.long_rows == "refuse" or not short:
            check_lengths([prompt.id for prompt in prompts], ids, longest, key)
        left_out = len(found) - len(short)
        if left_out and name not in self._told:
            self._told.add(name)
            print(f"{name}: {left_out} of {len(found)} prompts have more than {longest} tokens, left out", flush=True)
        return short

    async def hold(
        self, model: Path, optimiser: OptimiserSettings, value_head: ValueHead | None = None
    ) -> SurvivingLearner:
        """The learner with a model under a fresh optimiser."""
        learner = await self.learner()
        await learner.load(model, optimiser, self.recipe.seed, value_head)
        return learner

    async def serve(self, model: Path) -> RolloutGroup:
        """The engines with the weights of a folder."""
        rollout = await self.rollout()
        await rollout.load(model)
        return rollout

    async def answer(self, prompts: Sequence[Prompt], samples: int, max_tokens: int) -> list[list[str]]:
        """For each prompt the greedy answer and `samples` sampled ones, from the weights the engines have."""
        rollout = await self.rollout()
        ids = encode_prompts(self.tokenizer, [p.messages for p in prompts], [p.id for p in prompts])
        wanted = [(i, k) for i in range(len(prompts)) for k in range(samples)]
        greedy, sampled = await asyncio.gather(
            rollout.generate_many(ids, SamplingSettings(max_tokens, 0.0, logprobs=False)),
            rollout.generate_many(
                [ids[i] for i, _ in wanted],
                SamplingSettings(max_tokens, 1.0, logprobs=False),
                [sample_seed(self.recipe.seed, f"evaluation/{prompts[i].id}", k) for i, k in wanted],
            ),
        )
        answers = [[done.text] for done in greedy]
        for (i, _), done in zip(wanted, sampled, strict=True):
            answers[i].append(done.text)
        return answers

    async def go_on(self, prompts: Sequence[Prompt], shots: int, max_tokens: int) -> list[list[str]]:
        """For each prompt the greedy answer of a base model that is shown examples (`dragoman.evaluation.few_shot`)."""
        examples = read_conversations(self.data / "sft.jsonl")
        longest = self.recipe.model.context - max_tokens

        def ids(text: str) -> list[int]:
            return list(self.tokenizer(text)["input_ids"])

        def fits(text: str) -> bool:
            return len(ids(text)) <= longest

        asked = [few_shot_text(prompt, examples, shots, self.recipe.seed, fits) for prompt in prompts]
        ends = sorted({end for _, end in asked})
        answers = [""] * len(asked)
        rollout = await self.rollout()
        for end in ends:
            places = [place for place, (_, found) in enumerate(asked) if found == end]
            sampling = SamplingSettings(max_tokens, 0.0, stop=(end,), logprobs=False)
            done = await rollout.generate_many([ids(asked[place][0]) for place in places], sampling)
            for place, completion in zip(places, done, strict=True):
                answers[place] = ended(completion.text, end)
        return [[answer] for answer in answers]

    async def bits(self, texts: Sequence[str]) -> list[float | None]:
        """-log2 p of each text, under the weights the engines have; None for one that is longer than the context."""
        rows = encode_texts(self.tokenizer, texts)
        fitting = [row for row in rows if len(row) < self.recipe.model.context]
        found = iter(await (await self.rollout()).logprobs(fitting))
        return [-sum(next(found)) / math.log(2) if len(r) < self.recipe.model.context else None for r in rows]

    @asynccontextmanager
    async def without_actors(self) -> AsyncIterator[None]:
        """Learner, engines and reward pools give their places to something else; the engines start again behind it."""
        self.close()
        self._learner, self._rollout, self._rollout_start, self._pools = None, None, None, None
        self._learner_started = False
        yield
        self.open_base(self.folder.model("base"))

    async def peak_memory(self) -> dict[str, int]:
        """Largest memory of each actor so far, in bytes."""
        found: dict[str, int] = {}
        if self._learner is not None and self._learner_started:
            for rank, value in enumerate(await self._learner.peak_memory_bytes()):
                found[f"learner/{rank}"] = value
        if self._rollout is not None and self._rollout_start is not None and self._rollout_start.done():
            for index, value in enumerate(await self._rollout.peak_memory_bytes()):
                found[f"rollout/{index}"] = value
        return found

    def close(self) -> None:
        """End all actors."""
        if self._rollout_start is not None and not self._rollout_start.done():
            self._rollout_start.cancel()
        for actors in (self._pools, self._rollout, self._learner):
            if actors is not None:
                actors.close()
        give_back(self._places)
        self._places = ANYWHERE

    def _with_plugins(self, prompts: list[Prompt]) -> list[Prompt]:
        added = [RewardSpec(kind) for kind in self.pools().plugin_kinds]
        apply = self.recipe.rewards.plugins_apply
        return with_specs(prompts, added, keep=apply == "add") if added and apply != "rows" else prompts

"""What building each stage means: model in, model out, figures for the manifest.

Every builder leaves the trained weights in the learner, so that the evaluation that follows only has to
give them to the engines.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dragoman.data.quickstart.build import QuickstartSizes, TaskCounts, build
from dragoman.data.rows import DataError, Row, read_rows
from dragoman.evaluation.suites import load_suites
from dragoman.learner.encoding import check_lengths, encode_prompts
from dragoman.learner.model import build_model
from dragoman.pipeline.manifest import file_hash, write_manifest
from dragoman.pipeline.plan import data_fingerprint, training_texts
from dragoman.pipeline.run_folder import RunFolder
from dragoman.pipeline.session import Session
from dragoman.recipes import Recipe
from pretrain_sft.loop import BatchSource, train
from pretrain_sft.preference import (
    Logprobs,
    Pair,
    PreferenceSource,
    accuracy,
    check_pairs,
    pair_logprobs,
    read_pairs,
    reward_accuracy,
    sample_pairs,
    write_pairs,
)
from pretrain_sft.ptx import PtxSource
from pretrain_sft.stages import SOURCES
from pretrain_sft.tokenizer import train_tokenizer
from rewards import known_kinds, validate_rows
from rl.controller import Controller, Parts
from rl.prompts import PromptSource
from rl.samples_log import SamplesLog

Figures = dict[str, Any]


def build_data(recipe: Recipe, folder: RunFolder) -> None:
    """Write the builder's rows and a manifest with their hashes."""
    given = recipe.data.sizes.items()
    try:
        sizes: dict[str, Any] = {name: TaskCounts(**v) if isinstance(v, dict) else v for name, v in given}
        wanted = QuickstartSizes(**sizes)
    except (TypeError, ValueError) as error:
        raise DataError(f"data.sizes: {error}; docs/data.md lists the sizes of the quickstart") from None
    (folder.data / "manifest.json").unlink(missing_ok=True)  # first: a half-written set must not look whole
    build(folder.data, seed=recipe.seed, sizes=wanted)
    hashes = {str(p.relative_to(folder.data)): file_hash(p) for p in sorted(folder.data.rglob("*.jsonl"))}
    write_manifest(folder.data, {"fingerprint": data_fingerprint(recipe), "files": hashes})


def build_base(recipe: Recipe, data: Path, target: Path) -> Figures:
    """Tokenizer trained on the data, and a network with random weights; or a checkpoint of the user's."""
    from dragoman.learner.model import load_model, load_tokenizer, save_model

    if recipe.model.path:
        source = Path(recipe.model.path).expanduser().resolve()
        model = load_model(source, recipe.learner.dtype)
        save_model(target, dict(model.named_parameters()), source)
        return {"parameters": sum(p.numel() for p in model.parameters()), "source": str(source)}
    tokenizer = train_tokenizer(_texts(training_texts(data)), recipe.model.vocabulary_size)
    model = build_model(
        recipe.model.model_dump(), len(tokenizer), tokenizer.eos_token_id, tokenizer.pad_token_id, recipe.seed
    )
    aside = target.with_name("model.tmp")
    for leftover in (aside, target):  # of an attempt that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    model.save_pretrained(aside)
    tokenizer.save_pretrained(aside)
    load_tokenizer(aside)
    aside.replace(target)
    return {"parameters": sum(p.numel() for p in model.parameters()), "vocabulary": len(tokenizer)}


async def build_supervised(stage: str, session: Session, data: Path, parent: Path) -> Figures:
    """cpt, sft and lat."""
    recipe, folder = session.recipe, session.folder
    section = getattr(recipe, stage).model_dump()
    source: BatchSource = SOURCES[stage](data, section, session.tokenizer, recipe.learner.row_tokens, recipe.seed)
    learner = await session.hold(parent, section)
    await train(
        learner, source, stage=stage, optimiser=section, checkpoints=folder.checkpoints(stage), sink=session.sink
    )
    await learner.save(folder.model(stage))
    return {}


async def build_preference(stage: str, session: Session, data: Path, parent: Path) -> Figures:
    """Sample pairs with the parent policy, score them, train on them; accuracy on held-out pairs."""
    recipe, folder = session.recipe, session.folder
    section = recipe.preference.model_dump()
    learner = await session.hold(parent, section)
    file = folder.stage(stage) / "pairs.jsonl"
    if not file.is_file():
        rows = checked_rows(data / "preference.jsonl", session)[: section["prompts"]]
        print(f"preference: {section['samples']} answers to each of {len(rows)} prompts", flush=True)
        pairs = await sample_pairs(
            rows, section, session.tokenizer, await session.serve(), session.pools(), recipe.seed,
            prompt_room(stage, recipe), recipe.rewards.max_error_share,
        )  # fmt: skip
        check_pairs(pairs)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_pairs(file, pairs)
    pairs = read_pairs(file)
    reference = await pair_logprobs(learner, pairs)
    source = PreferenceSource(pairs, reference, section, recipe.seed, ptx_source(session, data, section))
    before = await _preference_figures(session, source, pairs, "before")
    await train(
        learner, source, stage=stage, optimiser=section, checkpoints=folder.checkpoints(stage), sink=session.sink
    )
    after = await _preference_figures(session, source, pairs, "after")
    after |= await _implicit_reward_figures(session, pairs, reference)
    await learner.save(folder.model(stage))
    return {"pairs": len(pairs), "heldout_pairs": len(source.heldout), **before, **after}


async def build_rl(stage: str, session: Session, data: Path, parent: Path) -> Figures:
    """GRPO with verifiable rewards."""
    recipe, folder = session.recipe, session.folder
    section = recipe.rl.model_dump()
    rows = checked_rows(data / "rl.jsonl", session)
    prompts = PromptSource(rows, session.tokenizer, room=prompt_room("rl", recipe), seed=recipe.seed)
    learner = await session.hold(parent, section)
    if section["kl_coefficient"]:
        await learner.load_reference(parent)
    pools = session.pools()
    ptx = ptx_source(session, data, section)
    parts = Parts(
        learner, await session.rollout(), pools, prompts, session.sink, SamplesLog(folder.root / "samples.jsonl"),
        ptx.objective if ptx else None,
    )  # fmt: skip
    controller = Controller(
        parts, section, seed=recipe.seed, max_error_share=recipe.rewards.max_error_share,
        checkpoints=folder.checkpoints(stage),
    )  # fmt: skip
    await controller.run()
    await learner.save(folder.model(stage))
    return {"reward_checks": pools.stats()}


Builder = Callable[[str, Session, Path, Path], Awaitable[Figures]]
BUILDERS: dict[str, Builder] = {
    "cpt": build_supervised,
    "sft": build_supervised,
    "lat": build_supervised,
    "preference": build_preference,
    "rl": build_rl,
}


def ptx_source(session: Session, data: Path, section: Mapping[str, Any]) -> PtxSource | None:
    """The second objective of a stage whose recipe section asks for one."""
    if not section["ptx"]["coefficient"]:
        return None
    recipe = session.recipe
    return PtxSource(data, section["ptx"], session.tokenizer, recipe.learner.row_tokens, section["steps"], recipe.seed)


def checked_rows(path: Path, session: Session) -> list[Row]:
    """Prompt rows with the recipe's plug-ins applied, validated before any compute is spent."""
    rows = read_rows(path, needs=("id", "messages", "rewards"))
    pools, rewards = session.pools(), session.recipe.rewards
    added = [{"kind": kind, "weight": 1.0} for kind in pools.plugin_kinds]
    if added and rewards.plugins_apply != "rows":
        keep = rewards.plugins_apply == "add"
        rows = [{**row, "rewards": [*(row["rewards"] if keep else []), *added]} for row in rows]
    validate_rows(rows, known_kinds())
    return rows


def prompt_room(stage: str, recipe: Recipe) -> int:
    """Longest prompt that leaves space for an answer: in the context, and in a packed row of the learner."""
    return min(recipe.model.context, recipe.learner.row_tokens) - int(getattr(recipe, stage).max_tokens)


async def check_inputs(stages: Iterable[str], session: Session, data: Path) -> None:
    """Rows, rewards, suites and prompt lengths of stages to come, before any compute is spent on earlier ones.

    The reward pools start here, so a machine that cannot isolate code is found out at once.
    """
    recipe = session.recipe
    kinds: set[str] = set()
    asked = [(f"{stage}.jsonl", stage) for stage in stages if stage in ("preference", "rl")]
    for file, stage in asked:
        rows = checked_rows(data / file, session)
        prompts = encode_prompts(session.tokenizer, [row["messages"] for row in rows])
        check_lengths(rows, prompts, prompt_room(stage, recipe), f"{stage}.max_tokens")
        kinds |= {spec["kind"] for row in rows for spec in row["rewards"]}
    for suite in load_suites(data / recipe.evaluation.split):
        validate_rows(suite.rows, known_kinds())
        prompts = encode_prompts(session.tokenizer, [row["messages"] for row in suite.rows])
        check_lengths(suite.rows, prompts, recipe.model.context - recipe.evaluation.max_tokens, "evaluation.max_tokens")
        kinds |= {spec["kind"] for row in suite.rows for spec in row["rewards"]}
    await session.pools().start_async(kinds)


async def _preference_figures(session: Session, source: PreferenceSource, pairs: Sequence[Pair], when: str) -> Figures:
    learner = await session.learner()
    heldout = [pair for pair in pairs if pair.heldout]
    loss = await learner.evaluate_loss(
        source.heldout, loss="preference", counts=source.counts(source.heldout), settings=source.settings()
    )
    figures = {
        f"heldout_accuracy_{when}": accuracy(heldout, await pair_logprobs(learner, heldout)),
        f"heldout_loss_{when}": loss["loss"],
    }
    print("preference: " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items()), flush=True)
    return figures


async def _implicit_reward_figures(session: Session, pairs: Sequence[Pair], reference: Sequence[Logprobs]) -> Figures:
    parent = [values for values, pair in zip(reference, pairs, strict=True) if pair.heldout]
    now = await pair_logprobs(await session.learner(), [pair for pair in pairs if pair.heldout])
    return {"heldout_reward_accuracy": reward_accuracy(now, parent)}


def _texts(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        if file.is_file():
            for row in read_rows(file):
                yield row["text"] if "text" in row else "\n".join(m["content"] for m in row["messages"])

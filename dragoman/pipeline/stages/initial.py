"""`base`: tokenizer and initial weights, made from the recipe's numbers or taken from a user's checkpoint."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from dragoman.checkpoints.pretrained import check_pretrained, read_shape
from dragoman.checkpoints.vocabulary import pieces_to_keep, trim
from dragoman.data.rows import each_text
from dragoman.pipeline.model_source import model_folder
from dragoman.pipeline.session import Session
from dragoman.pipeline.stages.base import Stage, StageMetrics, register_stage
from dragoman.recipes import Recipe
from dragoman.settings import Json, result_values
from pretrain_sft.tokenizer import train_tokenizer

TOKENIZER_FILES = ("cpt_mono.jsonl", "cpt_parallel.jsonl", "cpt_instructions.jsonl", "sft.jsonl")
"""Files whose texts train the tokenizer of a model that is made here."""
TEXTS_AT_ONCE = 10_000


class InitialModel(Stage):
    """The stage that every other one comes from; it has no parent and no optimiser."""

    name, title, instructed = "base", "base model", False

    def settings(self, recipe: Recipe) -> None:
        """It trains nothing."""

    def files(self, recipe: Recipe) -> list[str]:
        """None by name: which texts are there is part of what it depends on."""
        return []

    def depends_on(self, recipe: Recipe) -> Mapping[str, Json]:
        """The numbers of the network; a checkpoint is taken in the learner's dtype."""
        dtype = recipe.learner.dtype if recipe.model.path else "float32"
        return {"model": result_values(recipe.model), "dtype": dtype}

    async def build(self, session: Session, parent: Path) -> StageMetrics:
        """Write the model; `parent` is not read."""
        recipe, target = session.recipe, session.folder.model(self.name)
        make = take_model if recipe.model.path else make_model
        return make(recipe, session.data, target)


def take_model(recipe: Recipe, data: Path, target: Path) -> StageMetrics:
    """Copy a user's checkpoint, in the learner's dtype, with the vocabulary that the recipe keeps."""
    from dragoman.learner.model import load_model, save_model

    source = model_folder(recipe.model)
    check_pretrained(source, recipe.model.context)
    taken = source
    if recipe.model.kept_pieces:
        taken = target.with_name("trimmed")
        trim(source, taken, _pieces_of(source, data, recipe.model.kept_pieces))
    model = load_model(taken, recipe.learner.dtype)
    save_model(target, dict(model.named_parameters()), taken)
    shutil.rmtree(target.with_name("trimmed"), ignore_errors=True)
    shape = read_shape(target)
    return {"parameters": shape.parameters, "vocabulary": shape.vocabulary, "source": str(recipe.model.path)}


def make_model(recipe: Recipe, data: Path, target: Path) -> StageMetrics:
    """Tokenizer trained on the data, and a network with random weights."""
    from dragoman.files import publish_folder
    from dragoman.learner.model import build_model, load_tokenizer

    tokenizer = train_tokenizer(_texts(data), recipe.model.vocabulary_size)
    model = build_model(recipe.model, len(tokenizer), tokenizer.eos_token_id, tokenizer.pad_token_id, recipe.seed)
    aside = target.with_name("model.tmp")
    shutil.rmtree(aside, ignore_errors=True)  # of an attempt that was killed
    model.save_pretrained(aside)
    tokenizer.save_pretrained(aside)
    load_tokenizer(aside)
    publish_folder(aside, target)
    return {"parameters": sum(p.numel() for p in model.parameters()), "vocabulary": len(tokenizer)}


def _pieces_of(source: Path, data: Path, pieces: int) -> list[int]:
    """The pieces that the run's texts use most, and those of every letter in them."""
    from dragoman.learner.model import load_tokenizer

    tokenizer, texts = load_tokenizer(source), _texts(data)
    counts: Counter[int] = Counter()
    letters: set[str] = set()
    while some := list(islice(texts, TEXTS_AT_ONCE)):
        counts.update(number for ids in tokenizer(some, add_special_tokens=False)["input_ids"] for number in ids)
        letters.update(letter for text in some for letter in text)
    spelled = tokenizer(sorted(letters), add_special_tokens=False)["input_ids"]
    return pieces_to_keep(source, counts, pieces, {number for ids in spelled for number in ids})


def _texts(data: Path) -> Iterator[str]:
    for name in TOKENIZER_FILES:
        if (data / name).is_file():
            yield from each_text(data / name)


register_stage(InitialModel())

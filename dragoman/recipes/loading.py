"""Reading a recipe: YAML, then dotted overrides, then validation with errors a person can act on.

    recipe = load_recipe(Path("recipes/quickstart.yaml"), ["rl.steps=20", "seed=3"])

A recipe may name another one under `extends:`; its keys are laid over that one's. Under `forms:` it may hold named sets
of keys, of which `form: NAME` lays one over the others: a short and a long run are one recipe. Errors raised:
`RecipeError`, whose text names the key, the value, the allowed range and the mend.
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from dragoman.errors import DragomanError
from dragoman.recipes.extensions import load_extensions
from dragoman.recipes.schema import Recipe
from dragoman.settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "recipes"
"""The shipped recipes"""
DEFAULT_RECIPE = FOLDER / "quickstart.yaml"

SHARES = ("mixture", "replay")
"""Keys that hold shares of files: one choice, which another recipe replaces whole."""


class RecipeError(DragomanError):
    """A recipe that cannot be used; the text says which key, why, and what to write instead."""


def load_recipe(path: Path | None = None, overrides: Sequence[str] = ()) -> Recipe:
    """Recipe of a YAML file (default: the quickstart) with `key=value` overrides applied."""
    source = DEFAULT_RECIPE if path is None else path
    values = _read(source, seen=())
    chosen = [text for text in overrides if text.partition("=")[0].strip() == "form"]
    for text in chosen:
        values = override(values, text)
    values = _formed(values)
    for text in overrides:
        if text not in chosen:
            values = override(values, text)
    load_extensions(_texts(values.get("extensions")))
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError(f"{source}: " + _explain(error)) from None


def _texts(value: object) -> list[str]:
    """The texts of a list; whatever else a recipe says there, the schema refuses."""
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def override(values: Mapping[str, Any], text: str) -> dict[str, Any]:
    """A copy of `values` with one dotted override such as `rl.steps=200` (the value is read as YAML)."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise RecipeError(f"override {text!r} is not of the form key=value, for instance rl.steps=200")
    result = dict(values)
    inner = result
    *parents, leaf = key.strip().split(".")
    for parent in parents:
        child = inner.get(parent) or {}
        if not isinstance(child, Mapping):
            raise RecipeError(f"override {text!r}: {parent!r} is a value, not a section")
        inner[parent] = dict(child)
        inner = inner[parent]
    inner[leaf] = _parse_scalar(value)
    return result


def resolved_yaml(recipe: Recipe) -> str:
    """The recipe with every default written out, as YAML."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _parse_scalar(text: str) -> Any:
    value = yaml.safe_load(text) if text.strip() else None
    if isinstance(value, str):  # YAML 1.1 reads 1e-4 as a string
        try:
            return float(value)
        except ValueError:
            return value
    return value


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise RecipeError(f"no recipe at {path}; give a YAML file (shipped with the project: {known})")
    if path in seen:
        raise RecipeError(f"{path} extends itself through {' -> '.join(map(str, seen))}")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise RecipeError(f"{path} is not YAML: {error}") from None
    if not isinstance(values, dict):
        raise RecipeError(f"{path} must hold keys and values, found {type(values).__name__}")
    base = values.pop("extends", None)
    if base is None:
        return values
    return _lay_over(_read((path.parent / str(base)).resolve(), (*seen, path)), values)


def _formed(values: dict[str, Any]) -> dict[str, Any]:
    """The values with the chosen form laid over them."""
    rest = {key: value for key, value in values.items() if key not in ("form", "forms")}
    forms, chosen = values.get("forms") or {}, values.get("form")
    if chosen is None:
        return rest
    if chosen not in forms:
        raise RecipeError(f"form = {chosen!r}: this recipe has the forms {', '.join(forms) or 'none'}")
    return _lay_over(rest, forms[chosen] or {})


def _lay_over(base: dict[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in top.items():
        below = result.get(key)
        # a mixture is one choice: laying shares over shares would mix two of them
        merge = isinstance(value, Mapping) and isinstance(below, dict) and key not in SHARES
        result[key] = _lay_over(dict(below or {}), value) if merge else value
    return result


def _explain(error: ValidationError) -> str:
    return "; ".join(_sentence(item) for item in error.errors())


def _sentence(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "recipe"
    if item["type"] == "extra_forbidden":
        near = _nearest(item["loc"])
        return f"unknown key {key!r}" + (f", did you mean {near!r}?" if near else "")
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error":
        return message if key == "recipe" else f"{key}: {message}"
    return f"{key} = {item['input']!r} is not allowed: {message}"


def _nearest(location: Sequence[Any]) -> str | None:
    section: type[BaseModel] = Recipe
    for part in location[:-1]:
        field = section.model_fields.get(str(part))
        if field is None:
            return None
        kinds = [k for k in (field.annotation, *get_args(field.annotation)) if isinstance(k, type)]
        inner = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if not inner:
            return None
        section = inner[0]
    name, keys = str(location[-1]), _dotted_keys()
    if issubclass(section, Settings) and name in section.moved:
        return ".".join([*map(str, location[:-1]), section.moved[name]])
    elsewhere = next((path for path, key in keys.items() if key == name), None)
    if elsewhere is not None:  # the right key at the wrong level
        return elsewhere
    near = difflib.get_close_matches(name, section.model_fields, n=1, cutoff=0.6)
    if near:
        return ".".join([*map(str, location[:-1]), near[0]])
    near = difflib.get_close_matches(name, keys.values(), n=1, cutoff=0.6)
    return next((path for path, key in keys.items() if near and key == near[0]), None)


def _dotted_keys() -> dict[str, str]:
    """`section.key` of every section, with the bare key."""
    return {
        f"{section}.{key}": key
        for section, field in Recipe.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        for key in field.annotation.model_fields
    }

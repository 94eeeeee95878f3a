"""Recipes: one YAML file says everything a run does; this package composes the rooms' settings, loads and checks it."""

from dragoman.recipes.loading import RecipeError, load_recipe, override, resolved_yaml
from dragoman.recipes.schema import STAGES, Recipe

__all__ = ["STAGES", "Recipe", "RecipeError", "load_recipe", "override", "resolved_yaml"]

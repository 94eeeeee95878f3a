"""Recipes: one YAML file says everything a run does; this package validates and loads it."""

from recipes.loading import RecipeError, load_recipe, override, resolved_yaml
from recipes.schema import STAGES, Recipe

__all__ = ["STAGES", "Recipe", "RecipeError", "load_recipe", "override", "resolved_yaml"]

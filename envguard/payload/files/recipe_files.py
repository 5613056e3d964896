"""The recipes of a file's models in a document that does the same again without a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..contract import RecipeDocument
from ..int8.recipes import Recipe


def document(goal: str, target: str, recipes: Mapping[str, Recipe | None]) -> RecipeDocument:
    """The document; models without a recipe, such as those that are quantized already, are left out."""
    written = {name: recipe.written() for name, recipe in recipes.items() if recipe is not None}
    return RecipeDocument(goal, written, target)


def recipes_for(names: Sequence[str], given: RecipeDocument) -> Mapping[str, Recipe]:
    """The recipes by the names of the models at hand: a lone model is called what its file is called.

    `Refused` for a recipe that cannot be read.
    """
    recipes = {name: Recipe.read(each, name) for name, each in given.models.items()}
    if len(names) == len(recipes) == 1:
        return dict(zip(names, recipes.values()))  # noqa: B905 - Python 3.9
    return recipes

"""What was done to each model of a file, as a document that does the same again without a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..int8.recipes import Recipe
from ..protocol import Refused

SCHEMA = 1


@dataclass(frozen=True)
class RecipeFile:
    """The goal that a search was for, and the recipe that it found for each model by name."""

    goal: str
    recipes: Mapping[str, Recipe]

    def for_models(self, names: Sequence[str]) -> Mapping[str, Recipe]:
        """The recipes by the names of the models at hand: a lone model is called what its file is called."""
        if len(names) == len(self.recipes) == 1:
            return dict(zip(names, self.recipes.values()))  # noqa: B905 - Python 3.9
        return self.recipes


def as_json(goal: str, recipes: Mapping[str, Recipe | None]) -> dict[str, Any]:
    """The document; models without a recipe, such as those that are quantized already, are left out."""
    models = {name: recipe.as_json() for name, recipe in recipes.items() if recipe is not None}
    return {"schema": SCHEMA, "goal": goal, "models": models}


def read(document: Any) -> RecipeFile:
    """What a document says; `Refused` if it is none, or of a schema that this program does not know."""
    if not isinstance(document, dict) or not isinstance(document.get("models"), dict):
        raise Refused("The recipe is none.", why="it has no table of models", next_step="Give a receipt of a run.")
    if document.get("schema") != SCHEMA:
        raise Refused(f"The recipe is of schema {document.get('schema')!r}, and only {SCHEMA} is known.")
    recipes = {str(name): Recipe.from_json(each, str(name)) for name, each in document["models"].items()}
    return RecipeFile(str(document.get("goal")), recipes)

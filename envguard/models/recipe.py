"""The recipe that `--recipe FILE` names: of a receipt, of a `--json` report, or by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.documents import parse_json
from envguard.errors import BadInput
from envguard.payload.contract import CPU, TARGETS, Json

LARGEST = 5_000_000
NEXT_STEP = "Give the receipt of an earlier run: it lies beside the output."


@dataclass(frozen=True, slots=True)
class GivenRecipe:
    """A recipe as it was found, and the models that its run dropped; what a recipe may say is the payload's."""

    recipe: Mapping[str, Json]
    drop: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """What the file was made for; recipes from before there were targets are for the CPU."""
        target = self.recipe.get("target", CPU)
        return str(target) if target in TARGETS else CPU


def read_recipe(path: Path) -> GivenRecipe:
    """The recipe in a file; raises BadInput if there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST:,} bytes")
        document = parse_json(data)
    except (OSError, ValueError) as error:
        raise BadInput(f"The recipe {path} cannot be read.", why=str(error), next_step=NEXT_STEP) from error
    found = _recipe_of(document) if isinstance(document, dict) else None
    if found is None:
        raise BadInput(
            f"There is no recipe in {path}.",
            why="it is neither a receipt of `envguard run quantize` nor its --json report",
            next_step=NEXT_STEP,
        )
    return found


def _recipe_of(document: dict[str, Json]) -> GivenRecipe | None:
    options = document.get("options")
    step = options.get("quantize") if isinstance(options, dict) else None
    if isinstance(step, dict) and isinstance(recipe := step.get("recipe"), dict):
        return GivenRecipe(recipe, _names(step.get("drop")))
    if isinstance(recipe := document.get("recipe"), dict):
        return GivenRecipe(recipe, _names(document.get("dropped")))
    return GivenRecipe(document) if isinstance(document.get("models"), dict) else None


def _names(value: Json) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()

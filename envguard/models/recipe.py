"""The recipe that `--recipe FILE` names: of a receipt, of a `--json` report, or by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envguard.errors import BadInput

LARGEST = 5_000_000


def read_recipe(path: Path) -> dict[str, Any]:
    """Options for the quantize step, `recipe` among them; raises BadInput. What a recipe may say is the payload's."""
    import json

    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST:,} bytes")
        document = json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(
            f"The recipe {path} cannot be read.", why=str(error), next_step="Give the receipt of an earlier run."
        ) from error
    found = _recipe_of(document)
    if found is None:
        raise BadInput(
            f"There is no recipe in {path}.",
            why="it is neither a receipt of `envguard run quantize` nor its --json report",
            next_step="Give the receipt of an earlier run: it lies beside the output.",
        )
    return found


def _recipe_of(document: Any) -> dict[str, Any] | None:
    if not isinstance(document, dict):
        return None
    options = document.get("options")
    step = options.get("quantize") if isinstance(options, dict) else None
    if isinstance(step, dict) and isinstance(step.get("recipe"), dict):
        return {"recipe": step["recipe"], "drop": _names(step.get("drop"))}
    if isinstance(document.get("recipe"), dict):
        return {"recipe": document["recipe"], "drop": _names(document.get("dropped"))}
    return {"recipe": document, "drop": []} if isinstance(document.get("models"), dict) else None


def _names(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

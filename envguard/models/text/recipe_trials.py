"""The recipes that were tried for each model, and why all but one lost."""

from __future__ import annotations

from collections.abc import Sequence

from envguard.models.text.tables import Row
from envguard.payload.contract import TAKEN, ModelReport, RecipeTrial, RefusedRecipe

HEADS = ("recipe", "bytes", "error", "time to original's", "outcome")


def trial_lines(models: Sequence[ModelReport]) -> list[str]:
    """For a terminal: which recipe was taken of how many, and below it the others with the reason."""
    lines = []
    for model in models:
        if not model.candidates:
            continue
        taken = [each.name for each in model.candidates if each.outcome == TAKEN]
        lines.append(f"{model.name}: {', '.join(taken)}, of {len(model.candidates)} recipes tried")
        lines += [f"  {each.name}: {each.outcome}" for each in model.candidates if each.outcome != TAKEN]
    return lines


def refused_lines(refused: Sequence[RefusedRecipe]) -> list[str]:
    """What was made before, one line each: by which recipes, and what the gates said to it."""
    return [
        f"tried: {each.bytes:,} bytes ({'; '.join(f'{name}: {words}' for name, words in each.candidates.items())}). "
        + " ".join(f"{gate.name}: {gate.message}" for gate in each.gates)
        for each in refused
    ]


def trial_tables(models: Sequence[ModelReport]) -> dict[str, list[Row]]:
    """For Markdown: a table with its head for each model that recipes were tried for.

    Errors are in units of what noise of one grey level on the inputs makes.
    """
    return {model.name: [HEADS, *map(_row, model.candidates)] for model in models if model.candidates}


def _row(trial: RecipeTrial) -> Row:
    return (
        trial.name,
        f"{trial.bytes:,}",
        "no number" if trial.error is None else f"{trial.error:.3f}",
        f"{trial.time.ratio:.2f}" if trial.time else "not measured",
        trial.outcome,
    )

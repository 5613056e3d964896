"""The recipes that were tried for each model, and why all but one were not taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TAKEN = "taken"
HEADS = ("recipe", "bytes", "error", "time to original's", "outcome")


def candidate_lines(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """For a terminal: what was taken of how many, and below it the others with the reason."""
    lines = []
    for model in models:
        candidates = model.get("candidates") or []
        if not candidates:
            continue
        taken = [each["name"] for each in candidates if each["outcome"] == TAKEN]
        lines.append(f"{model['name']}: {', '.join(taken)}, of {len(candidates)} recipes tried")
        lines += [f"  {each['name']}: {each['outcome']}" for each in candidates if each["outcome"] != TAKEN]
    return lines


def candidate_tables(models: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[str, ...]]]:
    """For a page: a table with its heads for each model that recipes were tried for.

    Errors are in units of what noise of one grey level on the inputs makes.
    """
    return {model["name"]: [HEADS, *map(_row, model["candidates"])] for model in models if model.get("candidates")}


def _row(candidate: Mapping[str, Any]) -> tuple[str, ...]:
    time = candidate["time"]
    return (
        candidate["name"],
        f"{candidate['bytes']:,}",
        "no number" if candidate["error"] is None else f"{candidate['error']:.3f}",
        f"{time['ratio']:.2f}" if time else "not measured",
        candidate["outcome"],
    )

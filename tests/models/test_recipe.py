"""A recipe is read from a receipt, a report or a file of its own, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envguard.errors import BadInput
from envguard.models.recipe import LARGEST, GivenRecipe, read_recipe
from envguard.payload.contract import Json

RECIPE: dict[str, Json] = {"schema": 1, "goal": "size", "models": {"net": {"layers": [[3, "int8"]], "low_rank": False}}}


@pytest.mark.parametrize(
    ("document", "dropped"),
    [
        ({"options": {"quantize": {"recipe": RECIPE, "drop": ["face_blendshapes"]}}}, ["face_blendshapes"]),
        ({"verdict": "yes", "recipe": RECIPE, "dropped": ["face_blendshapes"]}, ["face_blendshapes"]),
        (RECIPE, []),
    ],
    ids=["receipt", "report", "recipe"],
)
def test_what_is_dropped_is_part_of_it(tmp_path: Path, document: object, dropped: list[str]) -> None:
    path = tmp_path / "it.json"
    path.write_text(json.dumps(document))
    assert read_recipe(path) == GivenRecipe(RECIPE, tuple(dropped))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not JSON",
        "[" * 100_000,
        '{"options": 3}',
        '{"options": {"quantize": {"recipe": 3}}}',
        '{"recipe": []}',
        "{" + " " * LARGEST,
    ],
    ids=["empty", "list", "table", "prose", "deep", "options", "no table", "a list", "large"],
)
def test_anything_else_is_bad_input(tmp_path: Path, text: str) -> None:
    path = tmp_path / "it.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="recipe") as raised:
        read_recipe(path)
    assert raised.value.next_step


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_recipe(tmp_path / "missing.json")

"""What was done to the layers of models, for people and for a run that does the same again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .roads import CPU

IN_INT8 = "int8 dynamic"
"""How the treatments of layers that compute in int8 begin."""


@dataclass(frozen=True)
class ModelRecipe:
    """The treatment of each layer of a model, runs of equal ones counted, and whether large layers were compressed."""

    layers: tuple[tuple[int, str], ...]
    low_rank: bool


@dataclass(frozen=True)
class RecipeDocument:
    """The goal of a search, and what it found for each model by name; enough to do the same without a search.

    `target` is what the file was made for; recipes from before there were targets are for the CPU.
    """

    goal: str
    models: Mapping[str, ModelRecipe] = field(default_factory=dict)
    target: str = CPU
    schema: Literal[1] = 1

    @property
    def in_int8(self) -> Mapping[str, int]:
        """How many layers of each model multiply int8 by int8, for which ARM has instructions; no zeros."""
        counts = {
            name: sum(count for count, treatment in model.layers if treatment.startswith(IN_INT8))
            for name, model in self.models.items()
        }
        return {name: count for name, count in counts.items() if count}


@dataclass(frozen=True)
class RecipeSummary:
    """What became of a model's weights, in words and counts; `why` says why they are unchanged, if they are."""

    weights: str
    why: str = ""
    arithmetic: str = ""
    inputs_and_outputs: str = ""
    int8_tensors: int = 0
    int8_weights: int = 0
    float_tensors: int = 0
    float_weights: int = 0

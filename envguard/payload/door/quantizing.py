"""What the steps that make new files find: `quantize`, `convert`, `report`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Optional

from .describing import AppliedPass
from .recipes import ModelRecipe, RecipeDocument, RecipeSummary
from .roads import RoadLint
from .timing import Processor, Timing

TAKEN = "taken"
"""The outcome of the recipe that a model was made by."""


@dataclass(frozen=True)
class RecipeTrial:
    """A recipe that was tried on a model; `outcome` says why it was taken, or why not.

    `error` is that of all outputs on held-out inputs, in units of what noise of one grey level makes; None where the
    model did not run. `time` is None where the error was too large already, and after gates refused another: only what
    the search tries is timed. `recipe` is the treatment of each layer.
    """

    name: str
    bytes: int
    error: Optional[float]
    time: Optional[Timing]
    outcome: str
    recipe: Optional[ModelRecipe] = None


@dataclass(frozen=True)
class QuantizedModel:
    """One model before and after, sizes in bytes.

    `layer_errors` are those that each layer makes by itself, in the unit of the trials' errors; they are measured where
    gates refused a recipe. `roads` says what rules tell of the copy, road by road.
    """

    name: str
    bytes_in: int
    bytes_out: int
    quantized: bool
    recipe: RecipeSummary
    candidates: tuple[RecipeTrial, ...]
    passes: tuple[AppliedPass, ...]
    layer_errors: tuple[float, ...] = ()
    roads: tuple[RoadLint, ...] = ()

    @property
    def made_by(self) -> str:
        """The name of the recipe that it was made by."""
        unsearched = f"{self.recipe.weights}, not searched"
        return next((trial.name for trial in self.candidates if trial.outcome == TAKEN), unsearched)


@dataclass(frozen=True)
class QuantizeFindings:
    """A file before and after; `ratio` is of bytes, `dropped` are the models that were left out as asked."""

    bytes_in: int
    bytes_out: int
    sha256_in: str
    sha256_out: str
    ratio: float
    recipe: RecipeDocument
    cpu: Processor
    dropped: tuple[str, ...]
    models: tuple[QuantizedModel, ...]
    step: Literal["quantize"] = "quantize"


@dataclass(frozen=True)
class OperatorTypes:
    """How many operators give int8, and how many float32."""

    int8: int
    float32: int


@dataclass(frozen=True)
class ConvertedModel:
    """The float conversion and the int8 one, sizes in bytes."""

    name: str
    bytes_in: int
    bytes_out: int
    quantized: bool


@dataclass(frozen=True)
class ConvertFindings:
    """An int8 conversion beside the float one of the same converter, which `ratio` is to.

    `kind` is `int8` or, without calibration, `weights`; `rows` is how many inputs calibrated.
    """

    tensorflow: str
    kind: str
    rows: int
    bytes_in: int
    bytes_out: int
    sha256_in: str
    sha256_out: str
    ratio: float
    operators: OperatorTypes
    models: tuple[ConvertedModel, ...]
    signature: str
    step: Literal["convert"] = "convert"


@dataclass(frozen=True)
class PageFindings:
    """The page of a run was made; its size in bytes."""

    bytes: int
    step: Literal["report"] = "report"

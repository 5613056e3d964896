"""What is said of models before they are changed: by the steps `inspect` and `calibrate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Optional

from .codec import written_as
from .recipes import RecipeSummary
from .roads import RoadLint


@dataclass(frozen=True)
class Port:
    """An input or output of a model; a size of -1 in `shape_signature` is open."""

    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Signature:
    """A signature's key, and the tensors' names by the names that it gives to inputs and outputs."""

    key: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True)
class AppliedPass:
    """One pass over one model: how many things it changed, and whether outputs can differ because of it."""

    name: str = field(metadata=written_as("pass"))
    changed: int
    what: str
    lossless: bool = True


@dataclass(frozen=True)
class IntegerTensors:
    """How many tensors are integers with a scale, and how many of these are constants."""

    tensors: int
    constants: int


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way of a step, and what happens then."""

    what: str
    effect: str


@dataclass(frozen=True)
class InspectedModel:
    """One model of a file; counts are by name of operator or type, sizes in bytes.

    `input_ranges` are the lowest and highest value of the inputs that the metadata says it of, by name.
    `becomes_int8` counts, by kind of operator after the passes, `operators`, those with `int8_weights`, and those with
    `int8_arithmetic`. `roads` says what rules tell of the model as it is, road by road.
    """

    name: str
    bytes: int
    operators: Mapping[str, int]
    custom_operators: tuple[str, ...]
    weight_bytes: Mapping[str, int]
    constants: Mapping[str, int]
    activations: Mapping[str, int]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    signatures: tuple[Signature, ...]
    metadata: Mapping[str, int]
    associated_files: tuple[str, ...]
    integer_quantized: IntegerTensors
    passes: tuple[AppliedPass, ...]
    recipe: Optional[RecipeSummary]
    becomes_int8: Mapping[str, Mapping[str, int]]
    state: str
    blocks: tuple[Obstacle, ...]
    input_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    roads: tuple[RoadLint, ...] = ()


@dataclass(frozen=True)
class Member:
    """A member of a bundle: its path and size in bytes."""

    name: str
    bytes: int


@dataclass(frozen=True)
class InspectFindings:
    """What a model file holds and what quantizing it would meet; `kind` is `bundle` or `model`."""

    file: str
    kind: str
    bytes: int
    members: tuple[Member, ...]
    models: tuple[InspectedModel, ...]
    step: Literal["inspect"] = "inspect"


@dataclass(frozen=True)
class CalibrateFindings:
    """How many pictures there were, and how many inputs were made of them, by model: to calibrate, and held out."""

    pictures: int
    inputs: Mapping[str, int]
    held_out: Mapping[str, int]
    step: Literal["calibrate"] = "calibrate"

"""Real inputs for a bundle's models, as the step that made them from pictures wrote them down."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..graph.normalization import input_ranges
from ..graph.schema import ModelT, TensorType
from ..protocol import Refused

_LARGEST_PIXEL = 255.0


class Samples(Sequence["list[np.ndarray]"]):
    """Inputs of a model with one input, each a batch of one; pixels are normalised when they are read."""

    def __init__(self, stacked: np.ndarray, limits: tuple[float, float]) -> None:
        self._stacked = stacked
        self._limits = limits

    def __len__(self) -> int:
        return len(self._stacked)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        array = self._stacked[number][None]
        if array.dtype == np.uint8:
            low, high = self._limits
            array = low + (high - low) / _LARGEST_PIXEL * array.astype(np.float32)
        return [array.astype(np.float32)]

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        return (self[number] for number in range(len(self)))


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` by model name; `Refused` if it is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as cause:
        raise Refused(f"{path.name} is no file of calibration arrays.", why=str(cause)) from cause


def samples(arrays: Mapping[str, np.ndarray], name: str, model: ModelT) -> Samples | None:
    """The inputs that there are for the model called `name`; None if there are none, or it takes other ones."""
    graph = model.subgraphs[0]
    stacked = arrays.get(name)
    if stacked is None or len(stacked) == 0 or len(graph.inputs) != 1:
        return None
    tensor = graph.tensors[graph.inputs[0]]
    if tensor.type != TensorType.FLOAT32 or list(tensor.shape) != [1, *stacked.shape[1:]]:
        return None
    return Samples(stacked, input_ranges(model)[0])

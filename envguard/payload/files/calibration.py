"""Real inputs for a file's models, as the steps that made them wrote them down."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..graph.normalization import input_ranges
from ..graph.schema import ModelT, TensorT, TensorType
from ..protocol import Refused
from .holding_out import key

_LARGEST_PIXEL = 255.0
_TYPES: Mapping[int, Any] = {
    TensorType.FLOAT32: np.float32,
    TensorType.INT32: np.int32,
    TensorType.INT64: np.int64,
    TensorType.UINT8: np.uint8,
    TensorType.INT8: np.int8,
    TensorType.BOOL: np.bool_,
}
"""The types of inputs that are given as they are; those with a scale are integers only by quantization."""


class Samples(Sequence["list[np.ndarray]"]):
    """Inputs of a model with one input, a batch each; pixels are normalised when they are read."""

    def __init__(
        self, stacked: np.ndarray, limits: tuple[float, float], batch: int = 1, dtype: Any = np.float32
    ) -> None:
        self._stacked = stacked
        self._limits = limits
        self._batch = batch
        self._dtype = dtype

    def __len__(self) -> int:
        return len(self._stacked) // self._batch

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        array = self._stacked[number * self._batch : (number + 1) * self._batch]
        if array.dtype == np.uint8 and self._dtype == np.float32:
            low, high = self._limits
            array = low + (high - low) / _LARGEST_PIXEL * array.astype(np.float32)
        return [array.astype(self._dtype)]

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        return (self[number] for number in range(len(self)))


class SeveralInputs(Sequence["list[np.ndarray]"]):
    """Inputs of a model with several, each of which has as many samples."""

    def __init__(self, inputs: Sequence[Samples]) -> None:
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._inputs[0])

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        return [array for samples in self._inputs for array in samples[number]]

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        return (self[number] for number in range(len(self)))


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` by `key`; `Refused` if it is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as cause:
        raise Refused(f"{path.name} is not a file of calibration arrays.", why=str(cause)) from cause


def samples(arrays: Mapping[str, np.ndarray], name: str, model: ModelT) -> Samples | SeveralInputs | None:
    """The inputs that there are for the model called `name`; None if they fill no batch, or its inputs are quantized.

    `Refused` if there are and the model takes other ones: nothing that is given is left out without a word.
    """
    graph = model.subgraphs[0]
    count = len(graph.inputs)
    keys = [key(name, number, count) for number in range(count)]
    tensors = [graph.tensors[index] for index in graph.inputs]
    given = {each: tensor for each, tensor in zip(keys, tensors) if each in arrays}  # noqa: B905 - Python 3.9
    if not any(len(arrays[each]) >= _batch(tensor) for each, tensor in given.items()):
        return None
    ranges = input_ranges(model)
    if any(_has_scale(tensor) for tensor in tensors if tensor.type != TensorType.FLOAT32):
        return None
    parts = [
        _fitting(arrays.get(each), tensor, limits, name)
        for each, tensor, limits in zip(keys, tensors, ranges)  # noqa: B905 - Python 3.9
    ]
    return parts[0] if count == 1 else SeveralInputs(parts)


def _fitting(stacked: np.ndarray | None, tensor: TensorT, limits: tuple[float, float], name: str) -> Samples:
    shape = [int(size) for size in tensor.shape]
    batch = _batch(tensor)
    if stacked is None or tensor.type not in _TYPES or list(stacked.shape[1:]) != shape[1:] or len(stacked) < batch:
        given = "nothing" if stacked is None else f"{stacked.dtype} {list(stacked.shape)}"
        raise Refused(f"The calibration does not fit {name}.", why=f"There is {given} for an input of {shape}.")
    return Samples(stacked, limits, batch, _TYPES[tensor.type])


def _batch(tensor: TensorT) -> int:
    """How many rows the input takes at once."""
    return int(tensor.shape[0]) if len(tensor.shape) else 1


def _has_scale(tensor: TensorT) -> bool:
    parameters = tensor.quantization
    return parameters is not None and parameters.scale is not None and len(parameters.scale) > 0

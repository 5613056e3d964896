"""TFLite models as objects: loaded from bytes that were judged first, saved to the same bytes for the same model."""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers
import numpy as np

from ..protocol import Refused
from . import flatbuffer, structure
from .schema import ModelT, generated

_DATA_ALIGNMENT = 16
"""In bytes, as schema.fbs demands of buffers (`force_align`), which the Python builder does not know."""


def load(data: bytes, where: str) -> ModelT:
    """The model in `data`; `Refused` names it as `where` and says what is wrong with it.

    Buffers that lie behind the flatbuffer are drawn in, so that every pass finds a constant's bytes in its buffer.
    """
    flatbuffer.check(data, where)
    try:
        model = ModelT.InitFromObj(generated.Model.GetRootAs(data, 0))
    # Options of operators are not described to the checker; the generated code trips over what is broken in them.
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError) as cause:
        raise Refused(f"{where} is not a whole TFLite model.", why=f"its options are damaged: {cause}") from cause
    try:
        _draw_in_external_data(model, data)
        _use_lists(model)
        structure.check(model)
    except structure.Inconsistent as cause:
        raise Refused(f"{where} contradicts itself: {cause}.") from cause
    return model


def save(model: ModelT) -> bytes:
    """The model as a flatbuffer with every buffer inline and aligned, and equal vectors written once."""
    builder = _Builder(1024)
    _use_arrays(model)
    try:
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    finally:
        _use_lists(model)
    return bytes(builder.Output())


class _Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Aligns byte vectors as `force_align: 16` would, and lets tables share vectors of the same bytes.

    The zero points of int8 weights, 8 bytes of zeros per channel, are what sharing is worth the most for.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:  # noqa: N802 - upstream's name
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:  # noqa: N802, N803 - upstream's names
        # Of all vectors of single bytes, only buffers and operators' custom options are this long.
        if elemSize == 1 and numElems >= _DATA_ALIGNMENT:
            alignment = _DATA_ALIGNMENT
        return super().StartVector(elemSize, numElems, alignment)


def _draw_in_external_data(model: ModelT, data: bytes) -> None:
    for index, buffer in enumerate(model.buffers or []):
        if buffer.offset > 1:  # 0 and 1 both mean "not outside", says the schema.
            buffer.data = _outside(data, buffer.offset, buffer.size, f"buffer {index}")
        buffer.offset = buffer.size = 0
    for graph in model.subgraphs or []:
        for operator in graph.operators or []:
            if operator.largeCustomOptionsOffset > 1:
                operator.customOptions = _outside(
                    data, operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize, "a custom option"
                )
            operator.largeCustomOptionsOffset = operator.largeCustomOptionsSize = 0


def _outside(data: bytes, offset: int, size: int, what: str) -> np.ndarray:
    if offset + size > len(data):
        raise structure.Inconsistent(f"{what} reaches to byte {offset + size:,} of {len(data):,}")
    return np.frombuffer(data, np.uint8, size, offset)


def _use_lists(model: ModelT) -> None:
    """Give passes lists of ints where the generated code leaves None or read-only arrays."""
    model.operatorCodes = model.operatorCodes or []
    model.subgraphs = model.subgraphs or []
    model.buffers = model.buffers or []
    model.metadata = model.metadata or []
    model.metadataBuffer = _ints(model.metadataBuffer)
    for graph in model.subgraphs:
        graph.tensors = graph.tensors or []
        graph.operators = graph.operators or []
        graph.inputs, graph.outputs = _ints(graph.inputs), _ints(graph.outputs)
        for tensor in graph.tensors:
            tensor.shape = _ints(tensor.shape)
            if tensor.shapeSignature is not None and len(tensor.shapeSignature) == 0:
                tensor.shapeSignature = None
        for operator in graph.operators:
            operator.inputs, operator.outputs = _ints(operator.inputs), _ints(operator.outputs)
            operator.intermediates = _ints(operator.intermediates)


def _use_arrays(model: ModelT) -> None:
    """The reverse, because the builder writes arrays much faster and can share them."""
    for graph in model.subgraphs:
        graph.inputs, graph.outputs = np.asarray(graph.inputs, np.int32), np.asarray(graph.outputs, np.int32)
        for tensor in graph.tensors:
            tensor.shape = np.asarray(tensor.shape, np.int32)
        for operator in graph.operators:
            operator.inputs = np.asarray(operator.inputs, np.int32)
            operator.outputs = np.asarray(operator.outputs, np.int32)
            operator.intermediates = np.asarray(operator.intermediates, np.int32) if operator.intermediates else None


def _ints(values: Any) -> list[int]:
    return [] if values is None else [int(value) for value in values]

"""The range of values that each input of a model takes, as its TFLITE_METADATA says."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from flatbuffers import number_types
from flatbuffers.table import Table

from .facts import metadata
from .schema import ModelT, text

UNIT = (0.0, 1.0)
"""Taken where the metadata says nothing; what most float models are trained on."""

_LARGEST_PIXEL = 255.0

# Field numbers of metadata_schema.fbs, which never change.
_SUBGRAPHS, _INPUTS, _PROCESS_UNITS, _OPTIONS_TYPE, _OPTIONS, _MEAN, _STD = 3, 2, 4, 0, 1, 0, 1
_NORMALIZATION = 1


def input_ranges(model: ModelT) -> list[tuple[float, float]]:
    """Lowest and highest value of each input, in order: pixels 0..255 after (pixel - mean) / std."""
    return [declared or UNIT for declared in _for_each_input(model)]


def declared_ranges(model: ModelT) -> dict[str, tuple[float, float]]:
    """The same by the inputs' names, of those that the metadata says it of."""
    graph = model.subgraphs[0]
    names = [text(graph.tensors[index].name) for index in graph.inputs]
    return {name: declared for name, declared in zip(names, _for_each_input(model)) if declared}  # noqa: B905 - Python 3.9


def _for_each_input(model: ModelT) -> list[tuple[float, float] | None]:
    count = len(model.subgraphs[0].inputs)
    data = metadata(model).get("TFLITE_METADATA", b"")
    try:
        declared = _declared(data) if data else []
    # Nothing but this reads the metadata here, so damage in it costs the range and no more.
    except (struct.error, IndexError, ValueError, TypeError):
        declared = []
    return [declared[index] if index < len(declared) else None for index in range(count)]


def _declared(data: bytes) -> list[tuple[float, float] | None]:
    root = Table(data, struct.unpack_from("<I", data)[0])
    subgraph = _tables(root, _SUBGRAPHS)[0]
    return [_range(tensor) for tensor in _tables(subgraph, _INPUTS)]


def _range(tensor: Table) -> tuple[float, float] | None:
    for unit in _tables(tensor, _PROCESS_UNITS):
        offset = _offset(unit, _OPTIONS_TYPE)
        if not offset or unit.Get(number_types.Uint8Flags, unit.Pos + offset) != _NORMALIZATION:
            continue
        options = Table(unit.Bytes, 0)
        unit.Union(options, _offset(unit, _OPTIONS))
        mean, std = _floats(options, _MEAN), _floats(options, _STD)
        if len(mean) and len(std) and np.isfinite(mean).all() and (std > 0).all():
            return float(((0 - mean) / std).min()), float(((_LARGEST_PIXEL - mean) / std).max())
    return None


def _offset(table: Table, field: int) -> int:
    return int(table.Offset(4 + 2 * field))


def _tables(table: Table, field: int) -> list[Table]:
    offset = _offset(table, field)
    if not offset:
        return []
    start, count = table.Vector(offset), table.VectorLen(offset)
    if start + 4 * count > len(table.Bytes):
        raise ValueError("a vector of the metadata reaches past its end")
    return [Table(table.Bytes, table.Indirect(start + 4 * index)) for index in range(count)]


def _floats(table: Table, field: int) -> Any:
    offset = _offset(table, field)
    if not offset:
        return np.zeros(0)
    return np.frombuffer(table.Bytes, "<f4", table.VectorLen(offset), table.Vector(offset)).astype(np.float64)

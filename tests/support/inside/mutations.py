"""Small models of every kind that passes look into, and damaged ones made of them: `payload_support.mutations`.

A seed stands for one damaged model, so that what fails can be made again. Half are damaged as bytes, half as objects:
options that are missing or another operator's, indices and sizes out of range, vectors of wrong lengths, tables
exchanged between operators, subgraphs that call each other.
"""

from __future__ import annotations

import copy
import random
import struct
from collections.abc import Iterator
from typing import Any

import flatbuffers
import flatbuffers.table
import numpy as np
from envguard_payload.graph import model as models
from envguard_payload.graph.schema import generated
from payload_support import road_cases, road_graphs
from payload_support.mutable_graphs import graphs

NUMBERS = (
    0, 1, 2, 3, 4, 5, 7, 8, 16, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 1 << 20, 1 << 28, 0x7FFFFFFF, 0x80000000,
    0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFC,
)  # fmt: skip
SIZES = (*range(-2, 10), 16, 100, 127, 255, 1 << 16, 1 << 24, (1 << 28) + 1, (1 << 31) - 1, -(1 << 31))
FLOATS = (0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan"))
OPTIONS = sorted(name for name in vars(generated) if name.endswith("OptionsT"))
UNWRITABLE = (
    struct.error, TypeError, ValueError, AttributeError, OverflowError, flatbuffers.builder.BuilderSizeError,
)  # fmt: skip
SWEPT = 24
"""Models of layers in a row, beside those of one operator each."""


class Mutations:
    """Damaged models by seed."""

    def __init__(self) -> None:
        made = [*graphs(), *(model for _, model, _ in road_cases.cases()), *(m for _, m in road_graphs.sweep(1, SWEPT))]
        self._sources = [models.save(model) for model in made]
        self._places = [sorted(_numbers_read(data)) for data in self._sources]

    def sources(self) -> list[bytes]:
        """The models before any damage."""
        return list(self._sources)

    def damaged(self, seed: int) -> bytes:
        """The damaged model of a seed."""
        chance = random.Random(seed)
        number = chance.randrange(len(self._sources))
        if chance.random() < 0.5:
            return _damaged_bytes(chance, self._sources[number], self._places[number])
        return _damaged_objects(chance, self._sources[number])


def _numbers_read(data: bytes) -> set[tuple[int, int]]:
    """Where the file has lengths, offsets and numbers that are read when it is loaded, and their widths."""
    found = set()
    original = flatbuffers.table.encode.Get

    def noted(packer: Any, buffer: Any, head: int) -> Any:
        found.add((int(head), int(packer.size)))
        return original(packer, buffer, head)

    flatbuffers.table.encode.Get = noted
    try:
        generated.ModelT.InitFromObj(generated.Model.GetRootAs(data, 0))
    finally:
        flatbuffers.table.encode.Get = original
    return found


def _damaged_bytes(chance: random.Random, data: bytes, places: list[tuple[int, int]]) -> bytes:
    damaged = bytearray(data)
    kind = chance.choice(("number", "number", "number", "several", "bit", "cut", "zeros", "swap", "splice"))
    place, width = chance.choice(places)
    if kind in ("number", "several"):
        for _ in range(1 if kind == "number" else chance.randrange(2, 9)):
            place, width = chance.choice(places)
            new = chance.choice(NUMBERS) if chance.random() < 0.6 else _near(chance, damaged, place, width)
            damaged[place : place + width] = (new & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    elif kind == "bit":
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    elif kind == "cut":
        del damaged[chance.randrange(len(damaged)) :]
    elif kind == "zeros":
        damaged[place : place + chance.choice((2, 4, 8, 64))] = bytes(chance.choice((2, 4, 8, 64)))
    elif kind == "swap":
        other, also = chance.choice(places)
        width = min(width, also)
        one, two = damaged[place : place + width], damaged[other : other + width]
        damaged[place : place + width], damaged[other : other + width] = two, one
    else:
        size, start = chance.choice((4, 16, 64)), chance.randrange(len(damaged))
        damaged[place : place + size] = damaged[start : start + size]
    return bytes(damaged)


def _near(chance: random.Random, data: bytearray, place: int, width: int) -> int:
    return int.from_bytes(data[place : place + width], "little") + chance.choice((-8, -4, -2, -1, 1, 2, 4, 8, 16))


def _damaged_objects(chance: random.Random, data: bytes) -> bytes:
    """As `_damaged_bytes`; what cannot be written down is damaged anew."""
    while True:
        model = generated.ModelT.InitFromObj(generated.Model.GetRootAs(data, 0))
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            _damage(chance, model)
        builder = flatbuffers.Builder()
        try:
            builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        except UNWRITABLE:
            continue
        return bytes(builder.Output())


def _damage(chance: random.Random, model: Any) -> None:
    tables = list(_tables(model))
    operators = [each for each in tables if isinstance(each, generated.OperatorT)]
    if operators and chance.random() < 0.25:
        _damage_options(chance, chance.choice(operators), operators)
        return
    table = chance.choice(tables)
    fields = sorted(vars(table))
    if not fields:
        return
    name = chance.choice(fields)
    setattr(table, name, _other(chance, getattr(table, name), tables))


def _damage_options(chance: random.Random, operator: Any, operators: list[Any]) -> None:
    if chance.random() < 0.4:
        operator.builtinOptions, operator.builtinOptionsType = None, 0
    elif chance.random() < 0.5:
        name = chance.choice(OPTIONS)
        number = getattr(generated.BuiltinOptions, name[:-1], None)
        if number is not None:
            operator.builtinOptions, operator.builtinOptionsType = getattr(generated, name)(), number
    else:
        other = chance.choice(operators)
        operator.builtinOptions, operator.builtinOptionsType = other.builtinOptions, other.builtinOptionsType


def _other(chance: random.Random, value: Any, tables: list[Any]) -> Any:
    """Something else of the kind that a field holds, or nothing."""
    if isinstance(value, (bool, int, np.integer)):
        return not value if isinstance(value, bool) else chance.choice(SIZES)
    if isinstance(value, float):
        return chance.choice(FLOATS)
    if isinstance(value, (bytes, str)):
        return chance.choice((None, b"", b"\xff\xfe", b"name", b"x" * 300))
    if value is None or chance.random() < 0.15:
        return None if value is not None else chance.choice(([], [0], [-1], [1, 2, 3], None))
    if isinstance(value, (list, np.ndarray)):
        return _other_vector(chance, list(value))
    alike = [each for each in tables if type(each) is type(value)]
    return copy.copy(chance.choice(alike)) if alike else None


def _other_vector(chance: random.Random, values: list[Any]) -> list[Any]:
    kind = chance.choice(("drop", "repeat", "number", "number", "empty", "turn", "long"))
    if kind == "empty" or not values:
        return [] if values else [chance.choice(SIZES)]
    place = chance.randrange(len(values))
    if kind == "drop":
        del values[place]
    elif kind == "repeat":
        values.insert(chance.randrange(len(values) + 1), values[place])
    elif kind == "turn":
        values.reverse()
    elif kind == "long":
        values = values * chance.choice((2, 3, 20))
    elif isinstance(values[place], (int, np.integer)):
        values[place] = chance.choice(SIZES)
    elif isinstance(values[place], (float, np.floating)):
        values[place] = chance.choice(FLOATS)
    return values


def _tables(table: Any) -> Iterator[Any]:
    """The table and all in it."""
    yield table
    for value in list(vars(table).values()):
        for each in value if isinstance(value, list) else (value,):
            if hasattr(each, "Pack"):
                yield from _tables(each)

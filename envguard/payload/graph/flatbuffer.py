"""Check that bytes are a well-formed TFLite flatbuffer before anything native, or recursive, follows its offsets.

The same tests that the C++ `flatbuffers::Verifier` makes, which the Python runtime lacks: every table, vtable, vector
and string lies inside the file, and the number of tables is bounded. So are the bytes that reading copies: tables may
share a vector or string, which every one of them then gets for itself. Field numbers are those of TFLite's schema.fbs,
which never change.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from ..protocol import Refused

MAX_TABLES = 250_000
"""A few kilobytes can otherwise describe billions of tables that share their bytes; this many take some seconds."""

MAX_SHARED = 4
MAX_COPIED = 4 << 20
"""Vectors and strings may become so many times the file's bytes, and so many bytes above that, when they are copied."""


class Scalars(NamedTuple):
    """A vector of numbers (or a string), `width` bytes each; one that is only `viewed` is never copied."""

    width: int
    viewed: bool = False


class Tables(NamedTuple):
    """A vector of tables of the named kind."""

    kind: str


class Table(NamedTuple):
    """One table of the named kind, or of another kind where the number in the field `by` says so."""

    kind: str
    by: int = 0
    others: Mapping[int, str] = {}


_STRING = Scalars(1)
_SCHEMA: dict[str, dict[int, Scalars | Tables | Table]] = {
    "Model": {
        1: Tables("OperatorCode"), 2: Tables("SubGraph"), 3: _STRING, 4: Tables("Buffer"), 5: Scalars(4),
        6: Tables("Metadata"), 7: Tables("SignatureDef"), 8: Tables("ExternalBufferGroup"),
        9: Tables("ExternalBuffer"),
    },
    "OperatorCode": {1: _STRING},
    "SubGraph": {0: Tables("Tensor"), 1: Scalars(4), 2: Scalars(4), 3: Tables("Operator"), 4: _STRING},
    "Tensor": {
        0: Scalars(4), 3: _STRING, 4: Table("QuantizationParameters"), 6: Table("SparsityParameters"),
        7: Scalars(4), 9: Tables("VariantSubType"),
    },
    "VariantSubType": {0: Scalars(4)},
    "QuantizationParameters": {0: Scalars(4), 1: Scalars(4), 2: Scalars(4), 3: Scalars(8), 5: Table("Opaque")},
    "SparsityParameters": {0: Scalars(4), 1: Scalars(4), 2: Tables("DimensionMetadata")},
    # The width of segments and indices depends on the union's type; one byte each is the least that they can take.
    "DimensionMetadata": {3: Table("Indices"), 5: Table("Indices")},
    "Indices": {0: Scalars(1)},
    "Operator": {
        1: Scalars(4), 2: Scalars(4), 4: Table("Opaque", 3, {111: "VarHandleOptions"}), 5: Scalars(1, viewed=True),
        7: Scalars(1, viewed=True), 8: Scalars(4),
        12: Table("Opaque", 11, {5: "StablehloCustomCallOptions", 21: "StableHLOCompositeOptions"}),
    },
    "VarHandleOptions": {0: _STRING, 1: _STRING},
    "StablehloCustomCallOptions": {0: _STRING, 2: _STRING},
    "StableHLOCompositeOptions": {0: _STRING},
    "ExternalBufferGroup": {0: _STRING},
    "ExternalBuffer": {4: _STRING},
    "Buffer": {0: Scalars(1, viewed=True)},
    "Metadata": {0: _STRING},
    "SignatureDef": {0: Tables("TensorMap"), 1: Tables("TensorMap"), 2: _STRING},
    "TensorMap": {0: _STRING},
    # Options of other operators have numbers, and vectors that are viewed: they are checked when the object is made.
    "Opaque": {},
}  # fmt: skip


class Malformed(ValueError):
    """The bytes cannot be followed; the text says where."""


def check(data: bytes, where: str) -> None:
    """Return if `data` can be read as a TFLite model; `where` names it in the sentence of a `Refused`."""
    if len(data) < 8 or data[4:8] != b"TFL3":
        raise Refused(f"{where} is not a TFLite model: it lacks the identifier TFL3.")
    try:
        _Walk(data).table("Model", 0)
    except Malformed as cause:
        raise Refused(
            f"{where} is not a whole TFLite model.",
            why=f"{cause}; the file is truncated, damaged or made to exhaust memory.",
            next_step="Download or copy the file again and compare its size with the source's.",
        ) from cause


class _Walk:
    """Follows every offset of the schema once per reference, counting tables and what would be copied."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._tables = 0
        self._copied = 0
        self._most_copied = MAX_SHARED * len(data) + MAX_COPIED

    def table(self, kind: str, reference: int) -> None:
        """Check the table that the offset at `reference` points to."""
        self._tables += 1
        if self._tables > MAX_TABLES:
            raise Malformed(f"more than {MAX_TABLES:,} tables")
        start = self._follow(reference, kind)
        vtable = start - self._number("<i", start, kind)
        vtable_bytes = self._number("<H", vtable, kind)
        table_bytes = self._number("<H", vtable + 2, kind)
        if vtable_bytes < 4 or vtable_bytes % 2:
            raise Malformed(f"a {kind} table has a broken vtable")
        self._inside(vtable, vtable_bytes, kind)
        self._inside(start, table_bytes, kind)
        offsets = struct.unpack_from(f"<{(vtable_bytes - 4) // 2}H", self._data, vtable + 4)
        for field, offset in enumerate(offsets):
            if offset >= table_bytes > 0 or (offset and offset < 4):
                raise Malformed(f"field {field} of a {kind} table lies outside of it")
        for field, shape in _SCHEMA[kind].items():
            if field < len(offsets) and offsets[field]:
                if isinstance(shape, Table):
                    chosen = offsets[shape.by] if shape.others and shape.by < len(offsets) else 0
                    number = self._number("<B", start + chosen, kind) if chosen else 0
                    self.table(shape.others.get(number, shape.kind), start + offsets[field])
                else:
                    self._vector(shape, start + offsets[field], kind)

    def _vector(self, shape: Scalars | Tables, reference: int, kind: str) -> None:
        start = self._follow(reference, kind)
        length = self._number("<I", start, kind)
        width = shape.width if isinstance(shape, Scalars) else 4
        self._inside(start + 4, length * width, kind)
        if not (isinstance(shape, Scalars) and shape.viewed):
            self._copied += length * width
            if self._copied > self._most_copied:
                raise Malformed(f"its vectors and strings share bytes: they would be over {self._most_copied:,}")
        if isinstance(shape, Tables):
            for index in range(length):
                self.table(shape.kind, start + 4 + 4 * index)

    def _follow(self, reference: int, kind: str) -> int:
        return reference + self._number("<I", reference, kind)

    def _number(self, layout: str, position: int, kind: str) -> int:
        self._inside(position, struct.calcsize(layout), kind)
        value: int = struct.unpack_from(layout, self._data, position)[0]
        return value

    def _inside(self, start: int, size: int, kind: str) -> None:
        if start < 0 or start + size > len(self._data):
            raise Malformed(f"a {kind} reaches to byte {start + size:,} of {len(self._data):,}")

"""Check that bytes are a well-formed TFLite flatbuffer before anything native, or recursive, follows its offsets.

The same tests that the C++ `flatbuffers::Verifier` makes, which the Python runtime lacks: every table, vtable, vector
and string lies inside the file, and the number of tables is bounded. Field numbers are those of TFLite's schema.fbs,
which never change.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from ..protocol import Refused

MAX_TABLES = 1_000_000
"""As in the C++ verifier: a few kilobytes can otherwise describe billions of tables that share their bytes."""


class Scalars(NamedTuple):
    """A vector of numbers (or a string), `width` bytes each."""

    width: int


class Tables(NamedTuple):
    """A vector of tables of the named kind."""

    kind: str


class Table(NamedTuple):
    """One table of the named kind."""

    kind: str


_STRING = Scalars(1)
_SCHEMA: dict[str, dict[int, Scalars | Tables | Table]] = {
    "Model": {
        1: Tables("OperatorCode"), 2: Tables("SubGraph"), 3: _STRING, 4: Tables("Buffer"), 5: Scalars(4),
        6: Tables("Metadata"), 7: Tables("SignatureDef"), 8: Tables("Opaque"), 9: Tables("Opaque"),
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
        1: Scalars(4), 2: Scalars(4), 4: Table("Opaque"), 5: Scalars(1), 7: Scalars(1), 8: Scalars(4),
        12: Table("Opaque"),
    },
    "Buffer": {0: Scalars(1)},
    "Metadata": {0: _STRING},
    "SignatureDef": {0: Tables("TensorMap"), 1: Tables("TensorMap"), 2: _STRING},
    "TensorMap": {0: _STRING},
    # Options of operators: their own fields are checked when the Python object is made.
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
            why=f"{cause}; the file is truncated or damaged.",
            next_step="Download or copy the file again and compare its size with the source's.",
        ) from cause


class _Walk:
    """Follows every offset of the schema once per reference, counting tables."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._tables = 0

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
        for field in range((vtable_bytes - 4) // 2):
            offset = self._number("<H", vtable + 4 + 2 * field, kind)
            if offset >= table_bytes > 0 or (offset and offset < 4):
                raise Malformed(f"field {field} of a {kind} table lies outside of it")
            if offset and field in _SCHEMA[kind]:
                self._field(_SCHEMA[kind][field], start + offset, kind)

    def _field(self, shape: Scalars | Tables | Table, reference: int, kind: str) -> None:
        if isinstance(shape, Table):
            self.table(shape.kind, reference)
            return
        start = self._follow(reference, kind)
        length = self._number("<I", start, kind)
        width = shape.width if isinstance(shape, Scalars) else 4
        self._inside(start + 4, length * width, kind)
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

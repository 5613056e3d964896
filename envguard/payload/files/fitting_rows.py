"""What an array must be to calibrate an input of a model with, and what is said of one that is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..contract import Port
from ..protocol import Refused

Note = Callable[[str], None]
Range = tuple[float, float]

NUMBERS = {
    "FLOAT32": np.float32, "FLOAT16": np.float16, "FLOAT64": np.float64, "INT8": np.int8, "INT16": np.int16,
    "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "BOOL": np.bool_,
}  # fmt: skip
"""NumPy's types of the inputs that arrays can be for, by what TFLite calls them."""

_KINDS = {"U": "text", "S": "text", "O": "Python objects", "c": "complex numbers", "M": "dates", "m": "times"}
_MOST_NAMED = 5
_PICTURE_CHANNELS = (1, 3, 4)
_LARGEST_PIXEL = 255.0
_NO_FRACTION = 16.0
"""Values of a picture above this are pixels, not what a model was normalised to."""

_NARROW = 0.02
"""A share of the declared range that no real inputs are confined to."""


@dataclass(frozen=True)
class Target:
    """An input of a model; `declared` is the range that the model's metadata gives it."""

    model: str
    port: Port
    declared: Range | None = None

    @property
    def batch(self) -> int:
        """How many rows the model takes at once."""
        return self.port.shape[0] if self.port.shape else 1

    @property
    def row(self) -> tuple[int, ...]:
        """The shape of one row."""
        return self.port.shape[1:]

    @property
    def takes(self) -> str:
        """What a user is told of it."""
        return f"{self.model} takes rows of {_shown(self.row)} (input {self.port.name!r}, {self.port.dtype})"


def fitting(array: np.ndarray, where: str, target: Target, note: Note) -> np.ndarray:
    """The array as rows of the input, stacked along the first dimension: uint8, or of the input's own type.

    `where` names it. `Refused`: what holds no numbers, has no rows or rows of another shape, NaN, infinities, or
    values that the input cannot have. A note tells what is odd about rows that are taken.
    """
    if target.port.dtype not in NUMBERS:
        raise Refused(f"{where} cannot be used.", why=f"{target.takes}, and rows of that type cannot be given.")
    if array.dtype.kind not in "fiub":
        kind = _KINDS.get(array.dtype.kind, "records")
        raise Refused(f"{where} holds {kind}, not real numbers.", why=f"Its type is {array.dtype}; {target.takes}.")
    rows = _shaped(array, where, target, note)
    _refuse_rows(where, "not finite (NaN or infinity)", ~_by_row(np.isfinite(rows)).all(axis=1))
    _check_range(rows, where, target, note)
    return _converted(rows, where, target)


def same_values(rows: np.ndarray) -> bool:
    """Whether there is but one value in all of the rows, from which nothing can be learned."""
    return bool(rows.size) and bool((rows == rows.flat[0]).all())


def tell_of_constant_rows(rows: np.ndarray, where: str, note: Note) -> None:
    """A note on rows with one value in all of their places, and on rows that are all the same."""
    flat = _by_row(rows)
    if flat.shape[1] < 2:
        return
    constant = np.flatnonzero((flat == flat[:, :1]).all(axis=1))
    if len(constant):
        note(f"{where}: {_named(constant)} the same value everywhere; check that this is what the model sees in use.")
    elif len(flat) > 1 and (flat == flat[:1]).all():
        note(f"{where}: all {len(flat)} rows are the same, so they teach no more than one of them.")


def _shaped(array: np.ndarray, where: str, target: Target, note: Note) -> np.ndarray:
    if array.ndim and not len(array):
        raise Refused(f"{where} has no rows.", why=f"Its shape is {_shown(array.shape)}.")
    if array.ndim == len(target.port.shape) and array.shape[1:] == target.row:
        rows = array
    elif array.ndim and array.shape[1:] == target.port.shape:
        rows = array.reshape(-1, *target.row)
    elif array.shape == target.row and target.batch == 1:
        note(f"{where} has no batch axis: it is taken as one row of {_shown(target.row)}.")
        rows = array[None]
    else:
        raise _misshapen(array, where, target)
    if len(rows) < target.batch:
        raise Refused(f"{where} has {len(rows)} rows, but {target.model} takes {target.batch} at once.")
    if len(rows) % target.batch:
        note(f"{where}: the last {len(rows) % target.batch} rows are too few for a batch of {target.batch}.")
    return rows[: len(rows) // target.batch * target.batch]


def _misshapen(array: np.ndarray, where: str, target: Target) -> Refused:
    row, given = target.row, array.shape
    next_step = f"Give an array of shape N × {_shown(row)}, one row for each of N inputs." if row else ""
    what = f"{where} has the wrong shape: {_shown(given)}."
    if len(row) == 3 and given[-3:] == (row[2], row[0], row[1]):
        what = f"{where} has its channels first (NCHW), but {target.model} takes them last (NHWC)."
        axes = "(0, 2, 3, 1)" if len(given) == 4 else "(1, 2, 0)"
        next_step = f"Reorder its axes with numpy.transpose(array, {axes})."
    elif len(given) == len(row) + 1 and sorted(given[1:]) == sorted(row):
        next_step = "Its axes are in another order; reorder them with numpy.transpose."
    elif given and math.prod(given[1:]) == math.prod(row):
        next_step = f"Each row has as many values as the model takes; reshape it to N × {_shown(row)}."
    signature = target.port.shape_signature[1:]
    size = " Sizes that the model leaves open count as 1." if any(size < 0 for size in signature) else ""
    return Refused(what, why=f"Its shape is {_shown(given)}; {target.takes}.{size}", next_step=next_step)


def _converted(rows: np.ndarray, where: str, target: Target) -> np.ndarray:
    """In the input's type; uint8 is left, as it stands for pixels if the input is a fraction."""
    kind = np.dtype(NUMBERS[target.port.dtype])
    if rows.dtype == np.uint8 and kind.kind == "f":
        return rows
    with np.errstate(over="ignore", invalid="ignore"):
        converted = rows.astype(kind)
    flat = _by_row(converted)
    if kind.kind == "f":
        _refuse_rows(where, f"too large for {kind.name}", ~np.isfinite(flat).all(axis=1))
    elif rows.dtype != kind:
        changed = (flat != _by_row(rows)).any(axis=1)
        _refuse_rows(where, f"not whole numbers that {kind.name} holds, which the model takes", changed)
    return converted


def _check_range(rows: np.ndarray, where: str, target: Target, note: Note) -> None:
    """Whether the values are what the model's metadata declares; without, whether they look like bare pixels."""
    if rows.dtype == np.uint8 or not target.port.dtype.startswith("FLOAT"):
        return
    low, high = float(rows.min()), float(rows.max())
    seen = f"from {low:.4g} to {high:.4g}"
    if target.declared is not None:
        least, most = target.declared
        span = most - least
        flat = _by_row(rows)
        outside = ((flat < least - span) | (flat > most + span)).any(axis=1)
        if outside.any():
            raise Refused(
                f"{where} is not in the range of {target.model}: {_named(np.flatnonzero(outside))} values outside it.",
                why=f"Its values go {seen}; the model's metadata says {least:.4g} to {most:.4g}.",
                next_step="Normalise the rows as the model expects, or give pixels as uint8.",
            )
        if high - low < _NARROW * span and not same_values(rows):
            note(f"{where} goes only {seen}, but the metadata of {target.model} says {least:.4g} to {most:.4g}.")
    elif (
        len(target.row) == 3 and target.row[2] in _PICTURE_CHANNELS and low >= 0 and high > _NO_FRACTION
    ) and high <= _LARGEST_PIXEL:
        note(
            f"{where} goes {seen}, as pixels do, and {target.model} does not say what it takes."
            " If it was trained on 0 to 1, divide by 255, or give the pixels as uint8."
        )


def _refuse_rows(where: str, problem: str, bad: np.ndarray) -> None:
    if bad.any():
        raise Refused(
            f"{where} has values that are {problem}: {_rows(np.flatnonzero(bad))}.",
            next_step="Correct these rows, or leave them out.",
        )


def _by_row(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(len(rows), -1)


def _rows(places: Sequence[int]) -> str:
    shown = ", ".join(map(str, places[:_MOST_NAMED]))
    more = f" and {len(places) - _MOST_NAMED:,} more" if len(places) > _MOST_NAMED else ""
    return f"row{'s' if len(places) > 1 else ''} {shown}{more} (the first is row 0)"


def _named(places: Sequence[int]) -> str:
    return f"{_rows(places)} {'have' if len(places) > 1 else 'has'}"


def _shown(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape)) or "a single number"

"""Rows to calibrate a conversion with, from arrays and pictures, checked against what the model takes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import contract
from ..files import array_files
from ..files.fitting_rows import Note, Target, fitting
from ..files.holding_out import divided, divided_rows
from ..landmarks.model_inputs import whole_input
from ..landmarks.views import changed
from ..pictures.reading import read_pictures
from ..protocol import Events, Refused
from .converter import Port, Rows

MOST_ROWS = 500
MOST_IMAGES = 120
MOST_HELD_OUT = 24
_LARGEST_PIXEL = 255.0
_PICTURE_CHANNELS = 3


@dataclass(frozen=True)
class Wanted:
    """What rows are for: the inputs of a model by its `name`; `tables` are the sizes that ids must be within."""

    name: str
    inputs: Sequence[Port]
    tables: Mapping[str, int]


def from_arrays(paths: Sequence[Path], wanted: Wanted, note: Note) -> tuple[Rows, Rows]:
    """Rows to calibrate with and, of ten or more, every fifth one held out; by the inputs' names.

    Files are `.npz` with an array per input, or `.npy` for a model with one. At most 500 rows are used, spread over all
    that there are. `Refused`, naming file and row: no arrays, missing or unknown names, shapes and types that do not
    fit, NaN or infinities, ids that are not in the table.
    """
    found: dict[str, list[np.ndarray]] = {}
    for path in paths:
        named = _named(_loaded(path), wanted.inputs, path.name)
        for port in wanted.inputs:
            if port.name in named:
                where = path.name if len(named) == 1 else f"The array {port.name!r} of {path.name}"
                found.setdefault(port.name, []).append(_rows(named[port.name], where, port, wanted, note))
    missing = [port.name for port in wanted.inputs if port.name not in found]
    if missing:
        raise Refused(
            f"Nothing is given to calibrate the input {missing[0]!r} with.",
            next_step="Write an .npz with numpy.savez, each array under its input's name.",
        )
    rows = {name: np.concatenate(arrays) for name, arrays in found.items()}
    counts = sorted({len(array) for array in rows.values()})
    if len(counts) != 1:
        raise Refused(f"The inputs have {' and '.join(map(str, counts))} rows to calibrate with; each needs as many.")
    places = np.unique(np.linspace(0, counts[0] - 1, MOST_ROWS).round().astype(int))
    batch = max(port.batch for port in wanted.inputs)
    parts = {name: _divided(array[places], batch) for name, array in rows.items()}
    return {name: shown for name, (shown, _) in parts.items()}, {name: apart for name, (_, apart) in parts.items()}


def _rows(array: np.ndarray, where: str, port: Port, wanted: Wanted, note: Note) -> np.ndarray:
    """The array as rows of the input, in its type."""
    shape = (max(port.batch, 1), *port.shape)
    described = contract.Port(port.name, shape, shape, port.dtype.upper())
    rows = fitting(array, where, Target(wanted.name, described), note).astype(port.dtype)
    table = wanted.tables.get(port.name)
    if table is not None:
        flat = rows.reshape(len(rows), -1)
        wrong = np.argwhere((flat < 0) | (flat >= table))
        if len(wrong):
            row, place = wrong[0]
            raise Refused(
                f"{where} has an id that the model's table does not: {flat[row, place]} in row {row}.",
                why=f"The input {port.name!r} is looked up in a table with the ids 0 to {table - 1}.",
                next_step="Make the ids with the vocabulary that the model was trained with.",
            )
    return rows


def _divided(rows: np.ndarray, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """All to calibrate with where what is left would not fill a batch."""
    shown, apart = divided_rows(rows)
    return (shown, apart) if len(shown) >= batch else (rows, rows[:0])


def from_pictures(
    paths: Sequence[Path], inputs: Sequence[Port], limits: tuple[float, float], events: Events
) -> tuple[Rows, Rows]:
    """The whole pictures and changes of them, scaled to fit, black being the lower of `limits` and white the upper.

    About every fourth picture is held out. `Refused`: a model that does not take one RGB picture, no readable file.
    """
    if len(inputs) != 1 or len(inputs[0].shape) != 3 or inputs[0].shape[2] != _PICTURE_CHANNELS:
        takes = ", ".join(f"{port.name} {list(port.shape)}" for port in inputs)
        raise Refused(
            "The model does not take one RGB picture, so pictures cannot calibrate it.",
            why=f"It takes {takes}.",
            next_step="Give .npy or .npz files with rows of its inputs.",
        )
    (port,) = inputs
    low, high = limits
    made = []
    for part, most in zip(divided(read_pictures(paths, events)), (MOST_IMAGES, MOST_HELD_OUT)):  # noqa: B905 - Python 3.9
        pixels = [whole_input(image.pixels, (port.shape[0], port.shape[1])) for image in changed(part, most)]
        stacked = np.array(pixels, np.float32).reshape(-1, *port.shape)
        made.append({port.name: (low + (high - low) / _LARGEST_PIXEL * stacked).astype(port.dtype)})
    return made[0], made[1]


def _loaded(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    try:
        return array_files.read(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as cause:
        objects = "allow_pickle" in str(cause)
        raise Refused(
            f"{path.name} holds no arrays that can be read.",
            why="It holds Python objects, which are code." if objects else str(cause),
            next_step="Write numbers with numpy.save or numpy.savez.",
        ) from cause


def _named(loaded: np.ndarray | dict[str, np.ndarray], inputs: Sequence[Port], where: str) -> Mapping[str, np.ndarray]:
    """A lone array is for the only input, whatever it is called."""
    names = [port.name for port in inputs]
    arrays = loaded if isinstance(loaded, dict) else {"": loaded}
    if len(arrays) == len(names) == 1:
        return {names[0]: next(iter(arrays.values()))}
    if set(arrays) - set(names):
        raise Refused(
            f"{where} does not say which of its arrays is for which input.",
            why=f"It holds {', '.join(map(repr, arrays)) or 'none'}; the model takes {', '.join(map(repr, names))}.",
            next_step="Write an .npz with numpy.savez, each array under its input's name.",
        )
    return arrays

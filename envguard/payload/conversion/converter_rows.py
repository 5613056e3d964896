"""Rows to calibrate a conversion with, from arrays and pictures, checked against what the model takes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

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


def from_arrays(paths: Sequence[Path], inputs: Sequence[Port]) -> tuple[Rows, Rows]:
    """Rows to calibrate with and, of ten or more, every fifth one held out; by the inputs' names.

    Files are `.npz` with an array per input, or `.npy` for a model with one. At most 500 rows are used, spread over all
    that there are. `Refused`: no arrays, missing or unknown names, shapes that do not fit, NaN or infinities.
    """
    found: dict[str, list[np.ndarray]] = {}
    for path in paths:
        for name, array in _named(_loaded(path), inputs, path.name).items():
            found.setdefault(name, []).append(array)
    rows = {port.name: _fitting(found.get(port.name, []), port) for port in inputs}
    counts = sorted({len(array) for array in rows.values()})
    if len(counts) != 1 or not counts[0]:
        raise Refused(f"The inputs have {' and '.join(map(str, counts))} rows to calibrate with; each needs as many.")
    places = np.unique(np.linspace(0, counts[0] - 1, MOST_ROWS).round().astype(int))
    parts = {name: divided_rows(array[places]) for name, array in rows.items()}
    return {name: shown for name, (shown, _) in parts.items()}, {name: apart for name, (_, apart) in parts.items()}


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
        loaded = np.load(path, allow_pickle=False)
        return loaded if isinstance(loaded, np.ndarray) else dict(loaded)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as cause:
        raise Refused(f"{path.name} holds no arrays that can be read.", why=str(cause)) from cause


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


def _fitting(arrays: Sequence[np.ndarray], port: Port) -> np.ndarray:
    for array in arrays:
        if array.shape[1:] != port.shape or array.dtype.kind not in "fiub":
            raise Refused(
                f"An array for the input {port.name!r} has the wrong shape or type.",
                why=f"It is {array.dtype.name} {list(array.shape)}; expected are rows of {list(port.shape)}.",
            )
    if not arrays:
        raise Refused(f"Nothing is given to calibrate the input {port.name!r} with.")
    rows = np.concatenate(arrays).astype(port.dtype)
    if not np.isfinite(rows).all():
        raise Refused(f"The rows for the input {port.name!r} hold NaN or infinities.")
    return rows

"""Make the inputs that a file's models get in real use, from pictures that they are not verified with later."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import bundle as bundles
from ..face_comparison import find_views
from ..face_inputs import (
    DETECTOR_SIDE,
    FRAMINGS,
    Framing,
    blendshapes_input,
    landmarks_input,
    whole_input,
)
from ..face_views import CHANGES, Picture, changed, read_picture
from ..landmarkers import BLENDSHAPES, VERSION, FaceReader, Kind, Rejected, face_reader, kind_of
from ..protocol import Events, Refused, Request, Result

PICTURE, ARRAYS, HELD_OUT = "picture", "arrays", "held_out"
MAX_IMAGES = 120
MAX_HELD_OUT = 24
LEAST_ROWS_TO_DIVIDE = 10
FILE, HELD_OUT_FILE = "calibration.npz", "held_out.npz"
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Inputs:
    """Inputs by model name: those to calibrate with, and those that are held out to judge the result by."""

    calibration: Arrays
    held_out: Arrays


def run(request: Request, events: Events) -> Result:
    """From pictures, make inputs for each model of `inputs["model"]`.

    A face bundle's models get what MediaPipe gives them, from the inputs named `face:FILE NAME`, and those held out
    from `face_held_out:FILE NAME`. Inputs named `picture:FILE NAME` are the user's and take the place of both: every
    fourth view of them is held out. A bare model that takes pictures gets the user's whole; other models get none, as
    what they see is not known. Inputs named `arrays:FILE NAME` are taken as they are: `.npz` with an array per model,
    or `.npy` for a single one; of ten rows or more, every fifth is held out.

    Hands on `calibration` and `held_out`: each an `.npz` with one array per model, by the model's name, the inputs
    stacked along the first dimension; uint8 stands for pixels before the model's own normalisation. No view is in
    both. A model that has none is quantized without. `Refused`: an original that MediaPipe rejects, nothing given, a
    file that cannot be decoded, no face in any picture.
    """
    source = bundles.read(request.inputs["model"])
    kind = kind_of(source)
    own = [read_picture(path) for path in _given(request, PICTURE)]
    arrays = _read_arrays(_given(request, ARRAYS), source)
    if len(request.inputs) == 1:
        raise Refused("There is nothing to calibrate with.", next_step="Give at least one picture, or an array.")
    made = Inputs({}, {})
    if kind is Kind.FACE:
        shown = own or [read_picture(path) for path in _given(request, kind.value)]
        apart = [] if own else [read_picture(path) for path in _given(request, f"{kind.value}_{HELD_OUT}")]
        made = _face_arrays(source, shown, apart, events) if shown else made
    elif own and source.suffix == bundles.MODEL_SUFFIX:
        made = _picture_arrays(request.results["inspect"]["models"][0], own)
    names = {model.name for model in source.models()}
    rows = {name: _divided_rows(array) for name, array in arrays.items()}
    calibration = {**made.calibration, **{name: shown for name, (shown, _) in rows.items()}}
    held_out = {**made.held_out, **{name: apart for name, (_, apart) in rows.items()}}
    return Result(
        {
            "files": {"calibration": FILE, HELD_OUT: HELD_OUT_FILE},
            "pictures": len(own) or len(_given(request, kind.value)),
            "inputs": _write(request.folder / FILE, calibration, names),
            HELD_OUT: _write(request.folder / HELD_OUT_FILE, held_out, names),
        }
    )


def _given(request: Request, kind: str) -> list[Path]:
    return [path for name, path in request.inputs.items() if name.partition(":")[0] == kind]


def _read_arrays(paths: Sequence[Path], source: bundles.Bundle) -> dict[str, np.ndarray]:
    """Arrays by model name; a lone array is for the first model."""
    arrays: dict[str, np.ndarray] = {}
    for path in paths:
        try:
            loaded = np.load(path, allow_pickle=False)
            arrays |= {source.models()[0].name: loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as cause:
            raise Refused(f"{path.name} holds no arrays that can be read.", why=str(cause)) from cause
    return arrays


def _divided_rows(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows to calibrate with, and every fifth one to hold out if there are enough for that."""
    apart = np.zeros(len(array), bool)
    if len(array) >= LEAST_ROWS_TO_DIVIDE:
        apart[4::5] = True
    return array[~apart], array[apart]


def _divided(views: Sequence[Picture]) -> tuple[list[Picture], list[Picture]]:
    """The views to calibrate with, and about every fourth one to hold out; none of a single one."""
    first = min(3, max(1, len(views) - 1))
    return [view for n, view in enumerate(views) if n % 4 != first], list(views[first::4])


def _face_arrays(
    source: bundles.Bundle, pictures: Sequence[Picture], apart: Sequence[Picture], events: Events
) -> Inputs:
    try:
        with face_reader(source.path, blendshapes=False) as read:
            shown = find_views(read, pictures, events)
            if apart:
                held_out = find_views(read, apart, events)
            else:
                shown, held_out = _divided(shown)
            calibration = _face_inputs(read, shown, MAX_IMAGES, FRAMINGS, events)
            judged = _face_inputs(read, held_out, MAX_HELD_OUT, FRAMINGS[:1], events)
    except Rejected as rejection:
        raise Refused(f"MediaPipe {VERSION} does not take the original bundle.", why=str(rejection)) from rejection
    return Inputs(calibration, {name: array[:MAX_HELD_OUT] for name, array in judged.items()})


def _face_inputs(
    read: FaceReader, views: Sequence[Picture], limit: int, framings: Sequence[Framing], events: Events
) -> dict[str, np.ndarray]:
    """Inputs for the views and their changes, by the names that MediaPipe gives to the models of a face bundle."""
    whole, crops, points = [], [], []
    total = min(limit, len(views) * len(CHANGES))
    for done, image in enumerate(changed(views, limit)):
        events.progress("Making inputs", done, total)
        whole.append(whole_input(image.pixels, (DETECTOR_SIDE, DETECTOR_SIDE)))
        for face in read(image.pixels).faces:
            crops += [landmarks_input(image.pixels, face, framing) for framing in framings]
            points.append(blendshapes_input(face))
    events.progress("Making inputs", total, total)
    made = {"face_detector": whole, "face_landmarks_detector": crops, BLENDSHAPES: points}
    return {name: np.stack(inputs) for name, inputs in made.items() if inputs}


def _picture_arrays(model: Mapping[str, Any], pictures: Sequence[Picture]) -> Inputs:
    """The pictures and their changes for a model with one input of shape (1, height, width, 3), else nothing."""
    shapes = [tuple(port["shape"]) for port in model["inputs"]]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][0] != 1 or shapes[0][3] != 3:
        return Inputs({}, {})
    shown, held_out = (
        np.array([whole_input(image.pixels, shapes[0][1:3]) for image in changed(part, limit)])
        for part, limit in zip(_divided(pictures), (MAX_IMAGES, MAX_HELD_OUT))  # noqa: B905 - Python 3.9
    )
    return Inputs({model["name"]: shown}, {model["name"]: held_out})


def _write(path: Path, arrays: Arrays, names: Set[str]) -> dict[str, int]:
    """Write the arrays of the models called `names` that have any rows; how many each has."""
    chosen = {name: array for name, array in arrays.items() if name in names and len(array)}
    np.savez(path, **chosen)
    return {name: len(array) for name, array in chosen.items()}

"""Make the inputs that a file's models get in real use, from pictures that they are not verified with later."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import bundle as bundles
from ..face_comparison import find_views
from ..face_inputs import (
    DETECTOR_SIDE,
    FRAMINGS,
    blendshapes_input,
    landmarks_input,
    whole_input,
)
from ..face_views import CHANGES, Picture, changed, read_picture
from ..landmarkers import BLENDSHAPES, VERSION, FaceReader, Kind, Rejected, face_reader, kind_of
from ..protocol import Events, Refused, Request, Result

PICTURE, ARRAYS = "picture", "arrays"
MAX_IMAGES = 120
FILE = "calibration.npz"


def run(request: Request, events: Events) -> Result:
    """From the inputs named `picture` or `picture:FILE NAME`, make inputs for each model of `inputs["model"]`.

    A face bundle's models get what MediaPipe gives them. With the option `own`, the pictures are the user's, and a
    bare model that takes pictures gets them whole; other models get none from pictures, as what they see is not
    known. Inputs named `arrays:FILE NAME` are taken as they are: `.npz` with an array per model, or `.npy` for a
    single one.

    Hands on `calibration`: an `.npz` with one array per model, by the model's name, the inputs stacked along the first
    dimension; uint8 stands for pixels before the model's own normalisation. A model that has none is quantized
    without. `Refused`: an original that MediaPipe rejects, nothing given, a file that cannot be decoded, no face in
    any picture.
    """
    source = bundles.read(request.inputs["model"])
    pictures = [read_picture(path) for path in _given(request, PICTURE)]
    arrays = _read_arrays(_given(request, ARRAYS), source)
    if not pictures and not arrays:
        raise Refused("There is nothing to calibrate with.", next_step="Give at least one picture, or an array.")
    made: dict[str, np.ndarray] = {}
    if pictures and kind_of(source) is Kind.FACE:
        made = _face_arrays(source, pictures, events)
    elif pictures and request.options.get("own") and source.suffix == bundles.MODEL_SUFFIX:
        made = _picture_arrays(request.results["inspect"]["models"][0], pictures)
    names = {model.name for model in source.models()}
    chosen = {name: array for name, array in {**made, **arrays}.items() if name in names}
    np.savez(request.folder / FILE, **chosen)
    return Result(_values(chosen, len(pictures)))


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


def _face_arrays(source: bundles.Bundle, pictures: Sequence[Picture], events: Events) -> dict[str, np.ndarray]:
    try:
        with face_reader(source.path, blendshapes=False) as read:
            return _face_inputs(read, find_views(read, pictures, events), events)
    except Rejected as rejection:
        raise Refused(f"MediaPipe {VERSION} does not take the original bundle.", why=str(rejection)) from rejection


def _face_inputs(read: FaceReader, views: Sequence[Picture], events: Events) -> dict[str, np.ndarray]:
    """Inputs for the views and their changes, by the names that MediaPipe gives to the models of a face bundle."""
    whole, crops, points = [], [], []
    total = min(MAX_IMAGES, len(views) * len(CHANGES))
    for done, image in enumerate(changed(views, MAX_IMAGES)):
        events.progress("Making inputs", done, total)
        whole.append(whole_input(image.pixels, (DETECTOR_SIDE, DETECTOR_SIDE)))
        for face in read(image.pixels).faces:
            crops += [landmarks_input(image.pixels, face, framing) for framing in FRAMINGS]
            points.append(blendshapes_input(face))
    events.progress("Making inputs", total, total)
    return {
        "face_detector": np.stack(whole),
        "face_landmarks_detector": np.stack(crops),
        BLENDSHAPES: np.stack(points),
    }


def _picture_arrays(model: Mapping[str, Any], pictures: Sequence[Picture]) -> dict[str, np.ndarray]:
    """The pictures and their changes for a model with one input of shape (1, height, width, 3), else nothing."""
    shapes = [tuple(port["shape"]) for port in model["inputs"]]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][0] != 1 or shapes[0][3] != 3:
        return {}
    images = [whole_input(image.pixels, shapes[0][1:3]) for image in changed(pictures, MAX_IMAGES)]
    return {model["name"]: np.stack(images)}


def _values(arrays: Mapping[str, np.ndarray], pictures: int) -> dict[str, Any]:
    counts = {name: len(array) for name, array in arrays.items()}
    return {"files": {"calibration": FILE}, "pictures": pictures, "inputs": counts}

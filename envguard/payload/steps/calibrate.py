"""Make the inputs that a bundle's models get in real use, from pictures that they are not verified with later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import bundle as bundles
from ..face_comparison import find_views
from ..face_inputs import DETECTOR_SIDE, FRAMINGS, blendshapes_input, detector_input, landmarks_input
from ..face_views import CHANGES, Picture, changed, read_picture
from ..landmarkers import BLENDSHAPES, VERSION, FaceReader, Kind, Rejected, face_reader, kind_of
from ..protocol import Events, Refused, Request, Result

PICTURE = "picture"
MAX_IMAGES = 120
FILE = "calibration.npz"


def run(request: Request, events: Events) -> Result:
    """From `inputs["picture"]` or several `picture:FILE NAME`, the inputs of each model of the face bundle `model`.

    Hands on `calibration`: an `.npz` with one array per model, by the model's name, the inputs stacked along the first
    dimension; uint8 stands for pixels before the model's own normalisation. It is empty for other bundles and for
    bare models, which are quantized without. `Refused`: an original that MediaPipe rejects, no picture, a picture
    that cannot be decoded, no face in any.
    """
    source = bundles.read(request.inputs["model"])
    pictures = _pictures(request)
    arrays: dict[str, np.ndarray] = {}
    if kind_of(source) is Kind.FACE:
        try:
            with face_reader(source.path, blendshapes=False) as read:
                arrays = _face_arrays(read, find_views(read, pictures, events), events)
        except Rejected as rejection:
            raise Refused(f"MediaPipe {VERSION} does not take the original bundle.", why=str(rejection)) from rejection
    names = {model.name for model in source.models()}
    arrays = {name: array for name, array in arrays.items() if name in names}
    np.savez(request.folder / FILE, **arrays)
    return Result(_values(arrays, len(pictures)))


def _pictures(request: Request) -> list[Picture]:
    paths = [path for name, path in request.inputs.items() if name.partition(":")[0] == PICTURE]
    if not paths:
        raise Refused("There is no picture to calibrate with.", next_step="Give at least one picture with a face.")
    return [read_picture(path) for path in paths]


def _face_arrays(read: FaceReader, views: Sequence[Picture], events: Events) -> dict[str, np.ndarray]:
    """Inputs for the views and their changes, by the names that MediaPipe gives to the models of a face bundle."""
    whole, crops, points = [], [], []
    total = min(MAX_IMAGES, len(views) * len(CHANGES))
    for done, image in enumerate(changed(views, MAX_IMAGES)):
        events.progress("Making inputs", done, total)
        whole.append(detector_input(image.pixels, DETECTOR_SIDE))
        for face in read(image.pixels).faces:
            crops += [landmarks_input(image.pixels, face, framing) for framing in FRAMINGS]
            points.append(blendshapes_input(face))
    events.progress("Making inputs", total, total)
    return {
        "face_detector": np.stack(whole),
        "face_landmarks_detector": np.stack(crops),
        BLENDSHAPES: np.stack(points),
    }


def _values(arrays: dict[str, np.ndarray], pictures: int) -> dict[str, Any]:
    counts = {name: len(array) for name, array in arrays.items()}
    return {"files": {"calibration": FILE}, "pictures": pictures, "inputs": counts}

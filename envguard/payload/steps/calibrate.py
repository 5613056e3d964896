"""Make the inputs that a file's models get in real use, from pictures that they are not verified with later."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract import CalibrateFindings, InspectFindings, Request, StepFindings
from ..files import bundle as bundles
from ..files.holding_out import divided, divided_rows
from ..files.own_files import OWN, own_arrays, own_pictures
from ..landmarks.comparison import find_views
from ..landmarks.kind import LandmarkKind
from ..landmarks.kinds import kind_of, picture_sizes
from ..landmarks.landmarkers import VERSION, Reader, Rejected, reader
from ..landmarks.model_inputs import Seen, Size, whole_input
from ..landmarks.views import CHANGES, Picture, changed, read_picture
from ..protocol import Events, Refused

HELD_OUT = "held_out"
MAX_IMAGES = 120
MAX_HELD_OUT = 24
FILE, HELD_OUT_FILE = "calibration.npz", "held_out.npz"
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class CalibrationInputs:
    """Inputs by model name: those to calibrate with, and those that are held out to judge the result by."""

    calibration: Arrays
    held_out: Arrays


NOTHING = CalibrationInputs({}, {})


def run(request: Request, events: Events) -> StepFindings:
    """From pictures, make inputs for each model of `inputs["model"]`.

    The models of a bundle get what MediaPipe gives them, from the pictures of the input that its kind names (`face`,
    `hand`, `pose`), and those held out from `face_held_out` (and so on). The files of `own` are the user's and take the
    place of both. Of pictures every fourth view is held out; a bare model that takes pictures gets them whole, other
    models none, as what they see is not known. Arrays are taken as they are: `.npz` with an array per model, or `.npy`
    for a single one; of ten rows or more, every fifth is held out. What the models take is read from the findings of
    the step `inspect`.

    Hands on `calibration` and `held_out`: each an `.npz` with one array per model, by the model's name, the inputs
    stacked along the first dimension; uint8 stands for pixels before the model's own normalisation. No view is in
    both. A model that has none is quantized without. `Refused`: an original that MediaPipe rejects, nothing given, a
    file that cannot be decoded, pictures with nothing in them that the bundle finds.
    """
    source = bundles.read(request.file("model"))
    if not any(files for name, files in request.inputs.items() if name != "model"):
        raise Refused("There is nothing to calibrate with.", next_step="Give at least one picture, or an array.")
    kind = kind_of(source)
    arrays = _read_arrays(own_arrays(request), source)
    made = _from_pictures(request, source, kind, events)
    names = {model.name for model in source.models()}
    rows = {name: divided_rows(array) for name, array in arrays.items()}
    calibration = {**made.calibration, **{name: shown for name, (shown, _) in rows.items()}}
    held_out = {**made.held_out, **{name: apart for name, (_, apart) in rows.items()}}
    found = CalibrateFindings(
        pictures=len(own_pictures(request) if request.files(OWN) or kind is None else request.files(kind.samples)),
        inputs=_write(request.folder / FILE, calibration, names),
        held_out=_write(request.folder / HELD_OUT_FILE, held_out, names),
    )
    return StepFindings(found, files={"calibration": FILE, HELD_OUT: HELD_OUT_FILE})


def _from_pictures(
    request: Request, source: bundles.Bundle, kind: LandmarkKind | None, events: Events
) -> CalibrationInputs:
    own = [read_picture(path) for path in own_pictures(request)]
    sizes = picture_sizes(request.found(InspectFindings).models)
    if kind is None:
        return _picture_arrays(sizes, own) if own and source.suffix == bundles.MODEL_SUFFIX else NOTHING
    if request.files(OWN):
        return _bundle_arrays(source, _Maker(kind, sizes, events), own, []) if own else NOTHING
    shown = [read_picture(path) for path in request.files(kind.samples)]
    apart = [read_picture(path) for path in request.files(kind.held_out_samples)]
    return _bundle_arrays(source, _Maker(kind, sizes, events), shown, apart) if shown else NOTHING


def _read_arrays(paths: Sequence[Path], source: bundles.Bundle) -> dict[str, np.ndarray]:
    """Arrays by model name; a lone array is for the first model."""
    arrays: dict[str, np.ndarray] = {}
    for path in paths:
        try:
            loaded = np.load(path, allow_pickle=False)
            found = {source.models()[0].name: loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as cause:
            raise Refused(f"{path.name} holds no arrays that can be read.", why=str(cause)) from cause
        if not all(array.ndim for array in found.values()):
            raise Refused(f"{path.name} holds a single number where rows of inputs are expected.")
        arrays.update(found)
    return arrays


def _bundle_arrays(
    source: bundles.Bundle, maker: _Maker, pictures: Sequence[Picture], apart: Sequence[Picture]
) -> CalibrationInputs:
    try:
        with reader(maker.kind, source.path) as read:
            shown = find_views(maker.kind, read, pictures, maker.events)
            if apart:
                held_out = find_views(maker.kind, read, apart, maker.events)
            else:
                shown, held_out = divided(shown)
            calibration = maker.inputs(read, shown, MAX_IMAGES)
            judged = maker.inputs(read, held_out, MAX_HELD_OUT, framings=1)
    except Rejected as rejection:
        raise Refused(f"MediaPipe {VERSION} does not take the original bundle.", why=str(rejection)) from rejection
    return CalibrationInputs(calibration, {name: array[:MAX_HELD_OUT] for name, array in judged.items()})


@dataclass(frozen=True)
class _Maker:
    """Makes inputs for the models of a bundle; `sizes` are height and width of the pictures that they take.

    What the user drops is not among the models that have a size.
    """

    kind: LandmarkKind
    sizes: Mapping[str, Size]
    events: Events

    def inputs(
        self, read: Reader, views: Sequence[Picture], limit: int, framings: int | None = None
    ) -> dict[str, np.ndarray]:
        """Inputs for the views and their changes, by model; of each thing found, in that many framings or in all."""
        made: dict[str, list[np.ndarray]] = {member.name: [] for member in self.kind.members}
        total = min(limit, len(views) * len(CHANGES))
        for done, image in enumerate(changed(views, limit)):
            self.events.progress("Making inputs", done, total)
            found = [each.landmarks for each in read(image.pixels).found]
            for member in self.kind.members:
                made[member.name] += member.inputs(Seen(image.pixels, found, self.sizes.get(member.name), framings))
        self.events.progress("Making inputs", total, total)
        return {name: np.stack(inputs) for name, inputs in made.items() if inputs}


def _picture_arrays(sizes: Mapping[str, Size], pictures: Sequence[Picture]) -> CalibrationInputs:
    """The pictures and their changes for the model, if it takes pictures."""
    if not sizes:
        return NOTHING
    ((name, size),) = sizes.items()
    shown, held_out = (
        np.array([whole_input(image.pixels, size) for image in changed(part, limit)])
        for part, limit in zip(divided(pictures), (MAX_IMAGES, MAX_HELD_OUT))  # noqa: B905 - Python 3.9
    )
    return CalibrationInputs({name: shown}, {name: held_out})


def _write(path: Path, arrays: Arrays, names: Set[str]) -> dict[str, int]:
    """Write the arrays of the models called `names` that have any rows; how many each has."""
    chosen = {name: array for name, array in arrays.items() if name in names and len(array)}
    np.savez(path, **chosen)
    return {name: len(array) for name, array in chosen.items()}

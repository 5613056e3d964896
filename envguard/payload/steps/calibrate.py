"""Make the inputs that a file's models get in real use, from pictures that they are not verified with later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract import CalibrateFindings, InspectedModel, InspectFindings, Request, StepFindings
from ..files import array_files
from ..files import bundle as bundles
from ..files.fitting_rows import Target
from ..files.given_arrays import read_rows
from ..files.holding_out import LEAST_ROWS_TO_DIVIDE, divided, divided_rows, key
from ..files.own_files import OWN, own_arrays, own_pictures
from ..landmarks.comparison import find_views
from ..landmarks.detections import Reader, Rejected
from ..landmarks.kind import LandmarkKind, MemberModel
from ..landmarks.kinds import KINDS, kind_of, picture_sizes
from ..landmarks.landmarkers import VERSION, reader
from ..landmarks.model_inputs import Seen, Size, whole_input
from ..landmarks.views import CHANGES, Picture, changed
from ..pictures.reading import read_picture, read_pictures
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
    place of both. Of pictures every fourth view is held out; a bare model that takes pictures gets them whole. Arrays
    are checked against what the models take (see `read_rows`), which is read from the findings of the step `inspect`;
    of ten rows or more, every fifth is held out.

    Hands on `calibration` and `held_out`: each an `.npz` with one array per model's input (see `holding_out.key`), the
    inputs stacked along the first dimension; uint8 stands for pixels before the model's own normalisation. No view is
    in both. A model that has none is quantized without. `Refused`: an original that MediaPipe rejects, nothing given,
    files that cannot be decoded or do not fit, pictures with nothing in them that the bundle finds. Nothing that the
    user gave is left out without a note.
    """
    source = bundles.read(request.file("model"))
    if not any(files for name, files in request.inputs.items() if name != "model"):
        raise Refused("There is nothing to calibrate with.", next_step="Give at least one picture, or an array.")
    kind = kind_of(source)
    models = request.found(InspectFindings).models
    given = _from_arrays(read_rows(own_arrays(request), models, events.note), models)
    made = _from_pictures(request, source, kind, events)
    inputs = CalibrationInputs({**made.calibration, **given.calibration}, {**made.held_out, **given.held_out})
    if request.files(OWN):
        _tell_what_is_missing(models, inputs, events)
    names = {_key(model, number) for model in models for number in range(len(model.inputs))}
    found = CalibrateFindings(
        pictures=len(own_pictures(request) if request.files(OWN) or kind is None else request.files(kind.samples)),
        inputs=_write(request.folder / FILE, inputs.calibration, names),
        held_out=_write(request.folder / HELD_OUT_FILE, inputs.held_out, names),
    )
    return StepFindings(found, files={"calibration": FILE, HELD_OUT: HELD_OUT_FILE})


def _from_arrays(rows: Mapping[str, Sequence[np.ndarray]], models: Sequence[InspectedModel]) -> CalibrationInputs:
    shown, apart = {}, {}
    for model in models:
        for number, array in enumerate(rows.get(model.name, ())):
            name = _key(model, number)
            shown[name], apart[name] = divided_rows(array, Target(model.name, model.inputs[number]).batch)
    return CalibrationInputs(shown, apart)


def _from_pictures(
    request: Request, source: bundles.Bundle, kind: LandmarkKind | None, events: Events
) -> CalibrationInputs:
    own = own_pictures(request)
    models = request.found(InspectFindings).models
    if kind is None:
        if own:
            _refuse_unused(request, source, models)
        return _picture_arrays(picture_sizes(models), _varied(read_pictures(own, events), events)) if own else NOTHING
    maker = _Maker(kind, kind.members_of(source), picture_sizes(models), events)
    if request.files(OWN):
        return _bundle_arrays(source, maker, read_pictures(own, events), []) if own else NOTHING
    shown = [read_picture(path) for path in request.files(kind.samples)]
    apart = [read_picture(path) for path in request.files(kind.held_out_samples)]
    return _bundle_arrays(source, maker, shown, apart) if shown else NOTHING


def _refuse_unused(request: Request, source: bundles.Bundle, models: Sequence[InspectedModel]) -> None:
    """Refuse the user's pictures where they would not be used, or not all of them."""
    if source.suffix != bundles.MODEL_SUFFIX:
        raise Refused(
            f"{source.path.name} cannot be calibrated with pictures.",
            why=f"What models see of a picture is known of {', '.join(kind.name for kind in KINDS)} bundles only.",
            next_step="Give an .npz with rows of inputs, each array under its model's name.",
        )
    if own_arrays(request):
        raise Refused(
            "There are both arrays and pictures to calibrate one model with.",
            next_step="Name a file, or a folder with only one kind of them.",
        )
    if not picture_sizes(models):
        ports = [port for model in models for port in model.inputs]
        raise Refused(
            "The model does not take one RGB picture, so pictures cannot calibrate it.",
            why=f"It takes {', '.join(f'{port.name!r}, {port.dtype} {list(port.shape)}' for port in ports)}.",
            next_step="Give .npy or .npz files with rows of its inputs.",
        )


def _key(model: InspectedModel, number: int) -> str:
    return key(model.name, number, len(model.inputs))


def _tell_what_is_missing(models: Sequence[InspectedModel], inputs: CalibrationInputs, events: Events) -> None:
    """A note on models that the user's files leave without inputs: to calibrate with, or to judge the result by."""
    given, judged = (
        [model.name for model in models if len(arrays.get(_key(model, 0), ()))]
        for arrays in (inputs.calibration, inputs.held_out)
    )
    without = [model.name for model in models if model.name not in given]
    if without:
        events.note(f"The calibration has nothing for {', '.join(without)}: weights are rounded without real inputs.")
    made_up = [name for name in given if name not in judged]
    if made_up:
        events.note(
            f"The calibration is too small to hold some of it out, so {', '.join(made_up)} will be judged on made-up"
            f" inputs; give at least {LEAST_ROWS_TO_DIVIDE} rows, or two pictures."
        )


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
    """Makes inputs for the `members` of a bundle; `sizes` are height and width of the pictures that they take.

    What the user drops is not among the models that have a size.
    """

    kind: LandmarkKind
    members: Mapping[str, MemberModel]
    sizes: Mapping[str, Size]
    events: Events

    def inputs(
        self, read: Reader, views: Sequence[Picture], limit: int, framings: int | None = None
    ) -> dict[str, np.ndarray]:
        """Inputs for the views and their changes, by model; of each thing found, in that many framings or in all."""
        made: dict[str, list[np.ndarray]] = {}
        total = min(limit, len(views) * len(CHANGES))
        for done, image in enumerate(changed(views, limit)):
            self.events.progress("Making inputs", done, total)
            found = read(image.pixels).found
            landmarks, features = [each.landmarks for each in found], [each.features for each in found]
            for name, member in self.members.items():
                seen = Seen(image.pixels, landmarks, self.sizes.get(name), framings, features)
                for number, maker in enumerate(member.inputs):
                    made.setdefault(key(name, number, len(member.inputs)), []).extend(maker(seen))
        self.events.progress("Making inputs", total, total)
        return {name: np.stack(inputs) for name, inputs in made.items() if inputs}


def _varied(pictures: Sequence[Picture], events: Events) -> list[Picture]:
    """The pictures that show something; a note names those of a single colour."""
    plain = [picture for picture in pictures if (picture.pixels == picture.pixels[0, 0]).all()]
    if len(plain) == len(pictures):
        raise Refused(
            f"The pictures have a single colour each ({plain[0].name!r} for one), so they cannot calibrate the model.",
            next_step="Give pictures like those in real use.",
        )
    if plain:
        events.note(f"Left out, as they have a single colour: {', '.join(repr(picture.name) for picture in plain)}.")
    return [picture for picture in pictures if not any(picture is each for each in plain)]


def _picture_arrays(sizes: Mapping[str, Size], pictures: Sequence[Picture]) -> CalibrationInputs:
    """The whole pictures and their changes for the only model."""
    ((name, size),) = sizes.items()
    shown, held_out = (
        np.array([whole_input(image.pixels, size) for image in changed(part, limit)])
        for part, limit in zip(divided(pictures), (MAX_IMAGES, MAX_HELD_OUT))  # noqa: B905 - Python 3.9
    )
    return CalibrationInputs({name: shown}, {name: held_out})


def _write(path: Path, arrays: Arrays, names: Set[str]) -> dict[str, int]:
    """Write the arrays of the models called `names` that have any rows; how many each has."""
    chosen = {name: array for name, array in arrays.items() if name in names and len(array)}
    array_files.write(path, chosen)
    return {name: len(array) for name, array in chosen.items()}

"""Read the arrays that a user gives to calibrate with, and find the input of a model that each is for."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..contract import InspectedModel
from ..protocol import Refused
from . import array_files
from .fitting_rows import Note, Target, fitting, same_values, tell_of_constant_rows

Place = tuple[str, int]
"""A model's name, and the number of one of its inputs."""

_MAGIC = (b"\x93NUMPY", b"PK")
_NAMELESS = "arr_0"
"""What NumPy calls an array that `savez` was given without a name."""

_DAMAGE = (
    OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, MemoryError, OverflowError, TypeError,
    SyntaxError, KeyError, RuntimeError,
)  # fmt: skip


def read_rows(paths: Sequence[Path], models: Sequence[InspectedModel], note: Note) -> dict[str, list[np.ndarray]]:
    """By model, the rows for each of its inputs in order; several files for one input follow each other.

    A `.npy` is for the only input, or for the only model of a bundle whose input it fits; an `.npz` names a model with
    one input, or an input. `Refused` names a file that cannot be read, an array that is for no input or does not fit,
    an input that nothing is given for.
    """
    targets = {(model.name, number): target for model in models for number, target in enumerate(_targets(model))}
    found: dict[Place, list[np.ndarray]] = {}
    for path in paths:
        for name, array in _loaded(path).items():
            where = f"{path.name} ({name!r})" if name else path.name
            place = _place(name, array, where, models, targets)
            found.setdefault(place, []).append(fitting(array, where, targets[place], note))
    rows = {place: _joined(parts, targets[place]) for place, parts in found.items()}
    where = paths[0].name if len(paths) == 1 else f"the {len(paths)} files"
    given = [model for model in models if any(name == model.name for name, _ in rows)]
    return {model.name: _complete(model, rows, where, note) for model in given}


def _targets(model: InspectedModel) -> list[Target]:
    return [Target(model.name, port, model.input_ranges.get(port.name)) for port in model.inputs]


def _loaded(path: Path) -> Mapping[str, np.ndarray]:
    """The arrays of the file by name; that of an `.npy` has none."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if not start.startswith(_MAGIC):
            raise ValueError("it is empty" if not start else "it is not in NumPy's format")
        loaded = array_files.read(path)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else loaded
    except _DAMAGE as cause:
        objects = "Object arrays" in str(cause)
        raise Refused(
            f"{path.name} holds Python objects, not numbers." if objects else f"{path.name} cannot be read.",
            why="Loading them could run code, so they are not loaded." if objects else str(cause),
            next_step="Write it with numpy.save or numpy.savez, from arrays of numbers.",
        ) from cause
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise Refused(f"{path.name} holds files that are not arrays.")
    if not arrays:
        raise Refused(f"{path.name} holds no arrays.")
    return arrays


def _place(
    name: str, array: np.ndarray, where: str, models: Sequence[InspectedModel], targets: Mapping[Place, Target]
) -> Place:
    """The input that an array of this name is for."""
    if name in ("", _NAMELESS):
        fits = list(targets) if len(targets) == 1 else [place for place in targets if _may_fit(array, targets[place])]
        if len(fits) == 1:
            return fits[0]
        raise Refused(
            f"{where} does not say which model or input it is for.",
            why=f"{len(fits) or 'None'} of the {len(targets)} inputs take rows of its shape.",
            next_step=f"Write an .npz with numpy.savez that names one of: {_known(models)}.",
        )
    found = [place for place in targets if name in _names(place, models)]
    if len(found) != 1:
        raise Refused(
            f"{where} is named after {'several inputs' if found else 'no model and no input'}.",
            why=f"These can be named: {_known(models)}.",
            next_step="Name each array in numpy.savez after the model, or after its input.",
        )
    return found[0]


def _may_fit(array: np.ndarray, target: Target) -> bool:
    return array.ndim > 0 and target.row in (array.shape[1:], array.shape)


def _names(place: Place, models: Sequence[InspectedModel]) -> set[str]:
    """What an array for this input may be called."""
    (model,) = (model for model in models if model.name == place[0])
    tensor = model.inputs[place[1]].name
    inputs = {tensor} | {
        name for signature in model.signatures for name, named in signature.inputs.items() if named == tensor
    }
    return inputs | {f"{model.name}/{name}" for name in inputs} | ({model.name} if len(model.inputs) == 1 else set())


def _known(models: Sequence[InspectedModel]) -> str:
    alone = [repr(model.name) for model in models if len(model.inputs) == 1]
    several = [repr(f"{model.name}/{port.name}") for model in models if len(model.inputs) > 1 for port in model.inputs]
    return ", ".join(alone + several)


def _joined(parts: Sequence[np.ndarray], target: Target) -> np.ndarray:
    if len({part.dtype for part in parts}) > 1:
        raise Refused(
            f"Some arrays for {target.model} hold uint8 and others do not.",
            why="uint8 stands for pixels before the model's own normalisation, other types for what comes after it.",
            next_step="Give all of them in one type.",
        )
    return np.concatenate(parts)


def _complete(model: InspectedModel, rows: Mapping[Place, np.ndarray], where: str, note: Note) -> list[np.ndarray]:
    """The rows for every input of a model."""
    missing = [port.name for number, port in enumerate(model.inputs) if (model.name, number) not in rows]
    if missing:
        raise Refused(
            f"In {where}, nothing is for the input {missing[0]!r} of {model.name}, which takes {len(model.inputs)}.",
            next_step="Write an .npz with numpy.savez, with an array for each input under its name.",
        )
    given = [rows[model.name, number] for number in range(len(model.inputs))]
    counts = [len(each) // target.batch for each, target in zip(given, _targets(model))]  # noqa: B905 - Python 3.9
    if len(set(counts)) > 1:
        raise Refused(
            f"In {where}, the inputs of {model.name} have {' and '.join(map(str, counts))} rows; each needs as many."
        )
    if all(map(same_values, given)):
        raise Refused(
            f"In {where}, all values for {model.name} are the same ({given[0].flat[0]}), so they cannot calibrate it.",
            next_step="Give inputs like those in real use.",
        )
    if len(given) == 1:
        tell_of_constant_rows(given[0], where, note)
    return given

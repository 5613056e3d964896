"""Keras files as what they are: programs. What they would run besides Keras's own layers is refused unread."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocol import Refused

ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
CONFIG, METADATA = "config.json", "metadata.json"
VERSION = "keras_version"
LARGEST_CONFIG = 64 << 20
MOST_BYTES = 1 << 32
OWN_MODULES = ("keras", "tf_keras")
FUNCTION_LAYERS = ("TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty")
"""Of Keras 2: each calls a function of TensorFlow that the file names, and does so when it is loaded."""

HARMLESS_PARTS = ("__operators__", "math", "nn", "linalg", "signal", "image", "bitwise")
HARMLESS = (
    "abs", "add", "argmax", "argmin", "broadcast_to", "cast", "clip_by_value", "concat", "constant", "divide", "einsum",
    "equal", "exp", "expand_dims", "eye", "fill", "gather", "gather_nd", "greater", "identity", "less", "matmul",
    "maximum", "minimum", "multiply", "one_hot", "ones_like", "pad", "pow", "range", "rank", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_sum", "repeat", "reshape", "reverse", "roll", "round", "shape",
    "sigmoid", "size", "slice",
    "split", "sqrt", "square", "squeeze", "stack", "stop_gradient", "strided_slice", "subtract", "tanh", "tile",
    "transpose", "unstack", "where", "zeros_like",
)  # fmt: skip
EXPORT = (
    "Where the model was made, `model.export(FOLDER)` writes a SavedModel, which needs none of that code; convert that."
)


def is_keras(path: Path) -> bool:
    """Whether the file starts as a `.keras` or `.h5` file does."""
    with path.open("rb") as file:
        return file.read(len(HDF5)).startswith((ZIP, HDF5))


def is_hdf5(path: Path) -> bool:
    """Whether the file starts as a `.h5` file does."""
    with path.open("rb") as file:
        return file.read(len(HDF5)) == HDF5


@dataclass(frozen=True)
class Description:
    """What a file says of itself: the version of Keras that wrote it, empty if it does not say."""

    version: str


def describe(path: Path) -> Description:
    """Look at the file without loading it.

    `Refused`: what is not a whole model, Lambda layers, and layers that are not Keras's own: both are code, which the
    file brings along or asks for by name.
    """
    try:
        config, version = _hdf5(path) if is_hdf5(path) else _zip(path)
    except _OnlyWeights as cause:
        raise Refused(
            f"{path.name} holds weights without the layers that they belong to.",
            why="`save_weights` leaves out the layers.",
            next_step=f'Build the model, then `model.load_weights("{path.name}")` and `model.save("model.keras")`.',
        ) from cause
    except (OSError, ValueError, KeyError, RecursionError, zipfile.BadZipFile) as cause:
        raise Refused(
            f"{path.name} is not a Keras model that can be read.",
            why=first_line(cause),
            next_step="Save it again with `model.save`, or copy it again if it was cut off.",
        ) from cause
    # How it was trained is not read.
    _refuse_code({**config, "compile_config": None} if isinstance(config, dict) else config, path.name)
    return Description(version)


class _OnlyWeights(ValueError):
    """A file without the description of a model."""


def _zip(path: Path) -> tuple[Any, str]:
    """The layers, as the file describes them, and the version."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"it would unpack to more than {MOST_BYTES:,} bytes")
        names = archive.namelist()
        for name in (CONFIG, METADATA):
            if name in names and archive.getinfo(name).file_size > LARGEST_CONFIG:
                raise ValueError(f"its {name} has more than {LARGEST_CONFIG:,} bytes")
        metadata = json.loads(archive.read(METADATA)) if METADATA in names else {}
        version = metadata.get(VERSION) if isinstance(metadata, dict) else None
        return json.loads(archive.read(CONFIG)), version if isinstance(version, str) else ""


def _hdf5(path: Path) -> tuple[Any, str]:
    import h5py

    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise _OnlyWeights
        version = file.attrs.get(VERSION, "")
        return json.loads(file.attrs["model_config"]), version.decode() if isinstance(version, bytes) else str(version)


def _refuse_code(config: Any, name: str) -> None:
    for each in _objects(config):
        kind, module, registered = str(each.get("class_name")), each.get("module"), each.get("registered_name")
        if kind in FUNCTION_LAYERS:
            _refuse_function(each, name)
        if kind in ("Lambda", "__lambda__"):
            raise Refused(
                f"{name} has a Lambda layer.",
                why="That is Python code in a file: loading the model would run whatever it says.",
                next_step=EXPORT,
            )
        foreign = isinstance(module, str) and module != "builtins" and module.split(".")[0] not in OWN_MODULES
        if foreign or (module is None and registered):
            raise Refused(
                f"{name} needs the class {kind}{f' of {module}' if module else ''}, which is not Keras's own.",
                why="A file does not get to say which code is imported.",
                next_step=EXPORT,
            )


def _refuse_function(layer: dict[str, Any], name: str) -> None:
    """Only arithmetic: TensorFlow has functions that delete folders and load libraries as well."""
    config = layer.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    if function is None and layer.get("class_name") == "SlicingOpLambda":
        return
    first, _, rest = str(function).removeprefix("compat.v1.").partition(".")
    if not (first in HARMLESS and not rest) and not (first in HARMLESS_PARTS and rest):
        raise Refused(
            f"{name} calls TensorFlow's function {function}, which is not known to be harmless.",
            why="Loading the model would call it.",
            next_step=EXPORT,
        )


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object of the description, however deep."""
    pending = [config]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            if "class_name" in each:
                yield each
            pending += each.values()
        elif isinstance(each, list):
            pending += each


def first_line(cause: BaseException) -> str:
    """What Keras found out at last; the description of the whole model, which it prints before, is left out."""
    text = str(cause).rpartition("Exception encountered: ")[2].strip()
    return (text.splitlines() or [type(cause).__name__])[0][:300]

"""Keras files as what they are: programs. What they would run besides Keras's own layers is refused unread."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..protocol import Refused

ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
CONFIG = "config.json"
LARGEST_CONFIG = 64 << 20
MOST_BYTES = 1 << 32
EXPORT = (
    "Where the model was made, `model.export(FOLDER)` writes a SavedModel, which needs none of that code; convert that."
)


def is_keras(path: Path) -> bool:
    """Whether the file starts as a `.keras` or `.h5` file does."""
    with path.open("rb") as file:
        return file.read(len(HDF5)).startswith((ZIP, HDF5))


def export(path: Path, folder: Path) -> Path:
    """Load the model and write it to `folder` as a SavedModel; gives the folder back.

    `Refused`: what is no whole model, Lambda layers, and layers that are not Keras's own: both are code, which the file
    brings along or asks for by name.
    """
    try:
        config = _config(path)
    except (OSError, ValueError, KeyError, RecursionError, zipfile.BadZipFile) as cause:
        raise Refused(f"{path.name} is no Keras model that can be read.", why=_first_line(cause)) from cause
    # How it was trained is not read.
    _refuse_code({**config, "compile_config": None} if isinstance(config, dict) else config, path.name)
    import keras

    try:
        # Of a file that got past the look at its layers, Keras itself still takes no code.
        model = keras.saving.load_model(_named_by_kind(path, folder), compile=False, safe_mode=True)
        model.export(folder, format="tf_saved_model", verbose=False)
    # Keras answers damage with the error of whatever it tripped over.
    except Exception as cause:
        raise Refused(f"{path.name} cannot be loaded by Keras.", why=_first_line(cause), next_step=EXPORT) from cause
    return folder


def _named_by_kind(path: Path, folder: Path) -> Path:
    """Keras goes by the suffix."""
    suffix = ".h5" if path.read_bytes()[:8] == HDF5 else ".keras"
    link = folder.with_name(f"{folder.name}-file{suffix}")
    link.symlink_to(path)
    return link


def _config(path: Path) -> Any:
    """The layers, as the file describes them."""
    with path.open("rb") as file:
        if file.read(len(HDF5)) == HDF5:
            return _hdf5_config(path)
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"it would unpack to more than {MOST_BYTES:,} bytes")
        if archive.getinfo(CONFIG).file_size > LARGEST_CONFIG:
            raise ValueError(f"its {CONFIG} has more than {LARGEST_CONFIG:,} bytes")
        return json.loads(archive.read(CONFIG))


def _hdf5_config(path: Path) -> Any:
    import h5py

    with h5py.File(path, "r") as file:
        if "model_config" not in file.attrs:
            raise ValueError("it holds weights without the layers that they belong to")
        config = file.attrs["model_config"]
        return json.loads(config)


def _refuse_code(config: Any, name: str) -> None:
    for each in _objects(config):
        kind, module, registered = str(each.get("class_name")), each.get("module"), each.get("registered_name")
        if kind in ("Lambda", "__lambda__"):
            raise Refused(
                f"{name} has a Lambda layer.",
                why="That is Python code in a file: loading the model would run whatever it says.",
                next_step=EXPORT,
            )
        foreign = isinstance(module, str) and module != "builtins" and module.split(".")[0] != "keras"
        if foreign or (module is None and registered):
            raise Refused(
                f"{name} needs the class {kind}{f' of {module}' if module else ''}, which is not Keras's own.",
                why="A file does not get to say which code is imported.",
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


def _first_line(cause: BaseException) -> str:
    """What Keras found out at last; the description of the whole model, which it prints before, is left out."""
    text = str(cause).rpartition("Exception encountered: ")[2].strip()
    return (text.splitlines() or [type(cause).__name__])[0][:300]

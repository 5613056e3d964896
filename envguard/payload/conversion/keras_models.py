"""Keras models out of files that were looked at first, written as SavedModels for the converter."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from ..protocol import Refused
from . import keras_files

KERAS_2 = "2."
KERAS_2_EDITION = "2.21-keras2"
"""Of the environment, in which `tf_keras` is installed."""


def export(path: Path, folder: Path, *, batch: int | None = None) -> Path:
    """Load the model and write it to `folder` as a SavedModel; gives the folder back.

    Inputs keep a fixed batch; an open one is set to `batch` if that is given. Layers that augment do nothing.

    `Refused`: what is not a whole model, Lambda layers, and layers that are not Keras's own: both are code, which the
    file brings along or asks for by name; a file of Keras 2 that only Keras 2 reads.
    """
    description = keras_files.describe(path)
    keras = library()
    try:
        # Of a file that got past the look at its layers, Keras itself still takes no code.
        model = keras.models.load_model(_named_by_kind(path, folder), compile=False, safe_mode=True)
        _write(keras, model, folder, batch)
    # Keras answers damage with the error of whatever it tripped over.
    except Exception as cause:
        raise _not_loaded(path.name, description.version, cause) from cause
    return folder


def library() -> Any:
    """Keras 2 in an environment that has it, and Keras 3 elsewhere."""
    return importlib.import_module("tf_keras" if has_keras_2() else "keras")


def has_keras_2() -> bool:
    """Whether files are read by Keras 2 here."""
    return importlib.util.find_spec("tf_keras") is not None


def _write(keras: Any, model: Any, folder: Path, batch: int | None) -> None:
    """Export the model as it is used: some versions of Keras would leave on what augments, and what follows it."""
    import tensorflow as tf

    def answer(inputs: Any) -> Any:
        return model(inputs, training=False)

    def described(tensor: Any) -> Any:
        size, *rest = tensor.shape
        return tf.TensorSpec([batch if size is None else size, *rest], tensor.dtype, tensor.name)

    given = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    archive = keras.export.ExportArchive()
    archive.track(model)
    # Keras 2 makes the signature `serving_default` of the first endpoint.
    endpoint = "serve" if has_keras_2() else "serving_default"
    archive.add_endpoint(endpoint, answer, input_signature=[tf.nest.map_structure(described, given)])
    archive.write_out(str(folder), **({} if has_keras_2() else {"verbose": False}))


def _named_by_kind(path: Path, folder: Path) -> str:
    """Keras goes by the suffix."""
    suffix = ".h5" if keras_files.is_hdf5(path) else ".keras"
    link = folder.with_name(f"{folder.name}-file{suffix}")
    if not link.is_symlink():
        link.symlink_to(path)
    return str(link)


def _not_loaded(name: str, version: str, cause: Exception) -> Refused:
    why = keras_files.first_line(cause)
    if version.startswith(KERAS_2) and not has_keras_2():
        return Refused(
            f"{name} was written by Keras {version} and cannot be loaded by Keras 3.",
            why=why,
            next_step=f"Convert it with Keras 2: `--edition convert={KERAS_2_EDITION}`.",
        )
    if version and not version.startswith(KERAS_2) and has_keras_2():
        return Refused(
            f"{name} was written by Keras {version}, which Keras 2 cannot load.",
            why=why,
            next_step=f"Leave out `--edition convert={KERAS_2_EDITION}`.",
        )
    return Refused(f"{name} cannot be loaded by Keras.", why=why, next_step=keras_files.EXPORT)

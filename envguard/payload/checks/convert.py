"""The proof of a converting environment: a Keras model is made, converted to int8 for real, run, and compared.

Importing proves nothing: TensorFlow imports well where its converter or its interpreter fails.
"""

from __future__ import annotations

from importlib import metadata

import numpy as np

from ..contract import Request
from ..conversion import converter, keras_files
from ..protocol import Events, Failure, Result

DISTRIBUTIONS = ("tensorflow", "tensorflow-cpu", "keras", "h5py", "ml-dtypes", "numpy", "pillow", "protobuf")
LEAST_COSINE = 0.99
ROWS = 16
SIZE = 16


def run(request: Request, events: Events) -> Result:
    """Convert a small Keras model; it must be int8 inside and float outside, and answer as Keras does."""
    file = request.folder / "check.keras"
    rows = np.random.default_rng(0).random((ROWS, SIZE, SIZE, 3), np.float32)
    expected = _make_model(str(file), rows)
    folder = keras_files.export(file, request.folder / "check")
    name, signature = file.name, converter.DEFAULT_SIGNATURE
    plain = converter.convert(folder, name, signature, quantized=False)
    (port,) = converter.ports(plain)
    made = converter.convert(folder, name, signature, quantized=True, rows={port.name: rows})
    (answer,) = converter.answer(made, {port.name: rows[:1]}).values()
    found = converter.integers(made)
    cosine = float(np.sum(answer * expected) / (np.linalg.norm(answer) * np.linalg.norm(expected) + 1e-12))
    failures = []
    if not found.operators or found.float_operators or answer.dtype != np.float32 or len(made) >= len(plain):
        message = f"A small model was not made int8 with float outputs ({found.float_operators} float operators)."
        failures.append(Failure("check-no-op", message))
    if cosine < LEAST_COSINE:
        failures.append(Failure("check-wrong-answer", f"A small int8 model answers wrongly (cosine {cosine:.4f})."))
    values = {
        "versions": _versions(),
        "bytes_in": len(plain),
        "bytes_out": len(made),
        "int8_operators": found.operators,
        "cosine": cosine,
    }
    return Result(values, tuple(failures))


def _make_model(file: str, rows: np.ndarray) -> np.ndarray:
    """Write a model with seeded weights; what it answers to the first row."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(8),
        ]
    )
    model.save(file)
    return np.asarray(model(rows[:1]))


def _versions() -> dict[str, str]:
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

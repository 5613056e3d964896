"""The proof of a converting environment: a Keras model is made, converted to int8 for real, run, and compared.

Importing proves nothing: TensorFlow imports well where its converter or its interpreter fails.
"""

from __future__ import annotations

from importlib import metadata

import numpy as np

from ..contract import CheckFindings, Json, Request, StepFindings
from ..conversion import converter, keras_models
from ..gates import GateDeclaration, judge
from ..protocol import Events

DISTRIBUTIONS = (
    "tensorflow", "tensorflow-cpu", "keras", "tf-keras", "h5py", "ml-dtypes", "numpy", "pillow", "protobuf",
)  # fmt: skip
NO_OP = GateDeclaration(
    "check-no-op",
    "A small model becomes int8",
    "A small model was not made int8 with float outputs ({floats} float operators).",
)
WRONG_ANSWER = GateDeclaration(
    "check-wrong-answer",
    "Cosine similarity of a small int8 model",
    "A small int8 model answers wrongly (cosine {measured:.4f}).",
    default=0.99,
    at_least=True,
)
ROWS = 16
SIZE = 16


def run(request: Request, events: Events) -> StepFindings:
    """Convert a small Keras model; it must be int8 inside and float outside, and answer as Keras does."""
    file = request.folder / f"check.{'h5' if keras_models.has_keras_2() else 'keras'}"
    rows = np.random.default_rng(0).random((ROWS, SIZE, SIZE, 3), np.float32)
    expected = _make_model(str(file), rows)
    folder = keras_models.export(file, request.folder / "check")
    name, signature = file.name, converter.DEFAULT_SIGNATURE
    plain = converter.convert(folder, name, signature, quantized=False)
    (port,) = converter.ports(plain)
    made = converter.convert(folder, name, signature, quantized=True, rows={port.name: rows})
    (answer,) = converter.answer(made, {port.name: rows[:1]}).values()
    found = converter.integers(made)
    cosine = float(np.sum(answer * expected) / (np.linalg.norm(answer) * np.linalg.norm(expected) + 1e-12))
    is_int8 = found.operators > 0 and not found.float_operators and len(made) < len(plain)
    gates = (
        judge(NO_OP, passed=is_int8 and answer.dtype == np.float32, words={"floats": found.float_operators}),
        judge(WRONG_ANSWER, cosine, WRONG_ANSWER.default),
    )
    facts: dict[str, Json] = {
        "versions": _versions(),
        "bytes_in": len(plain),
        "bytes_out": len(made),
        "int8_operators": found.operators,
        "cosine": cosine,
    }
    return StepFindings(CheckFindings(facts), gates)


def _make_model(file: str, rows: np.ndarray) -> np.ndarray:
    """Write a model with seeded weights; what it answers to the first row."""
    keras = keras_models.library()
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


def _versions() -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

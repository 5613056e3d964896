"""TensorFlow's converter to TensorFlow Lite: from a SavedModel to a model's bytes, float or quantized."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..protocol import Refused

# oneDNN sums in an order that depends on the machine. All of it must be set before the import.
os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="-1")

import tensorflow as tf

Rows = Mapping[str, np.ndarray]
"""Inputs by name, stacked along the first dimension; each has as many rows as the others."""

DEFAULT_SIGNATURE = "serving_default"
_MISSING = re.compile(r"^(TF Select|Custom) ops: (.+)$", re.MULTILINE)
_UNKNOWN = re.compile(r"Op type not registered '([^']+)'")
_RESHAPING = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class Port:
    """An input of a converted model: `shape` without the first dimension, -1 for an open one; rows in a `batch`."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    batch: int


@dataclass(frozen=True)
class Integers:
    """How much of a model is int8: of its operators those that give int8, those that give float32; its tensors."""

    operators: int
    float_operators: int
    tensors: int


def convert(folder: Path, name: str, signature: str, *, quantized: bool, rows: Rows | None = None) -> bytes:
    """The SavedModel in `folder` as TFLite, with float inputs and outputs as it has them.

    `quantized` without `rows` makes large weights int8 and nothing else (dynamic range); with them activations as well,
    except of operators that have no int8 form. `Refused`, which calls the model `name`: what TensorFlow cannot read, a
    signature that it lacks, operators that TensorFlow Lite does not have.
    """
    try:
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[signature])
        if quantized:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantized and rows is not None:
            converter.representative_dataset = lambda: _each(rows)
        return bytes(converter.convert())
    # TensorFlow and its converter raise what they happen to trip over, of a dozen kinds.
    except Exception as cause:
        text = str(cause).replace(str(folder), name).strip()
        raise _refusal(name, text or type(cause).__name__) from cause


def ports(model: bytes) -> tuple[Port, ...]:
    """The inputs of the model by their names in its signature; what is of open size need not be set aside for that."""
    runner = _interpreter(model).get_signature_runner()
    found = []
    for name, detail in runner.get_input_details().items():
        shape = tuple(int(size) for size in detail["shape_signature"])
        found.append(Port(name, shape[1:], np.dtype(detail["dtype"]).name, int(detail["shape"][0]) if shape else 0))
    return tuple(found)


def integers(model: bytes) -> Integers:
    """Count what is int8 in the model."""
    interpreter = _interpreter(model)
    types = {each["index"]: np.dtype(each["dtype"]).name for each in interpreter.get_tensor_details()}
    made = [
        {types.get(int(index)) for index in each["outputs"]}
        for each in interpreter._get_ops_details()
        if each["op_name"] not in _RESHAPING
    ]
    return Integers(
        operators=sum("int8" in each for each in made),
        float_operators=sum("float32" in each for each in made),
        tensors=sum(each == "int8" for each in types.values()),
    )


def answer(model: bytes, arrays: Rows) -> dict[str, np.ndarray]:
    """The outputs of the model for one batch of inputs, all by name."""
    found: dict[str, np.ndarray] = _interpreter(model).get_signature_runner()(**arrays)
    return found


def version() -> str:
    """TensorFlow's."""
    return str(tf.__version__)


def _interpreter(model: bytes) -> tf.lite.Interpreter:
    # Without XNNPACK, which would hide the operators that it takes over.
    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return tf.lite.Interpreter(model_content=model, num_threads=1, experimental_op_resolver_type=plain)


def _each(rows: Rows) -> Iterator[dict[str, np.ndarray]]:
    for number in range(len(next(iter(rows.values())))):
        yield {name: array[number : number + 1] for name, array in rows.items()}


def _refusal(name: str, text: str) -> Refused:
    missing = [each for match in _MISSING.finditer(text) for each in match[2].strip().split(", ")]
    unknown = _UNKNOWN.search(text)
    if missing or unknown:
        operators = ", ".join(dict.fromkeys(missing)) or (unknown[1] if unknown else "")
        return Refused(
            f"{name} has operators that TensorFlow Lite does not have: {operators}.",
            why="They would need TensorFlow's own kernels (Select ops) or code of yours in every app that runs it.",
            next_step="Write that part of the model with other operators, or leave it out of what is exported.",
        )
    return Refused(
        f"TensorFlow {version()} cannot convert {name}.",
        why=text.splitlines()[0][:300],
        next_step="Name another of its signatures with --signature." if "signature" in text.lower() else "",
    )

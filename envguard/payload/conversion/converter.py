"""TensorFlow's converter to TensorFlow Lite: from a SavedModel to a model's bytes, float or quantized."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from ..graph import model as models
from ..graph.schema import TensorType, operator_name
from . import failures

Rows = Mapping[str, np.ndarray]
"""Inputs by name, stacked along the first dimension; each has as many rows as the others."""

DEFAULT_SIGNATURE = "serving_default"
_RESHAPING = ("QUANTIZE", "DEQUANTIZE")
_KEEPING_IDS = ("CAST", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "SELECT", "SELECT_V2")
_LOOKING_UP = ("GATHER", "EMBEDDING_LOOKUP")


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


def convert(
    folder: Path, name: str, signature: str, *, quantized: bool, rows: Rows | None = None, batch: int = 1
) -> bytes:
    """The SavedModel in `folder` as TFLite, with float inputs and outputs as it has them.

    `quantized` without `rows` makes large weights int8 and nothing else (dynamic range); with them activations as well,
    except of operators that have no int8 form. `batch` is how many rows the model takes at a time. `Refused`, which
    calls the model `name`: what TensorFlow cannot read, a signature that it lacks, operators that TensorFlow Lite does
    not have.
    """
    try:
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=[signature])
        if quantized:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantized and rows is not None:
            converter.representative_dataset = lambda: _each(rows, batch)
        return bytes(converter.convert())
    # TensorFlow and its converter raise what they happen to trip over, of a dozen kinds.
    except Exception as cause:
        text = str(cause).replace(str(folder), name).strip() or type(cause).__name__
        raise failures.of(name, signature, version(), text, _with_batch_of_one(folder, signature)) from cause


def _with_batch_of_one(folder: Path, signature: str) -> list[str]:
    """The inputs of the signature as a line of code has them, for a reader; none where they cannot be read."""
    try:
        inputs = tf.saved_model.load(str(folder)).signatures[signature].structured_input_signature[1]
        return [f'keras.InputSpec({(1, *each.shape[1:])}, "{each.dtype.name}")' for each in inputs.values()]
    # The failure to explain is another.
    except Exception:
        return []


def ports(model: bytes) -> tuple[Port, ...]:
    """The inputs of the model by their names in its signature; what is of open size need not be set aside for that."""
    runner = _interpreter(model).get_signature_runner()
    found = []
    for name, detail in runner.get_input_details().items():
        shape = tuple(int(size) for size in detail["shape_signature"])
        found.append(Port(name, shape[1:], np.dtype(detail["dtype"]).name, int(detail["shape"][0]) if shape else 0))
    return tuple(found)


def has_loop(model: bytes) -> bool:
    """Whether any part of the model is run in a loop."""
    return any(each["op_name"] == "WHILE" for each in _interpreter(model)._get_ops_details())


def tables(model: bytes) -> dict[str, int]:
    """The rows of the table that an input's integers are looked up in, by the input's name in the signature."""
    interpreter = _interpreter(model)
    tensors = {int(each["index"]): each for each in interpreter.get_tensor_details()}
    inputs = interpreter.get_signature_runner().get_input_details()
    ids = {int(detail["index"]): name for name, detail in inputs.items()}
    found: dict[str, int] = {}
    for each in interpreter._get_ops_details():
        read, made = [int(index) for index in each["inputs"]], [int(index) for index in each["outputs"]]
        if each["op_name"] in _KEEPING_IDS:
            ids.update((made[0], ids[tensor]) for tensor in read if tensor in ids)
        elif each["op_name"] in _LOOKING_UP:
            table, index = read[:2] if each["op_name"] == "GATHER" else read[1::-1]
            if index in ids and len(tensors[table]["shape"]) > 1:
                name = ids[index]
                found[name] = min(found.get(name, int(tensors[table]["shape"][0])), int(tensors[table]["shape"][0]))
    return found


def integers(model: bytes) -> Integers:
    """Count what is int8 in the model, in the bodies of its loops as well."""
    read = models.load(model, "model")
    made = [
        {graph.tensors[index].type for index in each.outputs}
        for graph in read.subgraphs
        for each in graph.operators
        if operator_name(read.operatorCodes[each.opcodeIndex]) not in _RESHAPING
    ]
    return Integers(
        operators=sum(TensorType.INT8 in each for each in made),
        float_operators=sum(TensorType.FLOAT32 in each for each in made),
        tensors=sum(each.type == TensorType.INT8 for graph in read.subgraphs for each in graph.tensors),
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


def _each(rows: Rows, batch: int) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(next(iter(rows.values()))) - batch + 1, batch):
        yield {name: array[start : start + batch] for name, array in rows.items()}

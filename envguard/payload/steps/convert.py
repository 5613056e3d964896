"""Convert a TensorFlow model twice, float and int8, with one converter; what follows compares the two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from ..contract import ConvertedModel, ConvertFindings, Gate, OperatorTypes, Request, StepFindings
from ..conversion import converter, converter_rows, failures, keras_files, keras_models, saved_models
from ..conversion.converter import Integers, Port, Rows
from ..files.own_files import own_arrays, own_pictures
from ..gates import GateDeclaration, judge
from ..graph import model as models
from ..graph import split_output_scales
from ..protocol import Events, Refused, read_options

INT8, WEIGHTS = "int8", "weights"
LEAST_WEIGHTS = 1024
"""Constants of fewer elements stay float where only weights are quantized: the converter's own default."""

_NO_OP = "The int8 model has {measured:.0%} of the float one's bytes and {tensors} int8 tensors."
NO_OP = GateDeclaration(
    "no-op",
    "Bytes to the float conversion",
    _NO_OP,
    "There is nothing in this model worth quantizing.",
    "share",
    default=0.95,
)
WEIGHTS_NO_OP = GateDeclaration(
    "no-op",
    "Bytes to the float conversion",
    _NO_OP,
    f"Weights of fewer than {LEAST_WEIGHTS:,} stay float without --calibration.",
    "share",
    default=0.95,
)
"""A model whose bytes stay above this share of the float one's was not quantized, whatever was called on it."""

HELD_OUT_FILE = "held_out.npz"
FIXED_BATCH = "saved_model_with_fixed_batch"
EXAMPLE_SIZE = 224
BATCH_OF_ONE = "The batch is fixed to 1: TensorFlow Lite must know the size of what a recurrent layer's loop collects."
WITHOUT_ROWS = (
    "Without --calibration only weights become int8 (dynamic range): the converter has seen no real inputs to choose "
    "the ranges of activations by."
)


@dataclass(frozen=True)
class ConvertOptions:
    """The signature to convert, and the two values that stand for black and white, which pictures need."""

    signature: str = converter.DEFAULT_SIGNATURE
    pixels: Optional[tuple[float, float]] = None


def run(request: Request, events: Events) -> StepFindings:
    """`inputs["model"]` is a Keras file (`.keras`, `.h5`) or a SavedModel's folder as a tar.

    The files of `own` calibrate: arrays (`.npy`, `.npz`) or pictures; without them only weights become int8.

    Hands on `float` and `quantized`, both `.tflite`, and `held_out`, an `.npz` of inputs that did not calibrate, by the
    model's name. `Refused`: what is neither kind of model, code in Keras files, operators that
    TensorFlow Lite lacks, inputs of open size, calibration that does not fit or that a loop cannot have.
    """
    source = request.file("model")
    name = source.stem if source.suffix == ".tar" else source.name
    options = read_options(ConvertOptions, request)
    events.progress("read", 0, 3)
    model = _Model(source, name, options.signature, request.folder, events)
    events.progress("float", 1, 3)
    plain = model.converted()
    inputs = _fixed(converter.ports(plain), name)
    wanted = converter_rows.Wanted(name, inputs, converter.tables(plain))
    rows, held_out = _calibration(request, options, wanted, events)
    if rows is None:
        events.note(WITHOUT_ROWS)
    elif converter.has_loop(plain):
        raise failures.calibrated_loop(name)
    events.progress("int8", 2, 3)
    made = model.converted(quantized=True, rows=rows, batch=max((port.batch for port in inputs), default=1))
    if rows is not None:
        made = _with_scales_apart(made, plain, name, events)
    events.progress("convert", 3, 3)
    files = {
        "float": _write(request.folder / "float", source.stem, plain),
        "quantized": _write(request.folder / "int8", source.stem, made),
        "held_out": HELD_OUT_FILE,
    }
    apart = list(held_out.values())
    # Only models with one input are compared on real ones.
    np.savez(request.folder / HELD_OUT_FILE, **({source.stem: apart[0]} if len(apart) == 1 and len(apart[0]) else {}))
    found = converter.integers(made)
    findings = _findings(source.stem, options.signature, (plain, made), found, rows)
    return StepFindings(findings, (_judged_effect(findings, found),), files)


class _Model:
    """The model to convert, as a SavedModel; of a Keras file, one with a batch of 1 if the converter needs that."""

    def __init__(self, source: Path, name: str, signature: str, work: Path, events: Events) -> None:
        self._source, self._name, self._signature, self._work, self._events = source, name, signature, work, events
        self._keras = keras_files.is_keras(source)
        self._folder = work / "saved_model"
        if self._keras:
            keras_models.export(source, self._folder)
        else:
            saved_models.unpack(source, self._folder)

    def converted(self, *, quantized: bool = False, rows: Rows | None = None, batch: int = 1) -> bytes:
        """As TFLite."""
        try:
            return self._convert(quantized=quantized, rows=rows, batch=batch)
        except failures.OpenBatch:
            if not self._keras or self._folder.name == FIXED_BATCH:
                raise
        self._events.note(BATCH_OF_ONE)
        self._folder = keras_models.export(self._source, self._work / FIXED_BATCH, batch=1)
        return self._convert(quantized=quantized, rows=rows, batch=batch)

    def _convert(self, *, quantized: bool, rows: Rows | None, batch: int) -> bytes:
        return converter.convert(self._folder, self._name, self._signature, quantized=quantized, rows=rows, batch=batch)


def _with_scales_apart(made: bytes, plain: bytes, name: str, events: Events) -> bytes:
    """The int8 model with what joins parts of different scales in float32, so that no part is rounded away."""
    model = models.load(made, name)
    found = split_output_scales.apply(model, models.load(plain, name))
    if not found.changed:
        return made
    events.note(f"{found.changed} operators before the outputs stay float: one scale would have rounded parts away.")
    return models.save(model)


def _fixed(inputs: tuple[Port, ...], name: str) -> tuple[Port, ...]:
    """The inputs, none of which may be of open size: what the interpreter is to set aside would not be known."""
    for port in inputs:
        if -1 in port.shape:
            shown = ", ".join("?" if size == -1 else str(size) for size in port.shape)
            example = tuple(EXAMPLE_SIZE if size == -1 else size for size in port.shape)
            raise Refused(
                f"The input {port.name!r} of {name} has an open size: [{shown}].",
                why="A model for phones is compared and calibrated one input of a fixed size at a time.",
                next_step=f"Fix it and save again: `fixed = keras.models.clone_model(model, "
                f"input_tensors=keras.Input({example}))`, then `fixed.set_weights(model.get_weights())`.",
            )
    return inputs


def _calibration(
    request: Request, options: ConvertOptions, wanted: converter_rows.Wanted, events: Events
) -> tuple[Rows | None, Rows]:
    """Rows to calibrate with, if any are given, and those held out."""
    arrays, pictures = own_arrays(request), own_pictures(request)
    if arrays and pictures:
        raise Refused(
            "There are both arrays and pictures to calibrate with.",
            next_step="Name a file, or a folder with only one kind of them.",
        )
    if arrays:
        return converter_rows.from_arrays(arrays, wanted, events.note)
    if pictures:
        if options.pixels is None:
            raise Refused(
                "It is not said which values the model takes for black and white.",
                why="Models differ, and none says so: 0 and 255 where it scales pixels itself, 0 and 1, or -1 and 1.",
                next_step="Say it with --pixels 0:255, 0:1 or -1:1.",
            )
        return converter_rows.from_pictures(pictures, wanted.inputs, options.pixels, events)
    return None, {}


def _write(folder: Path, stem: str, model: bytes) -> str:
    folder.mkdir()
    file = folder / f"{stem}.tflite"
    file.write_bytes(model)
    return f"{folder.name}/{file.name}"


def _findings(
    name: str, signature: str, conversions: tuple[bytes, bytes], found: Integers, rows: Rows | None
) -> ConvertFindings:
    """Of the int8 model to the float one, both by this converter."""
    plain, made = conversions
    return ConvertFindings(
        tensorflow=converter.version(),
        kind=WEIGHTS if rows is None else INT8,
        rows=0 if rows is None else len(next(iter(rows.values()))),
        bytes_in=len(plain),
        bytes_out=len(made),
        sha256_in=hashlib.sha256(plain).hexdigest(),
        sha256_out=hashlib.sha256(made).hexdigest(),
        ratio=len(made) / len(plain),
        operators=OperatorTypes(found.operators, found.float_operators),
        models=(ConvertedModel(name, len(plain), len(made), quantized=True),),
        signature=signature,
    )


def _judged_effect(findings: ConvertFindings, found: Integers) -> Gate:
    gate = WEIGHTS_NO_OP if findings.kind == WEIGHTS else NO_OP
    limit = gate.default or 1.0
    integers = found.tensors and (findings.kind == WEIGHTS or found.operators)
    return judge(
        gate, findings.ratio, limit, passed=bool(integers) and findings.ratio <= limit, words={"tensors": found.tensors}
    )

"""From one float model's bytes to the same model with int8 weights, or the reason why it stays as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import archive, calibrated_rounding, calibration, low_rank, recipes
from .goals import BALANCED, Goal
from .graph import (
    balanced_rounding,
    dead_code,
    densify,
    facts,
    fold_float16,
    fuse_activation,
    matrix_product,
    metadata,
    operator_codes,
    share_buffers,
    store_float16,
    store_sparse,
    strip_names,
    tensor_names,
    widen_prelu,
)
from .graph import model as models
from .graph.constants import add_buffer, values
from .graph.report import PassReport
from .graph.schema import ModelT, text
from .interpreting import CannotRun


class QuantizerFailed(Exception):
    """The quantizer does not take this model; the text is its own."""


@dataclass(frozen=True)
class Quantized:
    """One model's outcome. `data` is the new file's bytes, or the original's where `left_alone` says why."""

    data: bytes
    passes: tuple[PassReport, ...] = ()
    choice: recipes.Choice | None = None
    left_alone: str = ""
    already_quantized: bool = False

    def recipe(self) -> dict[str, Any]:
        """What was done, for people and for tools."""
        if self.choice is None:
            return {"weights": "unchanged", "why": self.left_alone}
        return self.choice.as_json()


@dataclass(frozen=True)
class Order:
    """What to do with a model.

    `file_bytes` is the size of the whole file that the model is part of, which decides what is worth quantizing;
    `arrays` are real inputs by model name (see `calibration`), without which weights are rounded by themselves;
    `compress` allows large layers to be replaced by smaller ones (see `low_rank`).
    """

    file_bytes: int
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    goal: Goal = BALANCED
    compress: bool = False


def quantize(data: bytes, name: str, order: Order) -> Quantized:
    """Quantize the weights of the model in `data`; `Refused` names it as `name` if it cannot be read.

    A model that is quantized already is returned as it came; one that has no weights worth quantizing keeps them.
    """
    flatbuffer, attached = split(data, name)
    model = models.load(flatbuffer, name)
    tensors, _ = facts.integer_quantized(model)
    if tensors:
        reason = f"{tensors} of its tensors are integers with a scale"
        return Quantized(data, left_alone=reason, already_quantized=True)
    passes = prepare(model)
    samples = calibration.samples(order.arrays, name, model) if calibrated_rounding.takes(model) else None
    if order.compress and samples is not None:
        model, report = _compressed(model, samples, len(data))
        passes.append(report)
    passes += speed_up(model, order.goal)
    choice = recipes.choose(model, order.file_bytes, order.goal)
    if choice.operators:
        model, report = _rounded(model, choice, samples)
        passes.append(report)
        model = _with_int8_weights(model, choice, name)
    passes += [store_float16.apply(model), share_buffers.apply(model)]
    if any(report.name == densify.NAME and report.changed for report in passes):
        passes.append(store_sparse.apply(model))
    passes += [strip_names.apply(model), dead_code.apply(model)]
    rewritten = join(models.save(model), attached)
    if choice.operators:
        return Quantized(rewritten, tuple(passes), choice)
    reason = "no weights that int8 would make the file much smaller by"
    if len(rewritten) >= len(data):
        return Quantized(data, left_alone=reason)
    return Quantized(rewritten, tuple(passes), left_alone=reason)


def prepare(model: ModelT) -> list[PassReport]:
    """The lossless passes without which the quantizer sees no weights, or the wrong operators."""
    return [
        operator_codes.apply(model),
        densify.apply(model),
        fold_float16.apply(model),
        dead_code.apply(model),
    ]


def speed_up(model: ModelT, goal: Goal) -> list[PassReport]:
    """Lossless passes after which the same arithmetic takes less time, or can be done in int8."""
    reports = [fuse_activation.apply(model), widen_prelu.apply(model, goal.wide_channels)]
    return [*reports, matrix_product.apply(model)] if goal.dynamic else reports


def _compressed(model: ModelT, samples: calibration.Samples, model_bytes: int) -> tuple[ModelT, PassReport]:
    compressed = copy.deepcopy(model)
    try:
        return compressed, low_rank.apply(compressed, samples, model_bytes)
    except CannotRun as cause:
        return model, PassReport(low_rank.NAME, 0, f"not compressed: {cause}")


def _rounded(model: ModelT, choice: recipes.Choice, samples: calibration.Samples | None) -> tuple[ModelT, PassReport]:
    """The model with the chosen weights on steps of int8, and how they were rounded."""
    if samples is not None:
        calibrated = copy.deepcopy(model)
        try:
            return calibrated, calibrated_rounding.apply(calibrated, choice, samples)
        except CannotRun:
            pass  # A custom operator, which only MediaPipe has: the weights are rounded by themselves.
    for weights in choice.weights:
        tensor = model.subgraphs[weights.graph].tensors[weights.tensor]
        rounded = balanced_rounding.representable(values(model, tensor), weights.channel_dimension)
        tensor.buffer = add_buffer(model, rounded)
    what = "weights rounded so that kernels keep their sum"
    return model, PassReport("balanced_rounding", len(choice.weights), what, lossless=False)


def _with_int8_weights(model: ModelT, choice: recipes.Choice, name: str) -> ModelT:
    # Imported here: it brings in SciPy, and inspecting a model needs none of it.
    from . import quantizer_api

    described = metadata.take(model)
    old_names = tensor_names.make_unique(model)
    orders = [
        quantizer_api.Order(
            chosen.kind, text(model.subgraphs[chosen.graph].tensors[chosen.output].name), chosen.dynamic
        )
        for chosen in choice.operators
    ]
    try:
        data = quantizer_api.quantize_weights(models.save(model), orders)
    # The quantizer has no errors of its own: it raises whatever the part that tripped raises.
    except Exception as cause:
        raise QuantizerFailed(f"AI Edge Quantizer failed with {type(cause).__name__}: {cause}") from cause
    quantized = models.load(data, name)
    tensor_names.restore(quantized, old_names)
    metadata.give_back(quantized, described)
    return quantized


def split(data: bytes, name: str) -> tuple[bytes, archive.Archive | None]:
    """A model file as its flatbuffer and the associated files (labels, vocabularies) packed behind it, if any."""
    start = archive.start_of_appended(data)
    if not start:
        return data, None
    return data[:start], archive.read(data, name)


def join(flatbuffer: bytes, attached: archive.Archive | None) -> bytes:
    """The reverse of `split`."""
    return flatbuffer if attached is None else archive.write(attached, after=flatbuffer)

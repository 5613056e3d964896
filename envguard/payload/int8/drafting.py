"""A float model made ready to be quantized, and made int8 by one recipe or another."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract import AppliedPass
from ..files import calibration
from ..graph import balanced_rounding, metadata
from ..graph import model as models
from ..graph.constants import add_buffer, values
from ..graph.passes import (
    dead_code,
    densify,
    fold_float16,
    fuse_activation,
    group_prelu,
    matrix_product,
    merge_convolutions,
    narrow,
    operator_codes,
    share_buffers,
    split_signs,
    store_float16,
    store_int8,
    store_sparse,
    strip_names,
    tensor_names,
    widen_prelu,
)
from ..graph.schema import ModelT, text
from ..measuring.interpreting import CannotRun
from . import calibrated_rounding, equalizing, low_rank, recipes
from .goals import Goal
from .treatments import Form, Treatment
from .walking import Sample

Arrays = Mapping[str, np.ndarray]
"""Real inputs by model name, stacked along the first dimension (see `calibration`)."""


class QuantizerFailed(Exception):
    """The quantizer does not take this model; the text is its own."""


@dataclass(frozen=True)
class Made:
    """A model's new flatbuffer, what of it became int8, and every pass that it went through."""

    data: bytes
    choice: recipes.Choice
    passes: tuple[AppliedPass, ...]


@dataclass(frozen=True)
class Draft:
    """A float model after the passes that every recipe shares; `samples` are real inputs to round weights on.

    `form` says in which forms its weights may be stored.
    """

    name: str
    model: ModelT
    layers: tuple[recipes.Layer, ...]
    samples: Sequence[Sample] | None
    passes: tuple[AppliedPass, ...]
    form: Form = Form.ANY

    @classmethod
    def of(
        cls,
        model: ModelT,
        name: str,
        goal: Goal,
        *,
        file_bytes: int,
        arrays: Arrays,
        compressed_from: int | None,
    ) -> Draft:
        """Prepare a model that was just loaded and lies in a file of `file_bytes`.

        With `compressed_from`, the bytes that the model had, large layers are replaced by smaller ones first.
        """
        passes = prepare(model)
        samples = calibration.samples(arrays, name, model) if calibrated_rounding.takes(model) else None
        if compressed_from is not None and samples is not None:
            model, report = _compressed(model, samples, compressed_from, goal.form)
            passes.append(report)
        passes += speed_up(model, goal)
        return cls(name, model, recipes.layers(model, file_bytes), samples, tuple(passes), goal.form)

    @property
    def is_sparse(self) -> bool:
        """Whether weights were stored as sparse."""
        return any(report.name == densify.NAME and report.changed for report in self.passes)

    def finish(self, recipe: recipes.Recipe, share: int = 1) -> Made:
        """The model by that recipe, weights rounded on one in `share` of the samples; raises QuantizerFailed."""
        samples = self.samples and one_in(share, self.samples)
        model, choice, reports = self.laid_out(recipe, samples)
        passes = [*self.passes, *reports]
        if choice.products:
            model, report = _rounded(model, choice, samples)
            passes.append(report)
            model = quantized_weights(model, choice, self.name)
            passes.append(split_signs.apply(model, {layer.output for layer in choice.split}))
        if choice.constants:
            # After the quantizer, of which old releases take no model with int8 in it. It leaves tensors their indices.
            passes.append(store_int8.apply(model, choice.constants))
        if self.form is Form.READ_DIRECTLY:
            # After channels were scaled alike, which does not see through a RESHAPE.
            passes.append(group_prelu.apply(model))
        passes += [store_float16.apply(model), share_buffers.apply(model)]
        # GPUs do not take sparse weights in the order in which float16 is stored.
        if self.is_sparse and self.form is Form.ANY:
            passes.append(store_sparse.apply(model))
        passes += [strip_names.apply(model), dead_code.apply(model)]
        return Made(models.save(model), recipes.Choice(self.layers, recipe), tuple(passes))

    def as_computed(self, recipe: recipes.Recipe) -> recipes.Recipe:
        """The recipe whose model computes on this CPU as the recipe's own does on the roads that it is for."""
        if self.form is not Form.MULTIPLIED_OUT:
            return recipe
        in_float = (each if each is Treatment.FLOAT else Treatment.WEIGHTS for each in recipe.treatments)
        return replace(recipe, treatments=tuple(in_float))

    def laid_out(
        self, recipe: recipes.Recipe, samples: Sequence[Sample] | None
    ) -> tuple[ModelT, recipes.Choice, list[AppliedPass]]:
        """A copy of the model with the operators that the recipe asks for, and the choice of what becomes int8 in it.

        What convolutions are given that compute in int8 is equalized on the samples, if there are any.
        """
        model, choice = copy.deepcopy(self.model), recipes.Choice(self.layers, recipe)
        in_int8 = any(layer.kind == recipes.CONVOLUTION for layer in choice.dynamic)
        if not in_int8 or self.form is Form.MULTIPLIED_OUT:
            return model, choice, []
        reports = [merge_convolutions.apply(model, {layer.output for layer in choice.merged})]
        choice = choice.moved_to(model)
        if samples:
            outputs = {layer.output for layer in choice.dynamic}
            kept = {layer.output for layer in choice.products} - outputs
            reports.append(equalizing.apply(model, outputs, equalizing.observe(model, outputs, samples), kept))
            choice = choice.moved_to(model)
        return model, choice, reports


def one_in(share: int, samples: Sequence[Sample]) -> Sequence[Sample]:
    """Every `share`-th sample."""
    return samples if share == 1 else [samples[number] for number in range(0, len(samples), share)]


def prepare(model: ModelT) -> list[AppliedPass]:
    """The lossless passes without which the quantizer sees no weights, or the wrong operators."""
    return [
        operator_codes.apply(model),
        densify.apply(model),
        fold_float16.apply(model),
        dead_code.apply(model),
    ]


def speed_up(model: ModelT, goal: Goal) -> list[AppliedPass]:
    """Lossless passes after which the same arithmetic takes less time, or can be done in int8.

    Delegates take no slopes that are repeated along the width; convolutions stay such, so that they can be split.
    """
    first = [fuse_activation.apply(model)]
    if goal.form is not Form.ANY:
        return [*first, narrow.apply(model)]
    return [
        *first,
        widen_prelu.apply(model, goal.wide_channels),
        narrow.apply(model),
        matrix_product.apply(model),
    ]


def _compressed(model: ModelT, samples: Sequence[Sample], model_bytes: int, form: Form) -> tuple[ModelT, AppliedPass]:
    compressed = copy.deepcopy(model)
    try:
        rounded = form is Form.READ_DIRECTLY
        return compressed, low_rank.apply(compressed, samples, model_bytes, rounded=rounded)
    except CannotRun as cause:
        return model, AppliedPass(low_rank.NAME, 0, f"not compressed: {cause}")


def _rounded(model: ModelT, choice: recipes.Choice, samples: Sequence[Sample] | None) -> tuple[ModelT, AppliedPass]:
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
    return model, AppliedPass("balanced_rounding", len(choice.weights), what, lossless=False)


def quantized_weights(model: ModelT, choice: recipes.Choice, name: str) -> ModelT:
    """The model with the chosen weights stored as int8, rounded as they lie; raises QuantizerFailed."""
    # Imported here: it brings in SciPy, and inspecting a model needs none of it.
    from . import quantizer_api

    described = metadata.take(model)
    old_names = tensor_names.make_unique(model)
    dynamic = set(choice.dynamic)
    orders = [
        quantizer_api.Order(layer.kind, text(model.subgraphs[layer.graph].tensors[layer.output].name), layer in dynamic)
        for layer in choice.products
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

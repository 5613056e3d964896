"""Which convolutions are faster in int8 arithmetic on this machine: each is timed by itself, in float and in int8.

With float inputs, an int8 convolution rounds every input row first. That pays where many channels are summed up, as in
kernels larger than a pixel, and costs up to four times the time where few are. Convolutions of one geometry are timed
once. What comes out is a guess for the whole model, which is then measured as a whole.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import benchmark, recipes
from .bench import Bench
from .drafting import MERGED_CHANNELS, Draft, quantized_weights
from .graph import merge_convolutions
from .graph import model as models
from .graph.schema import ModelT, OperatorT
from .graph.segment import segment
from .interpreting import CannotRun, Runner
from .recipes import Recipe, Treatment

SECONDS = 0.03
"""For timing one convolution: a few microseconds are told apart in that."""

LEAST_ERROR = 1e-3
LEAST_GAIN = 0.1
"""Part of the float time that int8 must save; less is lost to what surrounds the operator."""


MOST = 16
"""Convolutions whose error is looked at: those that save most, as each takes about half a second."""


@dataclass(frozen=True)
class Gain:
    """What a treatment with int8 arithmetic saves in the layer with this number, and its error (see `Bench`)."""

    layer: int
    treatment: Treatment
    milliseconds: float
    error: float


def gains(draft: Draft, bench: Bench) -> tuple[Gain, ...]:
    """Convolutions that int8 makes faster, those that save most for their squared error first; raises `CannotRun`."""
    found = []
    for number, treatment, milliseconds in _faster(draft)[:MOST]:
        error = _error(draft, bench, {number: treatment})
        found.append(Gain(number, treatment, milliseconds, error))
    return tuple(sorted(found, key=lambda gain: -gain.milliseconds / max(gain.error, LEAST_ERROR) ** 2))


def within(draft: Draft, bench: Bench, found: Sequence[Gain], budget: float) -> dict[int, Treatment]:
    """The treatments of as many layers, in their order, as the square of their error together leaves room for.

    Together they may do better than their errors by themselves tell: what they read is equalized for all of them.
    """
    fitting, over = 0, len(found) + 1
    while over - fitting > 1:
        tried = (fitting + over) // 2
        treatments = {gain.layer: gain.treatment for gain in found[:tried]}
        if _error(draft, bench, treatments) ** 2 <= budget:
            fitting = tried
        else:
            over = tried
    return {gain.layer: gain.treatment for gain in found[:fitting]}


def _error(draft: Draft, bench: Bench, treatments: Mapping[int, Treatment]) -> float:
    """Of these layers alone, their weights rounded to the nearest step; everything else stays float."""
    recipe = Recipe(tuple(treatments.get(number, Treatment.FLOAT) for number in range(len(draft.layers))))
    model, choice, _ = draft.readied(recipe)
    return bench.error(Runner(models.save(quantized_weights(model, choice, draft.name))))


def _faster(draft: Draft) -> list[tuple[int, Treatment, float]]:
    """Layers that int8 makes faster, by number, with the treatment and the milliseconds that it saves, most first."""
    pairs = merge_convolutions.mergeable(draft.model, MERGED_CHANNELS)
    makers = {each.outputs[0]: each for each in draft.model.subgraphs[0].operators if each.outputs}
    known: dict[tuple[object, ...], float] = {}
    found = []
    for number, layer in enumerate(draft.layers):
        operator = makers.get(layer.output)
        if layer.graph != 0 or layer.kind != recipes.CONVOLUTION or operator is None:
            continue
        depthwise = pairs.get(layer.output)
        operators = [operator] if depthwise is None else [depthwise, operator]
        geometry = tuple(_geometry(draft.model, each) for each in operators)
        if geometry not in known:
            known[geometry] = _saved(draft, operators)
        if known[geometry] > 0:
            found.append((number, Treatment.DYNAMIC if depthwise is None else Treatment.MERGED, known[geometry]))
    return sorted(found, key=lambda each: -each[2])


def _geometry(model: ModelT, operator: OperatorT) -> tuple[object, ...]:
    tensors = model.subgraphs[0].tensors
    shapes = [tuple(tensors[index].shape) for index in (*operator.inputs[:2], operator.outputs[0])]
    options = operator.builtinOptions
    return (*shapes, options.strideH, options.strideW, options.dilationHFactor, options.padding)


def _saved(draft: Draft, operators: Sequence[OperatorT]) -> float:
    """Milliseconds; 0 where int8 is not clearly faster, or the operators do not run by themselves."""
    model = draft.model
    alone = segment(model, [copy.deepcopy(each) for each in operators], operators[0].inputs[:1], operators[-1].outputs)
    try:
        in_float = Runner(models.save(alone))
        merge_convolutions.apply(alone, MERGED_CHANNELS)
        found = recipes.layers(alone, 0)
        choice = recipes.Choice(found, Recipe((Treatment.DYNAMIC,) * len(found)))
        in_int8 = Runner(models.save(quantized_weights(alone, choice, draft.name)))
        outcome = benchmark.compare(in_float.invoke, in_int8.invoke, seconds=SECONDS)
    except CannotRun:
        return 0.0
    return outcome.original_ms - outcome.quantized_ms if outcome.middle_ratio <= 1 - LEAST_GAIN else 0.0

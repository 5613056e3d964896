"""Which convolutions are faster in int8 arithmetic on this machine: each is timed by itself, in float and in int8.

With float inputs, an int8 convolution rounds every input row first. That pays where many channels are summed up, as in
kernels larger than a pixel, and costs up to four times the time where few are. Convolutions of one geometry are timed
once. What comes out is a guess for the whole model, which is then measured as a whole.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from . import benchmark, recipes
from .bench import Bench
from .drafting import Draft, quantized_weights
from .graph import model as models
from .graph.schema import ModelT, OperatorT
from .graph.segment import segment
from .interpreting import CannotRun, Runner
from .recipes import Layer, Recipe, Treatment

SECONDS = 0.03
"""For timing one convolution: a few microseconds are told apart in that."""

LEAST_ERROR = 1e-3
LEAST_GAIN = 0.1
"""Part of the float time that int8 must save; less is lost to what surrounds the operator."""


MOST = 16
"""Convolutions whose error is looked at: those that save most, as each takes about half a second."""


@dataclass(frozen=True)
class Gain:
    """What int8 arithmetic in the layer with this number saves, and the error that it makes (see `Bench`)."""

    layer: int
    milliseconds: float
    error: float


def gains(draft: Draft, bench: Bench) -> tuple[Gain, ...]:
    """Convolutions that int8 makes faster, those that save most for their squared error first; raises `CannotRun`."""
    found = []
    for number, milliseconds in _faster(draft)[:MOST]:
        treatments = [Treatment.FLOAT] * len(draft.layers)
        treatments[number] = Treatment.DYNAMIC
        choice = recipes.Choice(draft.layers, Recipe(tuple(treatments)))
        alone = quantized_weights(copy.deepcopy(draft.model), choice, draft.name)
        found.append(Gain(number, milliseconds, bench.error(Runner(models.save(alone)))))
    return tuple(sorted(found, key=lambda gain: -gain.milliseconds / max(gain.error, LEAST_ERROR) ** 2))


def within(found: Sequence[Gain], budget: float) -> frozenset[int]:
    """The layers of as many gains, in their order, as the sum of their squared errors leaves room for.

    Errors of different layers are hardly correlated, so that their squares add up.
    """
    chosen, spent = set(), 0.0
    for gain in found:
        if spent + gain.error**2 <= budget:
            spent += gain.error**2
            chosen.add(gain.layer)
    return frozenset(chosen)


def _faster(draft: Draft) -> list[tuple[int, float]]:
    """Numbers of the layers that int8 makes faster and the milliseconds that it saves, most first."""
    known: dict[tuple[object, ...], float] = {}
    found = []
    for number, layer in enumerate(draft.layers):
        operator = _operator(draft.model, layer)
        if layer.graph != 0 or layer.kind != recipes.CONVOLUTION or operator is None:
            continue
        geometry = _geometry(draft.model, operator)
        if geometry not in known:
            known[geometry] = _saved(draft, operator)
        if known[geometry] > 0:
            found.append((number, known[geometry]))
    return sorted(found, key=lambda each: -each[1])


def _operator(model: ModelT, layer: Layer) -> OperatorT | None:
    operators = model.subgraphs[layer.graph].operators
    return next((each for each in operators if each.outputs and each.outputs[0] == layer.output), None)


def _geometry(model: ModelT, operator: OperatorT) -> tuple[object, ...]:
    tensors = model.subgraphs[0].tensors
    shapes = [tuple(tensors[index].shape) for index in (*operator.inputs[:2], operator.outputs[0])]
    options = operator.builtinOptions
    return (*shapes, options.strideH, options.strideW, options.dilationHFactor, options.padding)


def _saved(draft: Draft, operator: OperatorT) -> float:
    """Milliseconds; 0 where int8 is not clearly faster, or the operator does not run by itself."""
    alone = segment(draft.model, [copy.deepcopy(operator)], operator.inputs[:1], operator.outputs)
    found = recipes.layers(alone, 0)
    choice = recipes.Choice(found, Recipe((Treatment.DYNAMIC,) * len(found)))
    try:
        in_float = Runner(models.save(alone))
        in_int8 = Runner(models.save(quantized_weights(alone, choice, draft.name)))
        outcome = benchmark.compare(in_float.invoke, in_int8.invoke, seconds=SECONDS)
    except CannotRun:
        return 0.0
    return outcome.original_ms - outcome.quantized_ms if outcome.ratio <= 1 - LEAST_GAIN else 0.0

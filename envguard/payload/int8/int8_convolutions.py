"""Which convolutions are faster in int8 arithmetic on this machine: each is timed by itself, in float and in int8.

With float inputs, an int8 convolution rounds every input row first. That pays where many channels are summed up, as in
kernels larger than a pixel, and costs up to four times the time where few are. Convolutions of one geometry are timed
once. What comes out is a guess for the whole model, which is then measured as a whole.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ..graph import model as models
from ..graph.passes import merge_convolutions
from ..graph.schema import ModelT, OperatorT
from ..graph.segment import segment
from ..measuring import benchmark
from ..measuring.bench import Bench
from ..measuring.interpreting import CannotRun, Runner
from . import recipes
from .drafting import Draft, one_in, quantized_weights
from .recipes import Recipe
from .treatments import Treatment
from .walking import Sample

SECONDS = 0.03
"""For timing one convolution: a few microseconds are told apart in that."""

LEAST_ERROR = 1e-3
LEAST_GAIN = 0.1
"""Part of the float time that int8 must save; less is lost to what surrounds the operator."""
SAMPLES = 12
"""Inputs that say what ranges channels have, for a guess of the error."""

MOST = 16
"""Convolutions whose error is looked at: those that save most, as each takes about half a second."""


@dataclass(frozen=True)
class Gain:
    """What int8 arithmetic in the layer with this number saves, how, and the error that it makes (see `Bench`)."""

    layer: int
    treatment: Treatment
    milliseconds: float
    error: float


def gains(draft: Draft, bench: Bench) -> tuple[Gain, ...]:
    """Convolutions that int8 makes faster, those that save most for their squared error first; raises `CannotRun`."""
    found = []
    samples = draft.samples and one_in(math.ceil(len(draft.samples) / SAMPLES), draft.samples)
    for number, treatment, milliseconds in _faster(draft)[:MOST]:
        # The same weights as they are rounded come off: that error is made up for when they are rounded with care.
        errors = [
            bench.error(Runner(_alone(draft, number, each, samples))) ** 2 for each in (treatment, Treatment.WEIGHTS)
        ]
        found.append(Gain(number, treatment, milliseconds, math.sqrt(max(errors[0] - errors[1], 0.0))))
    return tuple(sorted(found, key=lambda gain: -gain.milliseconds / max(gain.error, LEAST_ERROR) ** 2))


def _alone(draft: Draft, number: int, treatment: Treatment, samples: Sequence[Sample] | None) -> bytes:
    """The model with one layer treated and all others in float."""
    treatments = [Treatment.FLOAT] * len(draft.layers)
    treatments[number] = treatment
    model, choice, _ = draft.laid_out(Recipe(tuple(treatments)), samples)
    return models.save(quantized_weights(model, choice, draft.name))


def within(found: Sequence[Gain], budget: float) -> dict[int, Treatment]:
    """The layers of as many gains, in their order, as the sum of their squared errors leaves room for.

    Errors of different layers are hardly correlated, so that their squares add up.
    """
    chosen, spent = {}, 0.0
    for gain in found:
        if spent + gain.error**2 <= budget:
            spent += gain.error**2
            chosen[gain.layer] = gain.treatment
    return chosen


def _faster(draft: Draft) -> list[tuple[int, Treatment, float]]:
    """Numbers of the layers that int8 makes faster, in which way, and the milliseconds that it saves, most first."""
    known: dict[tuple[object, ...], tuple[Treatment, float]] = {}
    found = []
    makers = {index: each for each in draft.model.subgraphs[0].operators for index in each.outputs}
    depthwise = merge_convolutions.mergeable(draft.model)
    for number, layer in enumerate(draft.layers):
        if layer.graph != 0 or layer.kind != recipes.CONVOLUTION:
            continue
        ways = {Treatment.DYNAMIC: [makers[layer.output]]}
        if layer.output in depthwise:
            ways[Treatment.MERGED] = [depthwise[layer.output], makers[layer.output]]
        geometry = tuple(_geometry(draft.model, each) for each in list(ways.values())[-1])
        if geometry not in known:
            saved = [(treatment, _saved(draft, run, treatment)) for treatment, run in ways.items()]
            known[geometry] = max(saved, key=lambda each: each[1])
        treatment, milliseconds = known[geometry]
        if milliseconds > 0:
            found.append((number, treatment, milliseconds))
    return sorted(found, key=lambda each: -each[2])


def _geometry(model: ModelT, operator: OperatorT) -> tuple[object, ...]:
    tensors = model.subgraphs[0].tensors
    shapes = [tuple(tensors[index].shape) for index in (*operator.inputs[:2], operator.outputs[0])]
    options = operator.builtinOptions
    return (*shapes, options.strideH, options.strideW, options.dilationHFactor, options.padding)


def _saved(draft: Draft, run: Sequence[OperatorT], treatment: Treatment) -> float:
    """Milliseconds; 0 where int8 is not clearly faster, or the operators do not run by themselves."""
    alone = segment(draft.model, copy.deepcopy(run), run[0].inputs[:1], run[-1].outputs)
    in_float = models.save(alone)
    found = recipes.layers(alone, 0)
    treatments = [Treatment.FLOAT] * (len(found) - 1) + [treatment]
    changed = Draft(draft.name, alone, found, None, ())
    try:
        model, choice, _ = changed.laid_out(Recipe(tuple(treatments)), None)
        in_int8 = models.save(quantized_weights(model, choice, draft.name))
        calls = Runner(in_float).invoke, Runner(in_int8).invoke
        outcome = benchmark.compare(*calls, seconds=SECONDS, clock=time.thread_time)
    except CannotRun:
        return 0.0
    return outcome.original_ms - outcome.quantized_ms if outcome.ratio <= 1 - LEAST_GAIN else 0.0

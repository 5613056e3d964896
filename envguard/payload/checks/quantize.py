"""The proof of a quantizing environment: a model is made, quantized for real, run for real, and compared.

Importing proves nothing: broken installs import well and fail when an interpreter is built.
"""

from __future__ import annotations

from importlib import metadata

import numpy as np

from ..contract import CheckFindings, Json, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..graph import facts
from ..graph import model as models
from ..graph.build import GraphBuilder
from ..graph.schema import BuiltinOperator, ModelT, generated
from ..int8 import quantizing
from ..measuring import numerics, synthetic
from ..measuring.interpreting import Runner
from ..protocol import Events

DISTRIBUTIONS = (
    "ai-edge-quantizer",
    "litert-quantizer",
    "ai-edge-litert",
    "ai-edge-litert-nightly",
    "flatbuffers",
    "ml-dtypes",
    "numpy",
    "scipy",
)
NO_OP = GateDeclaration(
    "check-no-op", "A small model gets int8 weights", "The quantizer left a small model's weights as they were."
)
WRONG_ANSWER = GateDeclaration(
    "check-wrong-answer",
    "Cosine similarity of a small quantized model",
    "A small quantized model answers wrongly (cosine {measured:.4f}).",
    default=0.999,
    at_least=True,
)
CHANNELS = 32


def run(request: Request, events: Events) -> StepFindings:
    """Quantize a small convolutional model; it must shrink to int8 weights and still answer the same."""
    original = models.save(small_model())
    outcome = quantizing.quantize(original, "check", quantizing.Order(len(original)))
    before, after = Runner(original), Runner(outcome.data)
    arrays = synthetic.batch(before.inputs, [(0.0, 1.0)], seed=0)
    answer = numerics.difference("output", before.answer(arrays), after.answer(arrays))
    int8_bytes = facts.weight_bytes(models.load(outcome.data, "check")).get("INT8", 0)
    least = WRONG_ANSWER.default or 0.0
    right = answer.finite and not answer.silent and answer.cosine >= least
    gates = (
        judge(NO_OP, passed=int8_bytes > 0 and len(outcome.data) < len(original)),
        judge(WRONG_ANSWER, answer.cosine, least, passed=right),
    )
    found: dict[str, Json] = {
        "versions": _versions(),
        "bytes_in": len(original),
        "bytes_out": len(outcome.data),
        "int8_bytes": int8_bytes,
        "cosine": answer.cosine,
    }
    return StepFindings(CheckFindings(found), gates)


def small_model() -> ModelT:
    """Two convolutions with weights stored as float16 behind DEQUANTIZE, as in MediaPipe's own models."""
    random = np.random.default_rng(0)
    build = GraphBuilder()
    image = build.tensor("image", (1, 16, 16, 3))
    hidden = build.tensor("hidden", (1, 16, 16, CHANNELS))
    output = build.tensor("output", (1, 16, 16, CHANNELS))
    for source, target, shape in ((image, hidden, (CHANNELS, 3, 3, 3)), (hidden, output, (CHANNELS, 3, 3, CHANNELS))):
        stored = build.constant(f"weights {target}", random.normal(0, 0.1, shape).astype(np.float16))
        weights = build.tensor(f"weights {target} dequantized", shape)
        build.operator(BuiltinOperator.DEQUANTIZE, [stored], [weights], generated.DequantizeOptionsT())
        bias = build.constant(f"bias {target}", np.zeros(CHANNELS, np.float32))
        options = generated.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = generated.ActivationFunctionType.RELU
        build.operator(BuiltinOperator.CONV_2D, [source, weights, bias], [target], options)
    return build.finish([image], [output])


def _versions() -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

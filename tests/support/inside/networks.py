"""A small network, and the same one quantized, for tests inside an environment: `payload_support.networks`."""

from __future__ import annotations

from typing import Any

import numpy as np
from envguard_payload.graph import model as models
from envguard_payload.graph.build import GraphBuilder
from envguard_payload.graph.schema import BuiltinOperator, generated
from envguard_payload.int8 import quantizing

CHANNELS = 48


def network(custom: bool = False, scale: float = 0.1) -> GraphBuilder:
    """A convolution with float32 weights, a PRELU, a fully connected layer; optionally an operator of MediaPipe's."""
    random = np.random.default_rng(0)
    build = GraphBuilder()
    image = build.tensor("image", (1, 8, 8, CHANNELS))
    hidden, rectified = (build.tensor(name, (1, 8, 8, CHANNELS)) for name in ("hidden", "rectified"))
    output = build.tensor("output", (1, 8, 8, CHANNELS))
    kernel = build.constant("kernel", random.normal(0, scale, (CHANNELS, 3, 3, CHANNELS)).astype(np.float32))
    bias = build.constant("bias", random.normal(0, 1, CHANNELS).astype(np.float32))
    slopes = build.constant("slopes", random.random((1, 1, CHANNELS)).astype(np.float32))
    options = generated.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    build.operator(BuiltinOperator.CONV_2D, [image, kernel, bias], [hidden], options)
    build.operator(BuiltinOperator.PRELU, [hidden, slopes], [rectified])
    build.operator(BuiltinOperator.CUSTOM if custom else BuiltinOperator.TANH, [rectified], [output])
    if custom:
        build.model.operatorCodes[-1].customCode = b"Convolution2DTransposeBias3D"
    build.finish([image], [output])
    return build


def quantized(model: Any) -> tuple[bytes, quantizing.Quantized]:
    data = models.save(model)
    return data, quantizing.quantize(data, "network", quantizing.Order(len(data)))

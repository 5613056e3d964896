"""Small graphs that together have what every pass looks for: `payload_support.mutable_graphs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from envguard_payload.graph.passes import store_sparse
from envguard_payload.graph.schema import BuiltinOperator, SubGraphT, TensorType, generated
from payload_support.road_graphs import CONV, DEPTHWISE, PICTURE, Before, Graph, Int8, Typed, integers, numbers

ROW = (1, 1, 8, 4)
TABLE = (64, 4)


def graphs() -> Iterator[Any]:
    """All of them; each call makes them anew."""
    yield from (_pictures(), _mixer(), _tables(), _half(), _sparse(), _integers(), _calls(BuiltinOperator.WHILE))
    yield from (_calls(BuiltinOperator.IF), _described(), _kernels())


def _pictures() -> Any:
    """Depthwise and 1×1 convolutions, RELU to fuse, PRELU to widen, a sum, padding and pooling between."""
    graph = Graph().then("DEPTHWISE_CONV_2D", [PICTURE, numbers(1, 3, 3, 4), numbers(4)], [PICTURE], **DEPTHWISE)
    graph.then("CONV_2D", [Before(), numbers(4, 1, 1, 4), numbers(4)], [PICTURE], **CONV)
    graph.then("RELU", [Before()], [PICTURE])
    graph.then("PAD", [Before(), integers(0, 0, 1, 1, 1, 1, 0, 0).reshape(4, 2)], [(1, 10, 10, 4)])
    graph.then("CONV_2D", [Before(), numbers(4, 3, 3, 4), numbers(4)], [PICTURE], padding=1, **CONV)
    graph.then("PRELU", [Before(), numbers(1, 1, 4)], [PICTURE])
    return graph.then("CONV_2D", [Before(), numbers(8, 8, 8, 4), numbers(8)], [(1, 1, 1, 8)], padding=1, **CONV).model()


def _mixer() -> Any:
    """A row of tokens: matrix products as convolutions, a mean, a transposition, and a slice of all that at the end."""
    graph = Graph().then("CONV_2D", [ROW, numbers(4, 1, 1, 4), numbers(4)], [ROW], **CONV)
    graph.then("MEAN", [Before(), integers(3)], [(1, 1, 8, 1)], kind="Reducer", keepDims=True)
    graph.then("MUL", [Before(), ROW], [ROW], kind="Mul")
    graph.then("TRANSPOSE", [Before(), integers(0, 1, 3, 2)], [(1, 1, 4, 8)], kind="Transpose")
    graph.then("FULLY_CONNECTED", [Before(), numbers(8, 8), numbers(8)], [(1, 1, 4, 8)], kind="FullyConnected")
    graph.then("SLICE", [Before(), integers(0, 0, 0, 0), integers(1, 1, 4, 4)], [(1, 1, 4, 4)], kind="Slice")
    starts = (integers(0, 0, 0, 0), integers(1, 1, 1, 4), integers(1, 1, 1, 1))
    return graph.then("STRIDED_SLICE", [Before(), *starts], [(1, 1, 1, 4)], kind="StridedSlice").model()


def _tables() -> Any:
    """Rows that are looked up in two ways, and a table that is multiplied with."""
    graph = Graph().then("GATHER", [numbers(*TABLE), Typed((3,), TensorType.INT32)], [(3, 4)], kind="Gather")
    graph.then("BATCH_MATMUL", [Before(), numbers(4, 64)], [(3, 64)], kind="BatchMatMul")
    return graph.then("EMBEDDING_LOOKUP", [Typed((3,), TensorType.INT32), numbers(*TABLE)], [(3, 4)]).model()


def _half() -> Any:
    """A float16 constant behind DEQUANTIZE, as converters store it."""
    graph = Graph().then("DEQUANTIZE", [numbers(8, 3, 3, 4).astype(np.float16)], [(8, 3, 3, 4)], kind="Dequantize")
    return graph.then("CONV_2D", [PICTURE, Before(), numbers(8)], [(1, 8, 8, 8)], **CONV).model()


def _sparse() -> Any:
    """A constant of which little is not zero, stored so."""
    weights = np.where(numbers(32, 32) > 1.2, numbers(32, 32), 0).astype(np.float16)
    graph = Graph().then("DEQUANTIZE", [weights], [(32, 32)], kind="Dequantize")
    model = graph.then("FULLY_CONNECTED", [(1, 32), Before(), None], [(1, 32)], kind="FullyConnected").model()
    assert store_sparse.apply(model).changed
    return model


def _integers() -> Any:
    """int8 weights with a scale per channel, and what goes in and out in int8."""
    graph = Graph().then("QUANTIZE", [PICTURE], [Typed(PICTURE, TensorType.INT8, 0.1)])
    graph.then(
        "CONV_2D", [Before(), Int8((6, 3, 3, 4), 0), integers(1, 2, 3, 4, 5, 6)],
        [Typed((1, 8, 8, 6), TensorType.INT8, 0.1)], **CONV,
    )  # fmt: skip
    return graph.then("DEQUANTIZE", [Before()], [(1, 8, 8, 6)], kind="Dequantize").model()


def _calls(code: int) -> Any:
    """An operator that runs two other subgraphs."""
    given: list[Any] = [(1, 4)] if code == BuiltinOperator.WHILE else [Typed((1,), TensorType.BOOL), (1, 4)]
    name, kind = ("WHILE", "While") if code == BuiltinOperator.WHILE else ("IF", "If")
    model = Graph().then(name, given, [(1, 4)], kind=kind).model()
    options = model.subgraphs[0].operators[0].builtinOptions
    for number, field in enumerate(each for each in sorted(vars(options)) if each.endswith("SubgraphIndex")):
        inner = Graph().then("TANH", [(1, 4)], [(1, 4)])
        graph: SubGraphT = inner.model().subgraphs[0]
        graph.operators[0].opcodeIndex = 1
        model.subgraphs.append(graph)
        setattr(options, field, number + 1)
        if not number:
            model.operatorCodes += inner.builder.model.operatorCodes
    return model


def _described() -> Any:
    """A custom operator with options of its own, a signature and metadata."""
    model = Graph().then("CUSTOM", [PICTURE], [PICTURE], custom=b"TransformLandmarks").model()
    model.subgraphs[0].operators[0].customOptions = np.arange(20, dtype=np.uint8)
    signature = generated.SignatureDefT()
    signature.signatureKey, signature.inputs, signature.outputs = b"serving_default", [], []
    for entries, index in ((signature.inputs, 0), (signature.outputs, 1)):
        entry = generated.TensorMapT()
        entry.name, entry.tensorIndex = b"x", index
        entries.append(entry)
    model.signatureDefs = [signature]
    described = generated.MetadataT()
    described.name, described.buffer = b"TFLITE_METADATA", 0
    model.metadata, model.metadataBuffer = [described], [0]
    return model


def _kernels() -> Any:
    """Convolutions that are transposed, and of three dimensions."""
    graph = Graph().then(
        "TRANSPOSE_CONV", [integers(1, 16, 16, 4), numbers(4, 2, 2, 4), PICTURE, numbers(4)], [(1, 16, 16, 4)],
        kind="TransposeConv", strideH=2, strideW=2,
    )  # fmt: skip
    kernel, picture = numbers(3, 3, 3, 4, 8), (1, 4, 8, 8, 4)
    options = {"strideD": 1, "strideH": 1, "strideW": 1, "dilationDFactor": 1, "dilationHFactor": 1}
    graph.then("CONV_3D", [picture, kernel], [(1, 4, 8, 8, 8)], kind="Conv3D", dilationWFactor=1, **options)
    return graph.model()

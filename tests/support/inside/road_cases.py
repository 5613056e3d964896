"""One small model for each rule of what delegates refuse, and its counterpart, which is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from envguard_payload.graph.schema import TensorType

from .road_graphs import CONV, DEPTHWISE, PICTURE, POOL, Before, Graph, Int8, Typed, integers, numbers, one

Case = tuple[str, Any, str]
"""A name, a model, and what MediaPipe 0.10.21's GPU delegate says to it: nothing where it takes it."""

SCALE = 0.02
BROADCASTING = "Doesn't support broadcasting"
ALPHA = "PRELU: Alpha shape does not match input shape."
UNSUPPORTED = "Operation is not supported."
MEAN = "Mean calculation is supported only for height and width."
SMALLER = "Downsampling is currently not supported by the resize op on GPU."
INCOMPATIBLE = "OP is supported, but tensor type/shape isn't compatible."
DYNAMIC = "only supports static-sized tensors with a graph that has dynamic-sized tensors"
WEIGHTS = (6, 3, 3, 4)
WIDE = (1, 8, 8, 6)
FULL = {"kind": "FullyConnected"}
MIRROR = {"kind": "MirrorPad"}
STRIDED = {"kind": "StridedSlice"}


def cases() -> Iterator[Case]:
    """All of them."""
    for group in (_constants, _slopes, _terms, _convolutions, _connected, _shapes, _pictures, _slices, _types, _others):
        yield from group()


def _stored(values: np.ndarray, layer: str) -> Any:
    """A layer that reads a constant through DEQUANTIZE."""
    graph = Graph().then("DEQUANTIZE", [values], [values.shape])
    if layer == "PRELU":
        return graph.then("PRELU", [PICTURE, Before()], [PICTURE]).model()
    return graph.then("CONV_2D", [PICTURE, Before(), numbers(6)], [WIDE], **CONV).model()


def _stored_int8(shape: tuple[int, ...], layer: str) -> Any:
    graph = Graph().then("DEQUANTIZE", [Int8(shape)], [shape])
    if layer == "PRELU":
        return graph.then("PRELU", [PICTURE, Before()], [PICTURE]).model()
    return graph.then("CONV_2D", [PICTURE, Before(), numbers(6)], [WIDE], **CONV).model()


def _constants() -> Iterator[Case]:
    yield "float16 weights behind DEQUANTIZE", _stored(numbers(*WEIGHTS).astype(np.float16), "CONV_2D"), ""
    yield "float16 slopes behind DEQUANTIZE", _stored(numbers(1, 1, 4).astype(np.float16), "PRELU"), ""
    yield "int8 weights behind DEQUANTIZE", _stored_int8(WEIGHTS, "CONV_2D"), UNSUPPORTED
    yield "int8 slopes behind DEQUANTIZE", _stored_int8((1, 1, 4), "PRELU"), UNSUPPORTED
    yield (
        "int8 weights read directly",
        one("CONV_2D", [PICTURE, Int8(WEIGHTS, 0), numbers(6)], [WIDE], **CONV, version=5),
        "",
    )
    yield (
        "int8 weights with one scale",
        one("CONV_2D", [PICTURE, Int8(WEIGHTS), numbers(6)], [WIDE], **CONV, version=5),
        "",
    )
    depthwise = [PICTURE, Int8((1, 3, 3, 4), 3), numbers(4)]
    yield (
        "int8 depthwise weights read directly",
        one("DEPTHWISE_CONV_2D", depthwise, [PICTURE], **DEPTHWISE, version=6),
        "",
    )
    yield "a constant alone", one("RELU", [numbers(*PICTURE)], [PICTURE]), "value is a constant tensor"
    yield "quantizing", one("QUANTIZE", [PICTURE], [Typed(PICTURE, TensorType.INT8, SCALE)]), UNSUPPORTED
    yield "dequantizing", one("DEQUANTIZE", [Typed(PICTURE, TensorType.INT8, SCALE)], [PICTURE]), UNSUPPORTED


def _slopes() -> Iterator[Case]:
    for shape, words in (
        ((4,), ""),
        ((1, 1, 4), ""),
        ((8, 8, 4), ""),
        ((1, 8, 8, 4), ""),
        ((1, 8, 4), ALPHA),
        ((8, 1, 4), ALPHA),
        ((8, 8, 1), ALPHA),
        ((1,), "PRELU: Linear alpha shape does not match the number of input channels."),
    ):
        yield f"slopes {shape}", one("PRELU", [PICTURE, numbers(*shape)], [PICTURE]), words
    flat = "PRELU: Expected a 3D tensor of shape HxWxC or a 4D tensor of shape 1xHxWxC but got 8x4"
    yield "slopes of two axes", one("PRELU", [(1, 8, 4), numbers(8, 4)], [(1, 8, 4)]), flat
    batch = (2, 8, 8, 4)
    yield "slopes of a batch", one("PRELU", [batch, numbers(*batch)], [batch]), "PRELU: Batch size is not equal to 1."
    yield "computed slopes", one("PRELU", [PICTURE, (1, 1, 4)], [PICTURE]), "ended"
    grouped = (1, 8, 1, 32)
    graph = Graph().then("RESHAPE", [PICTURE, integers(-1, *grouped[1:])], [grouped], kind="Reshape")
    graph = graph.then("PRELU", [Before(), numbers(1, 1, 32)], [grouped])
    graph = graph.then("RESHAPE", [Before(), integers(-1, *PICTURE[1:])], [PICTURE], kind="Reshape")
    yield "pixels grouped for slopes", graph.model(), ""


def _terms() -> Iterator[Case]:
    cast, scalar = "bad any_cast", "Couldn't read scalar of const vector data from the attributes."
    for name, kind, first, second, words in (
        ("ADD", "Add", PICTURE, (1, 1, 1, 4), ""),
        ("ADD", "Add", PICTURE, (1, 8, 8, 1), "Shapes are not equal"),
        ("ADD", "Add", PICTURE, (1, 4), ""),
        ("ADD", "Add", (1, 8, 4), (1, 4), BROADCASTING),
        ("ADD", "Add", PICTURE, (4,), "Batch size mismatch, expected 1 but got 4"),
        ("MUL", "Mul", PICTURE, (1, 8, 8, 1), ""),
        (
            "MUL",
            "Mul",
            (1, 8, 1, 4),
            (1, 1, 8, 4),
            "MUL requires one tensor that not less than second in all dimensions.",
        ),
        ("MUL", "Mul", (1, 8, 8, 1), PICTURE, "Second runtime tensor dimension 3 must either match"),
        ("MUL", "Mul", (1, 4), (1, 8, 4), BROADCASTING),
        ("SUB", "Sub", PICTURE, (1, 1, 1, 4), ""),
        ("SUB", "Sub", (1, 1, 1, 4), PICTURE, cast),
        ("MAXIMUM", "MaximumMinimum", PICTURE, (1, 8, 1, 4), cast),
    ):
        shape = tuple(np.broadcast_shapes(first, second))
        yield f"{name} of {first} and {second}", one(name, [first, second], [shape], kind=kind), words
    for shape, words in (((1,), ""), ((4,), ""), ((1, 1, 4), ""), ((8, 8, 4), scalar), ((1, 8, 1, 4), scalar)):
        yield f"SUB of a constant {shape}", one("SUB", [PICTURE, numbers(*shape)], [PICTURE], kind="Sub"), words
        yield f"ADD of a constant {shape}", one("ADD", [PICTURE, numbers(*shape)], [PICTURE], kind="Add"), ""
    batch = (2, 8, 8, 4)
    constant = one("ADD", [batch, numbers(*batch)], [batch], kind="Add")
    yield "ADD of a constant for a batch", constant, "ADD: Batch size is not equal to 1."
    yield "MUL of a constant of two axes", one("MUL", [(8, 4), numbers(8, 4)], [(8, 4)], kind="Mul"), ""
    yield "three terms", one("ADD_N", [PICTURE] * 3, [PICTURE], kind="AddN"), "ADD_N only supports 2 inputs."
    yield "two terms", one("ADD_N", [PICTURE] * 2, [PICTURE], kind="AddN"), ""
    graph = Graph().then("RELU", [PICTURE], [PICTURE]).then("SUB", [Before(), Before()], [PICTURE], kind="Sub")
    yield "a difference with itself", graph.model(), "No support of few identical inputs in the same operation."
    graph = Graph().then("RELU", [PICTURE], [PICTURE]).then("ADD", [Before(), Before()], [PICTURE], kind="Add")
    yield "a sum with itself", graph.model(), ""


def _convolutions() -> Iterator[Case]:
    given = [PICTURE, numbers(*WEIGHTS), numbers(6)]
    yield "a convolution", one("CONV_2D", given, [WIDE], **CONV), ""
    yield "a convolution of version 6", one("CONV_2D", given, [WIDE], **CONV, version=6), ""
    newer = "Max version supported: 6. Requested version 7."
    yield "a convolution of version 7", one("CONV_2D", given, [WIDE], **CONV, version=7), newer
    yield "a fused sigmoid", one("CONV_2D", given, [WIDE], **CONV, fusedActivationFunction=4), ""
    sign = "TfLiteFusedActivation.kTfLiteActSignBit"
    yield "a fused sign", one("CONV_2D", given, [WIDE], **CONV, fusedActivationFunction=5), sign
    groups = [PICTURE, numbers(6, 3, 3, 2), numbers(6)]
    yield "groups of channels", one("CONV_2D", groups, [WIDE], **CONV), "No shader implementation for split"
    computed = [PICTURE, (1, 3, 3, 4), numbers(1)]
    several = "Convolution does not support more than 1 runtime tensor"
    yield "computed weights", one("CONV_2D", computed, [(1, 8, 8, 1)], **CONV), several
    yield "a computed bias", one("CONV_2D", [PICTURE, numbers(1, 3, 3, 4), (1,)], [(1, 8, 8, 1)], **CONV), "ended"
    depthwise = [PICTURE, numbers(1, 3, 3, 4), numbers(4)]
    yield "a depthwise convolution", one("DEPTHWISE_CONV_2D", depthwise, [PICTURE], **DEPTHWISE), ""
    double = {**DEPTHWISE, "depthMultiplier": 2}
    multiplied = [PICTURE, numbers(1, 3, 3, 8), numbers(8)]
    words = "depth_multiplier != 1 && input.c != 1"
    yield "a multiplied depth", one("DEPTHWISE_CONV_2D", multiplied, [(1, 8, 8, 8)], **double), words
    single = [(1, 8, 8, 1), numbers(1, 3, 3, 2), numbers(2)]
    yield "a multiplied depth of one", one("DEPTHWISE_CONV_2D", single, [(1, 8, 8, 2)], **double), ""
    several = "DepthWise Convolution does not support more than 1 runtime tensor"
    computed = [PICTURE, (1, 3, 3, 4), numbers(4)]
    yield "computed depthwise weights", one("DEPTHWISE_CONV_2D", computed, [PICTURE], **DEPTHWISE), several
    computed = [PICTURE, numbers(1, 3, 3, 4), (4,)]
    bias = "ReadNonConstantTensor: value is a constant tensor"
    yield "a computed depthwise bias", one("DEPTHWISE_CONV_2D", computed, [PICTURE], **DEPTHWISE), bias


def _connected() -> Iterator[Case]:
    row, weights, bias = (1, 16), numbers(5, 16), numbers(5)
    yield "fully connected", one("FULLY_CONNECTED", [row, weights, bias], [(1, 5)], **FULL), ""
    yield "fully connected, 96 rows", one("FULLY_CONNECTED", [(96, 16), weights, bias], [(96, 5)], **FULL), ""
    yield "fully connected without bias", one("FULLY_CONNECTED", [row, weights, None], [(1, 5)], **FULL), ""
    int8 = [row, Int8((5, 16), 0), bias]
    yield "fully connected in int8", one("FULLY_CONNECTED", int8, [(1, 5)], **FULL, version=9), ""
    newer = "Max version supported: 9. Requested version 10."
    yield (
        "fully connected, version 10",
        one("FULLY_CONNECTED", [row, weights, bias], [(1, 5)], **FULL, version=10),
        newer,
    )
    kept = [PICTURE, numbers(5, 4), bias]
    yield "axes kept", one("FULLY_CONNECTED", kept, [(1, 8, 8, 5)], **FULL, keepNumDims=True), ""
    width = "FULLY_CONNECTED: Amount of input channels should match weights width"
    yield "axes flattened", one("FULLY_CONNECTED", [(1, 2, 2, 4), weights, bias], [(1, 5)], **FULL), width
    constant = "FullyConnected doesn't support constant input."
    yield "a constant row", one("FULLY_CONNECTED", [numbers(1, 16), (1, 16), numbers(1)], [(1, 1)], **FULL), constant
    several = "Convolution does not support more than 1 runtime tensor"
    yield "a computed matrix", one("FULLY_CONNECTED", [row, (1, 16), numbers(1)], [(1, 1)], **FULL), several


def _shapes() -> Iterator[Case]:
    def reshaped(*shape: int) -> Any:
        return one("RESHAPE", [PICTURE, integers(*shape)], [shape], kind="Reshape", newShape=list(shape))

    yield "a row of all", reshaped(1, 256), ""
    yield "three axes", reshaped(1, 64, 4), ""
    yield "another batch", reshaped(2, 128), "Batch size mismatch, expected 1 but got 2"
    yield "one axis", reshaped(256), "Batch size mismatch, expected 1 but got 256"
    yield "five axes", reshaped(1, 2, 4, 8, 4), INCOMPATIBLE
    shape = Typed((2,), TensorType.INT32)
    yield "a computed shape", one("RESHAPE", [PICTURE, shape], [(1, 256)], kind="Reshape"), DYNAMIC
    yield "squeezed", one("SQUEEZE", [(1, 1, 1, 4)], [(1, 4)], kind="Squeeze", squeezeDims=[1, 2]), UNSUPPORTED
    turned = one("TRANSPOSE", [PICTURE, integers(0, 2, 1, 3)], [PICTURE], kind="Transpose")
    yield "transposed", turned, "No shader implementation for transpose"
    join = {"kind": "Concatenation", "axis": 3}
    twice = (1, 8, 8, 8)
    yield "joined", one("CONCATENATION", [PICTURE, PICTURE], [twice], **join), ""
    constant = "No shader implementation for const"
    yield "joined with a constant", one("CONCATENATION", [PICTURE, numbers(*PICTURE)], [twice], **join), constant
    alone = "This case is not supported by aligned concat"
    yield "joined with nothing", one("CONCATENATION", [PICTURE], [PICTURE], **join), alone
    stacked = one("CONCATENATION", [PICTURE, PICTURE], [(2, 8, 8, 4)], kind="Concatenation", axis=0)
    yield "joined as a batch", stacked, "Batch size mismatch, expected 1 but got 2"
    split = one("SPLIT", [integers(3).reshape(()), PICTURE], [(1, 8, 8, 2)] * 2, kind="Split", numSplits=2)
    yield "split", split, "No shader implementation for split"
    for axes, words in (((1, 2), ""), ((2, 1), ""), ((-3, -2), ""), ((1,), MEAN), ((3,), MEAN), ((1, 2, 3), MEAN)):
        out = tuple(1 if axis in axes or axis - 4 in axes else size for axis, size in enumerate(PICTURE))
        yield f"mean of {axes}", one("MEAN", [PICTURE, integers(*axes)], [out], kind="Reducer", keepDims=True), words
    total = one("SUM", [PICTURE, integers(1, 2)], [(1, 1, 1, 4)], kind="Reducer", keepDims=True)
    yield "a sum of a picture", total, "No shader implementation for reduce_sum"


def _pictures() -> Iterator[Case]:
    def padded(name: str, shape: tuple[int, ...], *pairs: int, **options: Any) -> Any:
        given = np.array(pairs, np.int32).reshape(-1, 2)
        return one(
            name, [shape, given], [tuple(size + sum(pair) for size, pair in zip(shape, given, strict=True))], **options
        )

    yield "padded", padded("PAD", PICTURE, 0, 0, 1, 1, 1, 1, 0, 0, kind="Pad"), ""
    yield "padded channels", padded("PAD", PICTURE, 0, 0, 0, 0, 0, 0, 1, 2, kind="Pad"), ""
    three = "Padding for BATCH is not supported."
    yield "padded, three axes", padded("PAD", (1, 8, 4), 0, 0, 1, 1, 0, 0, kind="Pad"), three
    two = "Invalid paddings tensor shape: expected 4x2 or 3x2, got 2x2"
    yield "padded, two axes", padded("PAD", (1, 4), 0, 0, 1, 1, kind="Pad"), two
    yield "mirrored", padded("MIRROR_PAD", PICTURE, 0, 0, 1, 1, 1, 1, 0, 0, **MIRROR, mode=0), ""
    symmetric = "Only Reflective padding is supported for Mirror Pad operation. But node has 2"
    yield "mirrored with edges", padded("MIRROR_PAD", PICTURE, 0, 0, 1, 1, 1, 1, 0, 0, **MIRROR, mode=1), symmetric
    for name, kind in (("RESIZE_BILINEAR", "ResizeBilinear"), ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor")):
        yield f"{name} up", one(name, [PICTURE, integers(16, 16)], [(1, 16, 16, 4)], kind=kind), ""
        yield f"{name} down", one(name, [PICTURE, integers(4, 4)], [(1, 4, 4, 4)], kind=kind), SMALLER
        yield f"{name} both", one(name, [PICTURE, integers(16, 4)], [(1, 16, 4, 4)], kind=kind), SMALLER
    yield "pooled", one("MAX_POOL_2D", [PICTURE], [(1, 4, 4, 4)], **POOL), ""
    yield "blocks", one("DEPTH_TO_SPACE", [PICTURE], [(1, 16, 16, 1)], kind="DepthToSpace", blockSize=2), ""
    nothing = "block_size = 1 is a no-op."
    yield "blocks of one", one("DEPTH_TO_SPACE", [PICTURE], [PICTURE], kind="DepthToSpace", blockSize=1), nothing


def _slices() -> Iterator[Case]:
    yield "a slice", one("SLICE", [PICTURE, integers(0, 1, 1, 0), integers(1, 4, 4, 4)], [(1, 4, 4, 4)]), ""
    given = [(2, 8, 8, 4), integers(1, 0, 0, 0), integers(1, 8, 8, 4)]
    yield "half of a batch", one("SLICE", given, [PICTURE]), "Batch size mismatch, expected 2 but got 1"
    rank = "SLICE supports for 3 or 4 dimensional tensors only, but node has 2 dimensional tensors."
    yield "a slice of a row", one("SLICE", [(1, 8), integers(0, 1), integers(1, 4)], [(1, 4)]), rank
    given = [PICTURE, integers(0, 0, 0, 0), integers(1, 8, 8, 4), integers(1, 2, 2, 1)]
    yield "steps", one("STRIDED_SLICE", given, [(1, 4, 4, 4)], **STRIDED), ""
    given = [PICTURE, integers(0, 7, 0, 0), integers(1, -9, 8, 4), integers(1, -1, 1, 1)]
    yield "steps back", one("STRIDED_SLICE", given, [PICTURE], **STRIDED), "Reverse slices are not supported."
    given = [PICTURE, integers(0, 1), integers(1, 5), integers(1, 1)]
    few = "Slicing is supported for 3 or 4 dimensional tensors only."
    yield "steps of two axes", one("STRIDED_SLICE", given, [(1, 4, 8, 4)], **STRIDED), few
    given = [(1, 8), integers(0, 1), integers(1, 5), integers(1, 1)]
    rank = "STRIDED_SLICE supports for 3 or 4 dimensional tensors only."
    yield "steps of a row", one("STRIDED_SLICE", given, [(1, 4)], **STRIDED), rank
    given = [PICTURE, integers(0, 0, 0, 1), integers(1, 8, 8, 2), integers(1, 1, 1, 1)]
    shrink = "Slice does not support shrink_axis_mask parameter."
    yield "an axis taken off", one("STRIDED_SLICE", given, [(1, 8, 8)], **STRIDED, shrinkAxisMask=8), shrink
    given = [(1, 8, 4), integers(0, 0, 0, 0), integers(1, 1, 8, 4), integers(1, 1, 1, 1)]
    more = "Slice does not support new_axis_mask."
    yield "an axis more", one("STRIDED_SLICE", given, [(1, 1, 8, 4)], **STRIDED, newAxisMask=2), more
    given = [PICTURE, integers(0, 0), integers(0, 2), integers(1, 1)]
    dots = "Slice does not support ellipsis_mask."
    yield "an ellipsis", one("STRIDED_SLICE", given, [(1, 8, 8, 2)], **STRIDED, ellipsisMask=1), dots


def _types() -> Iterator[Case]:
    half = Typed(PICTURE, TensorType.FLOAT16)
    yield "float16 inputs", one("RELU", [half], [half]), "Input tensor is not found in the graph."
    whole = Typed(PICTURE, TensorType.INT32)
    yield (
        "integers from floats",
        one("CAST", [PICTURE], [whole], kind="Cast"),
        "Output tensor is not found in the graph.",
    )
    cast = "Not supported Cast case. Input type: FLOAT32 and output type: FLOAT16"
    yield "float16 from floats", one("CAST", [PICTURE], [half], kind="Cast"), cast
    there = Graph().then("CAST", [PICTURE], [whole], kind="Cast").then("CAST", [Before()], [PICTURE], kind="Cast")
    yield "integers and back", there.model(), "No shader implementation for cast"
    truth = Typed(PICTURE, TensorType.BOOL)
    back = Graph().then("CAST", [PICTURE], [truth], kind="Cast").then("CAST", [Before()], [PICTURE], kind="Cast")
    yield "truth and back", back.model(), "Cast from bool not supported for outputs"
    yield "a comparison", one("GREATER", [PICTURE, PICTURE], [truth]), "Not supported logical op case"


def _others() -> Iterator[Case]:
    row = (1, 10)
    yield "a softmax", one("SOFTMAX", [row], [row], kind="Softmax", beta=1.0), ""
    yield (
        "a steep softmax",
        one("SOFTMAX", [row], [row], kind="Softmax", beta=2.0),
        "Softmax.beta != 1 is not supported.",
    )
    yield "an unknown operator", one("ROUND", [PICTURE], [PICTURE]), UNSUPPORTED
    yield "a known one", one("FLOOR", [PICTURE], [PICTURE]), ""
    custom = one("CUSTOM", [PICTURE], [PICTURE], custom=b"NoSuchThing")
    yield "a custom operator", custom, "Encountered unresolved custom op: NoSuchThing."
    partly = Graph().then("RELU", [PICTURE], [PICTURE]).then("ROUND", [Before()], [PICTURE])
    yield "the last one unknown", partly.then("RELU", [Before()], [PICTURE]).model(), UNSUPPORTED
    indices = [PICTURE, integers(0, 2)]
    gathered = one("GATHER", indices, [(1, 8, 8, 2)], kind="Gather", axis=3)
    yield "gathered", gathered, "No shader implementation for gather"
    for size, words in ((1, "`nan' redeclared"), (3, "")):
        given = [PICTURE, numbers(6, size, size, 4), numbers(6)]
        root = Graph().then("CONV_2D", given, [WIDE], **CONV).then("SQRT", [Before()], [WIDE])
        yield f"a root after a convolution of {size}", root.model(), words
    flat = {"kind": "Reducer", "keepDims": True}
    for name, shader in (("MAX", "maximum"), ("MIN", "minimum"), ("PROD", "product")):
        reduced = one(f"REDUCE_{name}", [PICTURE, integers(1, 2)], [(1, 1, 1, 4)], **flat)
        yield f"a {shader} of a picture", reduced, f"No shader implementation for reduce_{shader}"
    for name in ("SELECT", "SELECT_V2"):
        chosen = one(name, [Typed(PICTURE, TensorType.BOOL), PICTURE, PICTURE], [PICTURE])
        yield f"{name} by inputs", chosen, "Input tensor is not found in the graph."
    yield "signs", one("SIGN", [PICTURE], [PICTURE]), "No shader implementation for sign"
    summed = one("CUMSUM", [PICTURE, integers(3).reshape(())], [PICTURE], kind="Cumsum")
    yield "running sums", summed, "No shader implementation for cumsum"
    product = one("BATCH_MATMUL", [(1, 4, 8, 4), (1, 4, 4, 8)], [(1, 4, 8, 8)], kind="BatchMatMul")
    yield "a product of matrices", product, "No shader implementation for batched_matmul"

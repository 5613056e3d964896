"""What a delegate refuses of a whole graph: sizes that are open, types, ranks, and more than one batch size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..graph.schema import ModelT, TensorType
from . import rules
from .operators import BYTES, FLOATS, MOST_AXES, Operand, Operator, ports

UNSUPPORTED = "Operation is not supported."
INCOMPATIBLE = "OP is supported, but tensor type/shape isn't compatible."
DYNAMIC = (
    "Attempting to use a delegate that only supports static-sized tensors with a graph that has dynamic-sized tensors"
)
UNRESOLVED = "Encountered unresolved custom op: {name}."
LOST_PORT = "{side} tensor is not found in the graph."
BATCHES = "Batch size mismatch, expected {first} but got {other}"
_UNCONVERTED = 4
REDECLARED = "Shader compilation failed: `nan' redeclared"
BATCHED_PORT = "FromTensorConverter: Batch size != 1 is not supported."

OPENED_BY = {
    "RESHAPE": (1,), "RESIZE_BILINEAR": (1,), "RESIZE_NEAREST_NEIGHBOR": (1,), "PAD": (1,), "PADV2": (1,),
    "MIRROR_PAD": (1,), "MEAN": (1,), "SUM": (1,), "REDUCE_MAX": (1,), "REDUCE_MIN": (1,), "REDUCE_PROD": (1,),
    "STRIDED_SLICE": (1, 2, 3), "TILE": (1,), "TRANSPOSE": (1,), "TRANSPOSE_CONV": (0,), "FILL": (0,),
    "RANGE": (0, 1, 2), "BROADCAST_TO": (1,), "EXPAND_DIMS": (1,), "TOPK_V2": (1,), "SPLIT_V": (1,),
}  # fmt: skip
"""Inputs that say how large an output is: computed ones leave its size open until the model is called."""

ALWAYS_OPEN = frozenset({"WHERE", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "UNIQUE", "IF", "WHILE"})

LITE_CUSTOM = frozenset({"AudioSpectrogram", "Mfcc", "NumericVerify", "TFLite_Detection_PostProcess"})
"""Custom operators that every interpreter of TensorFlow Lite and LiteRT has (lite/kernels/register.cc)."""

MEDIAPIPE_CUSTOM = {
    "Convolution2DTransposeBias": 1, "FusedBatchNormV3": 1, "KmeansEmbeddingLookup": 1, "Landmarks2TransformMatrix": 2,
    "MaxPoolingWithArgmax2D": 1, "MaxUnpooling2D": 1, "NGramHash": 1, "RaggedTensorToTensor": 1,
    "TFSentencepieceTokenizeOp": 1, "TransformLandmarks": 2, "TransformTensorBilinear": 2,
}  # fmt: skip
"""Those, with their version, that MediaPipe's tasks bring for the CPU (mediapipe_builtin_op_resolver.cc)."""


def is_resolved(operator: Operator) -> bool:
    """Whether MediaPipe's interpreter has an operator for the CPU."""
    return operator.name in LITE_CUSTOM or MEDIAPIPE_CUSTOM.get(operator.name) == operator.version


def is_open(operator: Operator) -> bool:
    """Whether the size of its output is known only when the model is called."""
    if operator.name in ALWAYS_OPEN:
        return True
    sizes = (operator.input(index) for index in OPENED_BY.get(operator.name, ()))
    return any(size is not None and not size.constant for size in sizes)


def is_incompatible(operator: Operator, quantized: bool) -> bool:
    """Whether a tensor that it computes with is of a type or rank that the delegate does not take."""
    allowed = {*FLOATS, *(BYTES if quantized else ())}
    if operator.name in ("CAST", "SELECT", "SELECT_V2", "LOGICAL_AND"):
        allowed |= {TensorType.BOOL, TensorType.INT32}
    return any(
        each.tensor.type not in allowed or not 0 < len(each.shape) <= MOST_AXES
        for each in (*operator.runtime, *operator.outputs)
    )


def lost_ports(model: ModelT, taken: Sequence[int]) -> list[str]:
    """What is said of inputs and outputs of other types than those that are taken."""
    return [LOST_PORT.format(side=side) for side, port in ports(model) if port.tensor.type not in taken]


def batched_ports(model: ModelT) -> list[str]:
    """What the advanced interface says of inputs and outputs of a batch; it converts none of four channels."""
    sizes = (port.bhwc for _, port in ports(model))
    return [BATCHED_PORT for size in sizes if size is not None and size[0] != 1 and size[3] != _UNCONVERTED]


def batch_mismatches(model: ModelT, operators: Sequence[Operator]) -> Iterator[tuple[str, str]]:
    """Operators that compute with another batch size than the graph's first tensor, and what is said of that."""
    known = [port for _, port in ports(model) if not port.constant]
    sizes = [port.bhwc[0] for port in known if port.bhwc is not None]
    if not sizes:
        return
    first = sizes[0]
    told = False
    for operator in operators:
        other = next(_batches(operator.outputs, first), None) or next(_batches(operator.runtime, first), None)
        if other is not None:
            told = True
            yield operator.name, BATCHES.format(first=first, other=other)
    other = next((size for size in sizes if size != first), None)
    if other is not None and not told:
        yield "input", BATCHES.format(first=first, other=other)


def redeclared(operators: Sequence[Operator]) -> Iterator[tuple[str, str]]:
    """Roots and logarithms that are written into the shader of a convolution of one pixel, once for each of its four.

    Sums and products with constants between them become part of the convolution's weights.
    """
    makers = {id(made.tensor): operator for operator in operators for made in operator.outputs}
    readers = {id(read.tensor): operator for operator in operators for read in operator.runtime}
    for operator in operators:
        if operator.name not in ("LOG", "RSQRT", "SQRT") or _goes_on(readers.get(id(operator.outputs[0].tensor))):
            continue
        source = makers.get(id(operator.runtime[0].tensor)) if operator.runtime else None
        while source is not None and source.name in ("ADD", "MUL") and source.fixed and source.runtime:
            source = makers.get(id(source.runtime[0].tensor))
        if source is not None and _is_of_one_pixel(source):
            yield operator.name, REDECLARED


def _goes_on(reader: Operator | None) -> bool:
    return reader is not None and reader.name in rules.ONE_ARGUMENT + rules.TWO_ARGUMENTS


def _is_of_one_pixel(operator: Operator) -> bool:
    """Whether it is a convolution of single pixels over a picture, without an activation of its own."""
    weights, read = operator.input(1), operator.runtime[0].bhwc if operator.runtime else None
    if operator.name not in ("CONV_2D", "FULLY_CONNECTED") or weights is None or read is None:
        return False
    single = weights.shape[1:3] == (1, 1) if operator.name == "CONV_2D" else True
    return single and read[1:3] != (1, 1) and not operator.option("fusedActivationFunction")


def _batches(operands: Iterable[Operand], first: int) -> Iterator[int]:
    for operand in operands:
        if operand.bhwc is not None and not operand.constant and operand.bhwc[0] != first:
            yield operand.bhwc[0]

"""What delegates refuse, as a table: on which roads, of which operators, when, in whose words, and how that is known.

The words are those of the runtime. A source is a file of TensorFlow Lite's GPU delegate that says so; every rule was
also tried for real, with MediaPipe 0.10.21 on `gpu` and MediaPipe Tasks for Web 1.1.0 on `web-gpu`: tests do it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import GPU, WEB_GPU
from . import conditions as when
from .conditions import Condition
from .operators import Operator

CHECK = "lite/tools/versioning/gpu_compatibility.cc"
PARSER = "lite/delegates/gpu/common/model_builder.cc"
SHADERS = "lite/delegates/gpu/gl/kernels"
MEASURED = "MediaPipe 0.10.21 on OpenGL ES"
MEASURED_WEB = "MediaPipe Tasks for Web 1.1.0 on WebGL"
BOTH = (GPU, WEB_GPU)


@dataclass(frozen=True)
class Rule:
    """Operators that `roads` refuse where the condition holds, with what the runtime says then and where that is from.

    `words` may name what the condition found, and `{name}`, the operator's.
    """

    operators: tuple[str, ...]
    refuses: Condition
    words: str
    source: str
    roads: tuple[str, ...] = BOTH

    def refusal(self, operator: Operator) -> str | None:
        """What the runtime says to the operator; None if this rule does not refuse it."""
        found = self.refuses(operator)
        return None if found is None else self.words.format(name=operator.name, **found)


ONE_ARGUMENT = (
    "ABS", "COS", "ELU", "EXP", "FLOOR", "GELU", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC", "NEG", "RELU", "RELU6",
    "RELU_N1_TO_1", "RSQRT", "SIGN", "SIN", "SQRT", "SQUARE", "TANH",
)  # fmt: skip
TWO_ARGUMENTS = (
    "DIV", "FLOOR_DIV", "FLOOR_MOD", "MAXIMUM", "MINIMUM", "POW", "SQUARED_DIFFERENCE", "SUB",
)  # fmt: skip
COMPARISONS = ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL")
REDUCTIONS = {"REDUCE_MAX": "maximum", "REDUCE_MIN": "minimum", "REDUCE_PROD": "product", "SUM": "sum"}

KNOWN = frozenset(
    {
        *ONE_ARGUMENT, *TWO_ARGUMENTS, *COMPARISONS, *REDUCTIONS, "ADD", "ADD_N", "AVERAGE_POOL_2D", "BATCH_MATMUL",
        "CAST", "CONCATENATION", "CONV_2D", "CUMSUM", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "FULLY_CONNECTED",
        "GATHER", "LOGICAL_AND", "LSTM", "MAX_POOL_2D", "MEAN", "MIRROR_PAD", "MUL", "ONE_HOT", "PACK", "PAD", "PADV2",
        "PRELU", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SELECT", "SELECT_V2", "SLICE", "SOFTMAX",
        "SPACE_TO_DEPTH", "SPLIT", "SPLIT_V", "STRIDED_SLICE", "TILE", "TRANSPOSE", "TRANSPOSE_CONV", "UNPACK",
    }
)  # fmt: skip
"""The operators that the delegate has a parser for; it says of any other that the operation is not supported."""

QUANTIZING = frozenset({"DENSIFY", "DEQUANTIZE", "QUANTIZE"})
"""Those that it has one for where it is asked to take what is quantized."""

UNKNOWN_TO_RULES = frozenset({"LSTM", "ONE_HOT", "SELECT", "SELECT_V2", "LOGICAL_AND"})
"""Of those, the ones whose fate no rule tells."""

NEWEST = {
    **dict.fromkeys((*ONE_ARGUMENT, *TWO_ARGUMENTS), 2), "ADD": 2, "AVERAGE_POOL_2D": 2, "CONCATENATION": 2,
    "CONV_2D": 6, "DEPTHWISE_CONV_2D": 6, "FULLY_CONNECTED": 9, "MAX_POOL_2D": 2, "MIRROR_PAD": 2, "MUL": 3, "PAD": 2,
    "PADV2": 2, "PRELU": 1, "RESHAPE": 1, "RESIZE_BILINEAR": 3, "RESIZE_NEAREST_NEIGHBOR": 3, "SLICE": 2, "SOFTMAX": 2,
    "STRIDED_SLICE": 4, "TRANSPOSE_CONV": 3,
}  # fmt: skip
"""The newest version of an operator that the delegate takes, where an interpreter of MediaPipe's has a newer one."""

WITHOUT_SHADER = {
    **{name: f"reduce_{what}" for name, what in REDUCTIONS.items()},
    **dict.fromkeys(("SPLIT", "SPLIT_V", "UNPACK"), "split"),
    "BATCH_MATMUL": "batched_matmul", "CAST": "cast", "CUMSUM": "cumsum", "GATHER": "gather", "SIGN": "sign",
    "TRANSPOSE": "transpose",
}  # fmt: skip
"""Operators that are parsed, but that there is no OpenGL shader for; the word is the delegate's own for them."""


ABSENT_IN_BROWSERS = {
    "BATCH_MATMUL": "batched_matmul", "CAST": "cast", "CUMSUM": "cumsum", "GATHER": "gather", "SELECT": "select",
    "SELECT_V2": "select_v2", "SIGN": "sign",
}  # fmt: skip
"""Operators that are parsed, but that MediaPipe's WebGL has no code for."""


def _without_shaders() -> list[Rule]:
    always = when.when(lambda _: True)
    opengl = [
        Rule((name,), always, f"No shader implementation for {shader}", f"{SHADERS}/registry.cc", (GPU,))
        for name, shader in sorted(WITHOUT_SHADER.items())
    ]
    webgl = [
        Rule((name,), always, f"No support of {shader}", MEASURED_WEB, (WEB_GPU,))
        for name, shader in sorted(ABSENT_IN_BROWSERS.items())
    ]
    return opengl + webgl


_ACTIVATED = ("AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "DIV", "MAX_POOL_2D", "MUL", "SUB")
_RESIZES = ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")
_PADS = ("MIRROR_PAD", "PAD", "PADV2")

CHECKED: Sequence[Rule] = (
    Rule(
        tuple(sorted(NEWEST)), when.newer_than(NEWEST),
        "Max version supported: {most}. Requested version {version}.", PARSER,
    ),
    Rule(("ADD_N",), when.when(when.other_than_two), "ADD_N only supports 2 inputs.", CHECK),
    Rule(
        ("ADD", "MUL"), when.not_broadcast,
        "Doesn't support broadcasting - input0: {first}, input1: {second}", CHECK,
    ),
    Rule(
        ("MUL",), when.when(when.crosswise), "MUL requires one tensor that not less than second in all dimensions.",
        CHECK, (GPU,),
    ),
    Rule(_ACTIVATED, when.when(when.fused_sign_bit), "TfLiteFusedActivation.kTfLiteActSignBit", CHECK),
    Rule(
        ("DEPTHWISE_CONV_2D",), when.when(when.multiplied_depth),
        "depth_multiplier != 1 && input.c != 1", CHECK, (GPU,),
    ),
    Rule(("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"), when.when(when.block), "{name} block_size = 1 is a no-op.", CHECK),
    Rule(
        ("FULLY_CONNECTED",), when.when(when.first_is_constant),
        "FullyConnected doesn't support constant input.", CHECK,
    ),
    Rule(("FULLY_CONNECTED",), when.shuffled, "Unsupported FullyConnected weights format: {format}", CHECK),
    Rule(
        ("FULLY_CONNECTED",), when.when(when.ranks_differ),
        "Input and output dimensions different and FullyConnected doesn't support keep_num_dims.", CHECK,
    ),
    Rule(
        ("MIRROR_PAD",), when.symmetric,
        "Only Reflective padding is supported for Mirror Pad operation. But node has {mode}", CHECK,
    ),
    Rule(_PADS, when.paddings, "Invalid paddings tensor shape: expected 4x2 or 3x2, got {shape}", CHECK),
    Rule(
        ("SLICE",), when.few_axes,
        "SLICE supports for 3 or 4 dimensional tensors only, but node has {rank} dimensional tensors.", CHECK,
    ),
    Rule(("STRIDED_SLICE",), when.masked("ellipsisMask"), "Slice does not support ellipsis_mask.", CHECK),
    Rule(("STRIDED_SLICE",), when.masked("newAxisMask"), "Slice does not support new_axis_mask.", CHECK),
    Rule(
        ("STRIDED_SLICE",), when.masked("shrinkAxisMask"),
        "Slice does not support shrink_axis_mask parameter.", CHECK,
    ),
    Rule(
        ("STRIDED_SLICE",), when.few_axes, "STRIDED_SLICE supports for 3 or 4 dimensional tensors only.", CHECK,
    ),
    Rule(("SOFTMAX",), when.when(when.beta), "Softmax.beta != 1 is not supported.", CHECK),
    Rule(COMPARISONS, when.when(lambda _: True), "Not supported logical op case.", MEASURED),
    Rule(("CAST",), when.when(when.from_bool), "Cast from bool not supported for outputs", MEASURED),
    Rule(
        ("CAST",), when.cast_unsupported, "Not supported Cast case. Input type: {source} and output type: {target}",
        CHECK,
    ),
    Rule(
        ("RESIZE_BILINEAR",), when.when(when.both_corners),
        "If half_pixel_centers is True, align_corners must be False.", CHECK,
    ),
)  # fmt: skip
"""What the delegate asks of each operator before it chooses those that it takes."""

PARSED: Sequence[Rule] = (
    *_without_shaders(),
    Rule(
        ("PRELU",), when.when(when.slopes_of_other_channels),
        "PRELU: Linear alpha shape does not match the number of input channels.", PARSER,
    ),
    Rule(
        ("PRELU",), when.slopes_not_like_a_picture,
        "PRELU: Expected a 3D tensor of shape HxWxC or a 4D tensor of shape 1xHxWxC but got {shape}", PARSER,
    ),
    Rule(("PRELU",), when.when(when.slopes_of_a_batch), "PRELU: Batch size is not equal to 1.", PARSER),
    Rule(
        ("PRELU",), when.when(when.slopes_of_other_shape), "PRELU: Alpha shape does not match input shape.", PARSER,
    ),
    Rule(("PRELU",), when.computed(1), "PRELU: the process is ended where slopes are computed.", MEASURED),
    Rule(
        ("MEAN",), when.when(when.mean_of_other_axes), "Mean calculation is supported only for height and width.",
        f"{SHADERS}/mean.cc", (GPU,),
    ),
    Rule(
        _RESIZES, when.when(when.shrinking), "Downsampling is currently not supported by the resize op on GPU.",
        f"{SHADERS}/resize.cc", (GPU,),
    ),
    Rule(_PADS, when.when(when.padded_batch), "Padding for BATCH is not supported.", f"{SHADERS}/pad.cc", (GPU,)),
    Rule(
        ("CONCATENATION",), when.when(when.with_constants), "No shader implementation for const",
        f"{SHADERS}/registry.cc", (GPU,),
    ),
    Rule(("CONCATENATION",), when.when(when.with_constants), "No support of const", MEASURED_WEB, (WEB_GPU,)),
    Rule(
        ("CONCATENATION",), when.when(when.concatenated_alone), "This case is not supported by aligned concat",
        f"{SHADERS}/concat.cc", (GPU,),
    ),
    Rule(("CONV_2D",), when.when(when.grouped), "No shader implementation for split", f"{SHADERS}/registry.cc", (GPU,)),
    Rule(
        ("CONV_2D", "TRANSPOSE_CONV"), when.computed(1),
        "Convolution does not support more than 1 runtime tensor", f"{SHADERS}/conv.cc",
    ),
    Rule(("CONV_2D",), when.computed(2), "CONV_2D: the process is ended where a bias is computed.", MEASURED),
    Rule(
        ("DEPTHWISE_CONV_2D",), when.computed(1),
        "DepthWise Convolution does not support more than 1 runtime tensor", f"{SHADERS}/depthwise_conv.cc", (GPU,),
    ),
    Rule(
        ("FULLY_CONNECTED",), when.when(when.two_computed_weights),
        "Convolution does not support more than 1 runtime tensor", f"{SHADERS}/conv.cc",
    ),
    Rule(
        ("DEPTHWISE_CONV_2D", "FULLY_CONNECTED"), when.computed(2),
        "{name}: ReadNonConstantTensor: value is a constant tensor: 1", PARSER,
    ),
    Rule(
        ("FULLY_CONNECTED",), when.when(when.other_width),
        "FULLY_CONNECTED: Amount of input channels should match weights width", PARSER,
    ),
    Rule(
        ("STRIDED_SLICE",), when.when(when.few_starts),
        "STRIDED_SLICE: Slicing is supported for 3 or 4 dimensional tensors only.", PARSER,
    ),
    Rule(("STRIDED_SLICE",), when.when(when.backwards), "STRIDED_SLICE: Reverse slices are not supported.", PARSER),
    Rule(
        ("ADD", "MUL", *TWO_ARGUMENTS), when.when(when.constant_of_a_batch),
        "{name}: Batch size is not equal to 1.", PARSER,
    ),
    Rule(("ADD",), when.when(when.unequal_terms), "Shapes are not equal", f"{SHADERS}/add.cc", (GPU,)),
    Rule(
        ("MUL",), when.unmatched_factor,
        "Second runtime tensor dimension {axis} must either match first tensor's dimensions or be 1.",
        f"{SHADERS}/mul.cc", (GPU,),
    ),
    Rule(
        TWO_ARGUMENTS, when.when(when.wide_constant),
        "Couldn't read scalar of const vector data from the attributes.", f"{SHADERS}/elementwise.cc", (GPU,),
    ),
    Rule(
        TWO_ARGUMENTS, when.when(when.same_twice),
        "{name}: No support of few identical inputs in the same operation.", PARSER,
    ),
    Rule(TWO_ARGUMENTS, when.when(when.unequal_in_order), "bad any_cast", f"{SHADERS}/elementwise.cc", (GPU,)),
    Rule(("DEQUANTIZE",), when.when(when.first_is_constant), "No shader implementation for const", MEASURED, (GPU,)),
    Rule(("DEQUANTIZE",), when.when(when.first_is_constant), "No support of const", MEASURED_WEB, (WEB_GPU,)),
    Rule(
        (*TWO_ARGUMENTS, "ADD", "MUL"), when.when(when.lost_batch),
        "Unrecognized Read selector", MEASURED_WEB, (WEB_GPU,),
    ),
    Rule(
        ("SLICE", "STRIDED_SLICE"), when.when(when.cut_batch),
        "Used ::B, but this tensor don't have Batch dimension.", MEASURED_WEB, (WEB_GPU,),
    ),
    Rule(
        tuple(sorted(KNOWN | QUANTIZING)), when.when(when.nothing_computed),
        "{name}: ReadNonConstantTensor: value is a constant tensor: 0", PARSER,
    ),
)  # fmt: skip
"""What it finds out when it builds what it has chosen."""

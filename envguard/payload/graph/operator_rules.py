"""What an operator must have so that it can be looked into: inputs, outputs, its own options, ranks, whole indices.

Only what LiteRT itself refuses, or leaves undefined, is refused here; passes and rules of roads rely on the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .constants import is_constant
from .schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorT, TensorType, builtin_code, generated

_INTEGERS = (TensorType.INT32, TensorType.INT64)


@dataclass(frozen=True)
class Rule:
    """What one kind of operator has: how many inputs at least, and what is known of some of them, by their places.

    `options` is the kind of its options, which may be missing unless they are `required`. `ranks` are those of inputs,
    `indices` the inputs that hold integers where they are constants.
    """

    inputs: int
    options: str = ""
    required: bool = False
    ranks: Mapping[int, int] = field(default_factory=dict)
    indices: tuple[int, ...] = ()


def _named(names: str, rule: Rule) -> dict[int, Rule]:
    """The rule for each operator of those names that the schema has."""
    return {number: rule for name in names.split() if (number := getattr(BuiltinOperator, name, None)) is not None}


RULES: Mapping[int, Rule] = {
    **_named(
        "ABS CEIL COS DENSIFY ELU EXP FLOOR GELU HARD_SWISH LEAKY_RELU LOG LOGISTIC LOGICAL_NOT NEG RELU RELU6 "
        "RELU_N1_TO_1 RELU_0_TO_1 ROUND RSQRT SIGN SIN SOFTMAX SQRT SQUARE TANH CAST DEQUANTIZE QUANTIZE "
        "DEPTH_TO_SPACE SPACE_TO_DEPTH RESHAPE SQUEEZE",
        Rule(1),
    ),
    **_named(
        "EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL LESS LESS_EQUAL LOGICAL_AND LOGICAL_OR MAXIMUM MINIMUM "
        "NOT_EQUAL POW PRELU SQUARED_DIFFERENCE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR CUMSUM TILE EXPAND_DIMS",
        Rule(2),
    ),
    BuiltinOperator.ADD: Rule(2, "AddOptions"),
    BuiltinOperator.SUB: Rule(2, "SubOptions"),
    BuiltinOperator.MUL: Rule(2, "MulOptions"),
    BuiltinOperator.DIV: Rule(2, "DivOptions"),
    **_named("PAD MIRROR_PAD", Rule(2, ranks={1: 2}, indices=(1,))),
    BuiltinOperator.PADV2: Rule(3, ranks={1: 2}, indices=(1,)),
    BuiltinOperator.SPLIT: Rule(2, "SplitOptions", True),
    BuiltinOperator.SPLIT_V: Rule(3, "SplitVOptions", True),
    BuiltinOperator.UNPACK: Rule(1, "UnpackOptions", True),
    BuiltinOperator.CONCATENATION: Rule(1, "ConcatenationOptions", True),
    **_named("AVERAGE_POOL_2D MAX_POOL_2D", Rule(1, "Pool2DOptions", True)),
    BuiltinOperator.CONV_2D: Rule(2, "Conv2DOptions", True, {1: 4}),
    BuiltinOperator.DEPTHWISE_CONV_2D: Rule(2, "DepthwiseConv2DOptions", True, {1: 4}),
    BuiltinOperator.TRANSPOSE_CONV: Rule(3, "TransposeConvOptions", True, {1: 4}, (0,)),
    BuiltinOperator.CONV_3D: Rule(2, "Conv3DOptions", True, {1: 5}),
    BuiltinOperator.CONV_3D_TRANSPOSE: Rule(3, "Conv3DOptions", True, {1: 5}, (0,)),
    BuiltinOperator.FULLY_CONNECTED: Rule(2, "FullyConnectedOptions", ranks={1: 2}),
    BuiltinOperator.BATCH_MATMUL: Rule(2, "BatchMatMulOptions"),
    BuiltinOperator.GATHER: Rule(2, "GatherOptions"),
    BuiltinOperator.GATHER_ND: Rule(2),
    BuiltinOperator.EMBEDDING_LOOKUP: Rule(2),
    BuiltinOperator.ONE_HOT: Rule(4, indices=(1,)),
    **_named("MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD", Rule(2, "ReducerOptions", indices=(1,))),
    BuiltinOperator.TRANSPOSE: Rule(2, indices=(1,)),
    BuiltinOperator.SLICE: Rule(3, indices=(1, 2)),
    BuiltinOperator.STRIDED_SLICE: Rule(4, "StridedSliceOptions", indices=(1, 2, 3)),
    BuiltinOperator.IF: Rule(1, "IfOptions", True),
    BuiltinOperator.WHILE: Rule(0, "WhileOptions", True),
    BuiltinOperator.CALL_ONCE: Rule(0, "CallOnceOptions", True),
}  # fmt: skip

WITHOUT_OUTPUTS = frozenset(
    _named(
        "ASSIGN_VARIABLE CALL CALL_ONCE CUSTOM DELEGATE HASHTABLE_IMPORT IF WHILE STABLEHLO_COMPOSITE "
        "STABLEHLO_CUSTOM_CALL PLACEHOLDER_FOR_GREATER_OP_CODES",
        Rule(0),
    )
)
"""Operators that may have effects alone; any other makes something."""

_CALLED = (
    "thenSubgraphIndex", "elseSubgraphIndex", "condSubgraphIndex", "bodySubgraphIndex", "initSubgraphIndex",
    "decompositionSubgraphIndex", "subgraph",
)  # fmt: skip


def missing(model: ModelT, graph: SubGraphT, operator: OperatorT) -> str:
    """What the operator lacks, to be read after its name; empty if it has all. Its tensors must be there."""
    code = builtin_code(model.operatorCodes[operator.opcodeIndex])
    rule = RULES.get(code, Rule(0))
    if len(operator.inputs) < rule.inputs or -1 in operator.inputs[: rule.inputs]:
        return "lacks an input or output"
    if not operator.outputs and code not in WITHOUT_OUTPUTS:
        return "lacks an input or output"
    return _of_options(operator, rule) or _of_inputs(model, graph, operator, rule) or _of_axes(graph, operator, code)


def called(operator: OperatorT) -> list[int]:
    """The subgraphs that the operator runs."""
    found = [
        getattr(options, name)
        for options in (operator.builtinOptions, getattr(operator, "builtinOptions2", None))
        for name in _CALLED
        if hasattr(options, name)
    ]
    branches = getattr(getattr(operator, "builtinOptions2", None), "branchSubgraphIndices", None)
    return [int(each) for each in (*found, *(() if branches is None else branches))]


def _of_options(operator: OperatorT, rule: Rule) -> str:
    """What is wrong with the options that every reader of this kind of operator takes for its own."""
    if not rule.options:
        return ""
    options = operator.builtinOptions
    if options is None:
        return "has no options" if rule.required else ""
    kind = getattr(generated, f"{rule.options}T")
    if not isinstance(options, kind):
        return f"has the options of another operator ({type(options).__name__[:-1]})"
    steps = [getattr(options, name) for name in vars(options) if name.startswith(("stride", "dilation"))]
    return "has a stride or dilation below 1" if any(step < 1 for step in steps) else ""


def _of_inputs(model: ModelT, graph: SubGraphT, operator: OperatorT, rule: Rule) -> str:
    for place, rank in rule.ranks.items():
        shape = graph.tensors[operator.inputs[place]].shape
        if len(shape) != rank:
            return f"needs {rank} dimensions in input {place} and has the shape {list(shape)}"
    for place in rule.indices:
        tensor: TensorT = graph.tensors[operator.inputs[place]]
        if tensor.type not in _INTEGERS and is_constant(model, tensor):
            return f"needs whole numbers in input {place}"
    return ""


def _of_axes(graph: SubGraphT, operator: OperatorT, code: int) -> str:
    """Where an axis is an option, it must be one of the tensor's; scalars have none."""
    if code in (BuiltinOperator.EMBEDDING_LOOKUP, BuiltinOperator.GATHER_ND):
        rank = len(graph.tensors[operator.inputs[code == BuiltinOperator.EMBEDDING_LOOKUP]].shape)
        return "" if rank else "looks something up in a single number"
    if code != BuiltinOperator.GATHER or operator.builtinOptions is None:
        return ""
    rank = len(graph.tensors[operator.inputs[0]].shape)
    axis = operator.builtinOptions.axis
    return "" if -rank <= axis < max(rank, 1) else f"gathers along axis {axis} of {rank}"

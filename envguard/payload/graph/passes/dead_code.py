"""Remove operators, tensors and buffers that nothing uses.

Orphaned tensors break calibration (`Tensor data is null`), and every pass before leaves some. Lossless: what is
removed cannot reach an output. Subgraphs and metadata are kept, and so are operators that may have effects besides
their outputs: those of custom kinds, those with resources or variables, and those without outputs. Precondition: no
weight is quantized blockwise, whose scales are tensors that no operator names.
"""

from __future__ import annotations

from ...contract import AppliedPass
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorType, builtin_code

NAME = "dead_code"
_EFFECTFUL_TYPES = (TensorType.RESOURCE, TensorType.VARIANT)
_CALLERS = (
    BuiltinOperator.CUSTOM,
    BuiltinOperator.IF,
    BuiltinOperator.WHILE,
    BuiltinOperator.CALL,
    BuiltinOperator.CALL_ONCE,
    BuiltinOperator.STABLEHLO_COMPOSITE,
)


def apply(model: ModelT) -> AppliedPass:
    """Prune every subgraph, then the buffers and operator codes that no one names any more."""
    operators = sum(_prune_operators(model, graph) for graph in model.subgraphs)
    tensors = sum(_prune_tensors(model, number) for number in range(len(model.subgraphs)))
    buffers = _prune_buffers(model)
    _prune_operator_codes(model)
    what = f"unused: {operators} operators, {tensors} tensors, {buffers} buffers removed"
    return AppliedPass(NAME, operators + tensors + buffers, what)


def _prune_operators(model: ModelT, graph: SubGraphT) -> int:
    needed = set(graph.outputs)
    kept = []
    for operator in reversed(graph.operators):
        if needed.intersection(operator.outputs) or _has_effects(model, graph, operator):
            needed.update(operator.inputs)
            kept.append(operator)
    removed = len(graph.operators) - len(kept)
    graph.operators = kept[::-1]
    return removed


def _has_effects(model: ModelT, graph: SubGraphT, operator: OperatorT) -> bool:
    touched = [graph.tensors[index] for index in operator.inputs + operator.outputs if index != -1]
    return (
        not operator.outputs
        or builtin_code(model.operatorCodes[operator.opcodeIndex]) in _CALLERS
        or any(tensor.isVariable or tensor.type in _EFFECTFUL_TYPES for tensor in touched)
    )


def _prune_tensors(model: ModelT, graph_number: int) -> int:
    graph = model.subgraphs[graph_number]
    used = {*graph.inputs, *graph.outputs}
    for operator in graph.operators:
        used.update(operator.inputs, operator.outputs, operator.intermediates)
    signatures = [s for s in model.signatureDefs or [] if s.subgraphIndex == graph_number]
    entries = [entry for s in signatures for entry in (s.inputs or []) + (s.outputs or [])]
    used.update(entry.tensorIndex for entry in entries)
    used.discard(-1)

    kept = sorted(used)
    moved = {old: new for new, old in enumerate(kept)}
    moved[-1] = -1
    removed = len(graph.tensors) - len(kept)
    graph.tensors = [graph.tensors[index] for index in kept]
    graph.inputs = [moved[index] for index in graph.inputs]
    graph.outputs = [moved[index] for index in graph.outputs]
    for operator in graph.operators:
        operator.inputs = [moved[index] for index in operator.inputs]
        operator.outputs = [moved[index] for index in operator.outputs]
        operator.intermediates = [moved[index] for index in operator.intermediates]
    for entry in entries:
        entry.tensorIndex = moved[entry.tensorIndex]
    return removed


def _prune_buffers(model: ModelT) -> int:
    used = {0}  # Buffer 0 is, by convention, the empty one.
    used.update(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
    used.update(entry.buffer for entry in model.metadata)
    used.update(model.metadataBuffer)
    kept = sorted(used)
    moved = {old: new for new, old in enumerate(kept)}
    removed = len(model.buffers) - len(kept)
    model.buffers = [model.buffers[index] for index in kept]
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = moved[tensor.buffer]
    for entry in model.metadata:
        entry.buffer = moved[entry.buffer]
    model.metadataBuffer = [moved[index] for index in model.metadataBuffer]
    return removed


def _prune_operator_codes(model: ModelT) -> None:
    kept = sorted({operator.opcodeIndex for graph in model.subgraphs for operator in graph.operators})
    moved = {old: new for new, old in enumerate(kept)}
    model.operatorCodes = [model.operatorCodes[index] for index in kept]
    for graph in model.subgraphs:
        for operator in graph.operators:
            operator.opcodeIndex = moved[operator.opcodeIndex]

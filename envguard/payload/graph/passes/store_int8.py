"""Store constants as int8 where weights of products are not the subject: tables that are looked up, and others.

A table (GATHER, EMBEDDING_LOOKUP) is looked up as int8, and only what was found is dequantized, so that it stays small
in memory too. Anything else reads the constant behind DEQUANTIZE, which runtimes undo once. A table that is also
multiplied with is stored once for both. Not lossless; scales are those of `int8_layouts`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...contract import AppliedPass
from .. import int8_layouts
from ..constants import add_tensor, is_constant, values
from ..int8_layouts import Layout
from ..schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorT, TensorType, builtin_code, generated
from . import operator_codes

NAME = "store_int8"

_TABLES = {BuiltinOperator.GATHER: 0, BuiltinOperator.EMBEDDING_LOOKUP: 1}
_READERS = {
    **_TABLES,
    BuiltinOperator.CONV_3D: 1,
    BuiltinOperator.CONV_3D_TRANSPOSE: 1,
    BuiltinOperator.BATCH_MATMUL: 1,
}
"""Operators whose constant may be int8, and which input it is."""

_CALLS = (BuiltinOperator.IF, BuiltinOperator.WHILE)
"""Operators that hand constants to other subgraphs, in any input."""

_CHANNELS = {BuiltinOperator.CONV_3D: 4, BuiltinOperator.CONV_3D_TRANSPOSE: 3}
"""Where a kernel has the channels of its output, if not last."""

_MOST_BROADCAST = 4
"""Dimensions up to which every kernel of MUL repeats a factor."""


@dataclass(frozen=True)
class Constant:
    """A float32 constant that may be int8: its tensor, the first operator that reads it, and the scales to try."""

    tensor: int
    reader: OperatorT
    dimensions: tuple[int | None, ...]


def storable(model: ModelT, graph: SubGraphT) -> tuple[Constant, ...]:
    """Constants of the graph that `apply` can store, by their first reader; others may read them as well."""
    found: dict[int, Constant] = {}
    for operator in (each for each in graph.operators if each.outputs):
        code = _code(model, operator)
        places = range(len(operator.inputs)) if code in _CALLS else [_READERS[code]] if code in _READERS else []
        for place in places:
            index = operator.inputs[place]
            if index not in found and _is_storable(model, graph, index):
                found[index] = Constant(index, operator, _dimensions(model, graph, index))
    return tuple(found.values())


def layout(model: ModelT, graph: SubGraphT, constant: Constant) -> Layout | None:
    """How int8 would hold it; None if not well enough."""
    return int8_layouts.best(values(model, graph.tensors[constant.tensor]), constant.dimensions)


def apply(model: ModelT, chosen: Iterable[tuple[int, int]]) -> AppliedPass:
    """Store these constants, each given by its subgraph and tensor; one that has no good layout stays float32."""
    wanted = set(chosen)
    changed = 0
    for number, graph in enumerate(model.subgraphs):
        for constant in storable(model, graph):
            found = layout(model, graph, constant) if (number, constant.tensor) in wanted else None
            if found is not None:
                _Storing(model, graph, constant.tensor, found).apply()
                changed += 1
    return AppliedPass(NAME, changed, "tables and other constants stored as int8", lossless=not changed)


class _Storing:
    """Puts one constant behind its readers again, as int8."""

    def __init__(self, model: ModelT, graph: SubGraphT, index: int, found: Layout) -> None:
        self._model, self._graph, self._layout = model, graph, found
        self._index = index
        self._name = graph.tensors[index].name or b""
        self._steps = add_tensor(model, graph, self._name, found.steps, TensorType.INT8)
        by_channel = found.dimension is not None
        self._scale(self._steps, found.scale, found.dimension if by_channel else 0)

    def apply(self) -> None:
        """Rewrite every reader."""
        tables = [each for each in self._graph.operators if self._is_table(each)]
        others = [each for each in self._graph.operators if self._index in each.inputs and not self._is_table(each)]
        if others:
            self._dequantize_before(others[0])
        for reader in tables:
            self._look_up(reader)

    def _is_table(self, operator: OperatorT) -> bool:
        place = _TABLES.get(_code(self._model, operator))
        return place is not None and operator.inputs[place] == self._index

    def _dequantize_before(self, reader: OperatorT) -> None:
        tensor = self._graph.tensors[self._index]
        tensor.buffer, tensor.name = 0, b""
        self._graph.operators.insert(_place(self._graph, reader), self._dequantize(self._steps, self._index))

    def _look_up(self, reader: OperatorT) -> None:
        """Look up steps, dequantize them, and multiply them with scales that are looked up or the same for all."""
        output = reader.outputs[0]
        ids = reader.inputs[1 - _TABLES[_code(self._model, reader)]]
        steps, plain = self._steps, self._layout.dimension is None
        if not plain:
            steps = add_tensor(self._model, self._graph, b"", self._layout.steps, TensorType.INT8)
            self._graph.tensors[steps].buffer = self._graph.tensors[self._steps].buffer
            self._scale(steps, np.ones(1, np.float32), 0)
        self._as_gather(reader)
        found = self._like(output, TensorType.INT8)
        self._graph.tensors[found].quantization = self._graph.tensors[steps].quantization
        reader.inputs, reader.outputs = [steps, ids], [found]
        result = output if plain else self._like(output, TensorType.FLOAT32)
        made = [self._dequantize(found, result)]
        if not plain:
            made += self._multiply(reader, result, output)
        place = _place(self._graph, reader) + 1
        self._graph.operators[place:place] = made

    def _multiply(self, reader: OperatorT, steps: int, output: int) -> list[OperatorT]:
        scale, rank = self._layout.scale, self._layout.steps.ndim
        by_row = self._layout.dimension == 0
        shape = (-1, *[1] * (rank - 1)) if by_row else (-1,)
        factors = add_tensor(self._model, self._graph, b"", scale.reshape(shape), TensorType.FLOAT32)
        made = []
        if by_row:
            look_up = copy.copy(reader)
            found = self._like(output, TensorType.FLOAT32)
            tensor = self._graph.tensors[found]
            ids = len(tensor.shape) - rank + 1
            tensor.shape = [*tensor.shape[:ids], *[1] * (rank - 1)]
            if tensor.shapeSignature is not None:
                tensor.shapeSignature = [*[int(size) for size in tensor.shapeSignature][:ids], *[1] * (rank - 1)]
            look_up.inputs, look_up.outputs = [factors, reader.inputs[1]], [found]
            made.append(look_up)
            factors = found
        multiply = self._operator(BuiltinOperator.MUL, 1, [steps, factors], [output])
        multiply.builtinOptions, multiply.builtinOptionsType = (
            generated.MulOptionsT(),
            generated.BuiltinOptions.MulOptions,
        )
        return [*made, multiply]

    def _as_gather(self, reader: OperatorT) -> None:
        if _code(self._model, reader) == BuiltinOperator.EMBEDDING_LOOKUP:
            reader.builtinOptions = generated.GatherOptionsT()
            reader.builtinOptionsType = generated.BuiltinOptions.GatherOptions
        reader.opcodeIndex = operator_codes.index_of(self._model, BuiltinOperator.GATHER, 2)

    def _dequantize(self, source: int, output: int) -> OperatorT:
        version = 2 if len(self._graph.tensors[source].quantization.scale) == 1 else 5
        return self._operator(BuiltinOperator.DEQUANTIZE, version, [source], [output])

    def _operator(self, number: int, version: int, inputs: list[int], outputs: list[int]) -> OperatorT:
        operator = OperatorT()
        operator.opcodeIndex = operator_codes.index_of(self._model, number, version)
        operator.inputs, operator.outputs, operator.intermediates = inputs, outputs, []
        return operator

    def _like(self, index: int, tensor_type: int) -> int:
        tensor = copy.copy(self._graph.tensors[index])
        tensor.type, tensor.name, tensor.buffer = tensor_type, b"", 0
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _scale(self, index: int, scale: np.ndarray, dimension: int | None) -> None:
        parameters = generated.QuantizationParametersT()
        parameters.scale = scale.astype(np.float32)
        parameters.zeroPoint = np.zeros(len(scale), np.int64)
        parameters.quantizedDimension = dimension or 0
        self._graph.tensors[index].quantization = parameters


def _dimensions(model: ModelT, graph: SubGraphT, index: int) -> tuple[int | None, ...]:
    """Scales to try: one for all, per column, per row; for kernels, per channel."""
    readers = [operator for operator in graph.operators if index in operator.inputs]
    tables = [operator for operator in readers if _code(model, operator) in _TABLES]
    last = len(graph.tensors[index].shape) - 1
    if not tables:
        channels = {_CHANNELS.get(_code(model, operator), last) for operator in readers}
        return (channels.pop(),) if len(channels) == 1 else (last, None)
    return (None, last, 0) if last > 0 and all(_takes_factors(graph, each) for each in tables) else (None,)


def _takes_factors(graph: SubGraphT, table: OperatorT) -> bool:
    """Whether whole rows are looked up, and what is found can be multiplied with a scale for each."""
    options = table.builtinOptions
    by_rows = not isinstance(options, generated.GatherOptionsT) or (options.axis, options.batchDims) == (0, 0)
    return by_rows and 0 < len(graph.tensors[table.outputs[0]].shape) <= _MOST_BROADCAST


def _is_storable(model: ModelT, graph: SubGraphT, index: int) -> bool:
    tensor: TensorT = graph.tensors[index]
    if index == -1 or tensor.type != TensorType.FLOAT32 or tensor.sparsity is not None or tensor.isVariable:
        return False
    if index in graph.inputs or index in graph.outputs or not tensor.shape:
        return False
    return is_constant(model, tensor)


def _place(graph: SubGraphT, operator: OperatorT) -> int:
    return next(number for number, each in enumerate(graph.operators) if each is operator)


def _code(model: ModelT, operator: OperatorT) -> int:
    return builtin_code(model.operatorCodes[operator.opcodeIndex])

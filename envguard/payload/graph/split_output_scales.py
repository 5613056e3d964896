"""Keep outputs of different scales apart: leave int8 before an operator that would round one of them away.

Where a path to an output has an operator that `loses`, the path is computed in float32 from its last product (matrix
product or convolution) on, with that product's weights still int8 and what it reads dequantized first. So boxes and
scores that a converter put under one scale are joined in float. Needs neither data nor calibration; everything before
stays int8.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np

from ..contract import AppliedPass
from . import exact_constants
from .constants import add_tensor, is_constant
from .lost_scales import PRODUCTS, is_int8, loses, real_values
from .passes import dead_code, operator_codes
from .schema import BuiltinOperator, ModelT, OperatorT, SubGraphT, TensorT, TensorType, builtin_code

NAME = "split_output_scales"

_DEQUANTIZE_VERSION = 5
"""Of DEQUANTIZE, which has it for one scale per channel."""

_MOST_FLOATS = 1024
"""Elements of a constant up to which it is stored as float32; larger ones stay int8 behind DEQUANTIZE."""

_PASSED = {
    BuiltinOperator.QUANTIZE, BuiltinOperator.CONCATENATION, BuiltinOperator.PACK, BuiltinOperator.RESHAPE,
    BuiltinOperator.TRANSPOSE, BuiltinOperator.SQUEEZE, BuiltinOperator.EXPAND_DIMS, BuiltinOperator.SLICE,
    BuiltinOperator.STRIDED_SLICE, BuiltinOperator.GATHER, BuiltinOperator.PAD, BuiltinOperator.TILE,
    BuiltinOperator.ADD, BuiltinOperator.SUB, BuiltinOperator.MUL, BuiltinOperator.MAXIMUM, BuiltinOperator.MINIMUM,
    BuiltinOperator.LOGISTIC, BuiltinOperator.TANH, BuiltinOperator.SOFTMAX, BuiltinOperator.RELU,
    BuiltinOperator.RELU6,
}  # fmt: skip
"""Operators with one output that a search for losses goes past; it ends at products, which are judged themselves."""

_OF_SHAPES = (BuiltinOperator.SHAPE, BuiltinOperator.STRIDED_SLICE, BuiltinOperator.PACK)
_JOINING = (BuiltinOperator.CONCATENATION, BuiltinOperator.PACK)


def apply(model: ModelT, original: ModelT | None = None, *, everywhere: bool = False) -> AppliedPass:
    """Rewrite every path out of int8 that loses; `changed` counts the operators that are float32 now.

    `original` is the float model by the same converter. Constants that int8 rounded to nothing are taken from it. With
    `everywhere`, paths that lose nothing by their scales are rewritten too: the next thing to try when outputs differ.
    """
    graph = model.subgraphs[0]
    exact = {} if original is None else exact_constants.of(model, original)
    rewriting = _Rewriting(model, graph, exact)
    for operator in [each for each in graph.operators if _code(model, each) == BuiltinOperator.DEQUANTIZE]:
        if everywhere or rewriting.is_lossy(operator.inputs[0]):
            rewriting.leave_early(operator)
    if rewriting.changed:
        dead_code.apply(model)
    what = "outputs of different scales kept apart in float32"
    return AppliedPass(NAME, rewriting.changed, what, lossless=not rewriting.changed)


class _Rewriting:
    """Makes float32 twins of int8 tensors, each once."""

    def __init__(self, model: ModelT, graph: SubGraphT, exact: Mapping[int, np.ndarray]) -> None:
        self.changed = 0
        self._model, self._graph, self._exact = model, graph, exact
        self._makers = {index: each for each in graph.operators for index in each.outputs}
        self._lossy: dict[int, bool] = {}
        self._twins: dict[int, int] = {}
        self._made: list[OperatorT] = []

    def leave_early(self, dequantize: OperatorT) -> None:
        """Put float32 operators in the place of this DEQUANTIZE."""
        source, output = dequantize.inputs[0], dequantize.outputs[0]
        if is_constant(self._model, self._graph.tensors[source]) or not is_int8(self._graph.tensors[source]):
            return
        self._made = []
        twin = self._twin(source)
        self._graph.tensors[twin].name = self._graph.tensors[output].name
        place = next(number for number, each in enumerate(self._graph.operators) if each is dequantize)
        self._graph.operators[place : place + 1] = self._made
        _rename(self._model, self._graph, output, twin)

    def is_lossy(self, index: int) -> bool:
        """Whether the tensor is made by an operator that loses, or from what such an operator made."""
        operator = self._makers.get(index)
        if index not in self._lossy:
            self._lossy[index] = False
            if operator is not None and is_int8(self._graph.tensors[index]):
                self._lossy[index] = self._loses(operator) or (
                    _code(self._model, operator) in _PASSED and any(map(self.is_lossy, operator.inputs))
                )
        return self._lossy[index]

    def _goes_on(self, operator: OperatorT) -> bool:
        """Whether a path that is float32 behind the operator is so before it: not past a place where paths meet."""
        code = _code(self._model, operator)
        read = [self._graph.tensors[each] for each in operator.inputs if each != -1]
        varying = [tensor for tensor in read if is_int8(tensor) and not is_constant(self._model, tensor)]
        return code in PRODUCTS or code in _JOINING or (code in _PASSED and len(varying) == 1)

    def _loses(self, operator: OperatorT) -> bool:
        code = _code(self._model, operator)
        if code not in _PASSED and code not in PRODUCTS:
            return False
        factor = next((self._exact[index] for index in operator.inputs if index in self._exact), None)
        return loses(self._model, self._graph, operator, factor)

    def _twin(self, index: int) -> int:
        """The float32 tensor in the place of this one, made with what it takes."""
        tensor = self._graph.tensors[index]
        if index == -1 or not (is_int8(tensor) or self._is_bias(tensor) or self._is_shape(index)):
            return index
        if index not in self._twins:
            self._twins[index] = self._new_twin(index, tensor)
        return self._twins[index]

    def _new_twin(self, index: int, tensor: TensorT) -> int:
        if is_constant(self._model, tensor):
            return self._float_constant(index, tensor)
        operator = self._makers.get(index)
        goes_on = operator is not None and (self.is_lossy(index) or self._is_shape(index) or self._goes_on(operator))
        if operator is None or not goes_on:
            return self._dequantized(index, tensor)
        if _code(self._model, operator) == BuiltinOperator.QUANTIZE:
            return self._twin(operator.inputs[0])
        clone = copy.copy(operator)
        if _code(self._model, operator) in PRODUCTS and not self.is_lossy(operator.inputs[0]):
            self._end_at(operator.inputs[0])
        clone.inputs = [self._twin(each) for each in operator.inputs]
        clone.outputs = [self._float_tensor(tensor)]
        if self._is_shape(index):
            self._graph.tensors[clone.outputs[0]].type = tensor.type
        self._made.append(clone)
        self.changed += not self._is_shape(index)
        return int(clone.outputs[0])

    def _end_at(self, index: int) -> None:
        """Let paths that come to this tensor, which a product reads, be int8 before it."""
        tensor = self._graph.tensors[index]
        if index not in self._twins and is_int8(tensor) and not is_constant(self._model, tensor):
            self._twins[index] = self._dequantized(index, tensor)

    def _float_constant(self, index: int, tensor: TensorT) -> int:
        exact = self._exact.get(index)
        count = int(np.prod(tensor.shape))
        if count > _MOST_FLOATS and tensor.type != TensorType.INT32:
            return self._dequantized(index, tensor)
        array = real_values(self._model, tensor) if exact is None else exact
        return add_tensor(self._model, self._graph, tensor.name, array, TensorType.FLOAT32)

    def _dequantized(self, index: int, tensor: TensorT) -> int:
        operator = OperatorT()
        version = _DEQUANTIZE_VERSION if len(tensor.quantization.scale) > 1 else 2
        operator.opcodeIndex = operator_codes.index_of(self._model, BuiltinOperator.DEQUANTIZE, version)
        operator.inputs, operator.outputs, operator.intermediates = [index], [self._float_tensor(tensor)], []
        self._made.append(operator)
        return int(operator.outputs[0])

    def _float_tensor(self, tensor: TensorT) -> int:
        made = copy.copy(tensor)
        made.type, made.quantization, made.buffer = TensorType.FLOAT32, None, 0
        made.name = (tensor.name or b"") + b"_float"
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def _is_shape(self, index: int) -> bool:
        """Whether the tensor is computed from the shape of another, which must not keep the int8 operators alive."""
        operator = self._makers.get(index)
        return (
            operator is not None
            and self._graph.tensors[index].type == TensorType.INT32
            and _code(self._model, operator) in _OF_SHAPES
        )

    def _is_bias(self, tensor: TensorT) -> bool:
        parameters = tensor.quantization
        scaled = parameters is not None and parameters.scale is not None and len(parameters.scale) > 0
        return scaled and tensor.type == TensorType.INT32 and is_constant(self._model, tensor)


def _rename(model: ModelT, graph: SubGraphT, old: int, new: int) -> None:
    """Let everything that names one tensor of the main subgraph name another."""
    graph.outputs = [new if index == old else index for index in graph.outputs]
    for operator in graph.operators:
        operator.inputs = [new if index == old else index for index in operator.inputs]
    for signature in model.signatureDefs or []:
        if signature.subgraphIndex == 0:
            for entry in signature.outputs or []:
                entry.tensorIndex = new if entry.tensorIndex == old else entry.tensorIndex


def _code(model: ModelT, operator: OperatorT) -> int:
    return builtin_code(model.operatorCodes[operator.opcodeIndex])

"""Operators as a delegate sees them: what is constant, of which type and shape, and what is put away while loading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph import constants
from ..graph.schema import (
    BuiltinOperator,
    ModelT,
    SubGraphT,
    TensorT,
    TensorType,
    builtin_code,
    operator_name,
    type_name,
)

MOST_AXES = 4
FLOATS = (TensorType.FLOAT32, TensorType.FLOAT16)
BYTES = (TensorType.INT8, TensorType.UINT8)


@dataclass(frozen=True)
class Operand:
    """An input or output of an operator; `constant` also where the delegate makes one of it while loading."""

    model: ModelT
    tensor: TensorT
    constant: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """As the file has it; an open size is what the file loads with."""
        return tuple(int(size) for size in (() if self.tensor.shape is None else self.tensor.shape))

    @property
    def bhwc(self) -> tuple[int, int, int, int] | None:
        """Batch, height, width and channels as the delegate reads them; None for more than four axes or none."""
        shape = self.shape
        if not 0 < len(shape) <= MOST_AXES:
            return None
        batch, *rest = shape
        height, width, channels = (*(1,) * (MOST_AXES - len(shape)), *rest)
        return batch, height, width, channels

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def type_name(self) -> str:
        """The tensor type as the schema spells it."""
        return type_name(self.tensor.type)

    @property
    def is_linear(self) -> bool:
        """Whether every axis but the last is of size 1, as a row of numbers by channel is."""
        return len(self.shape) > 0 and all(size == 1 for size in self.shape[:-1])

    def integers(self) -> list[int] | None:
        """The values of a constant that is stored as integers; None for anything else."""
        if not constants.is_constant(self.model, self.tensor) or self.tensor.type not in constants.NUMPY_TYPES:
            return None
        values = constants.values(self.model, self.tensor)
        return [int(value) for value in values.ravel()] if np.issubdtype(values.dtype, np.integer) else None


@dataclass(frozen=True)
class Operator:
    """One operator; an optional input that is left out is None."""

    name: str
    version: int
    custom: bool
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand, ...]
    options: Any

    @property
    def runtime(self) -> list[Operand]:
        """The inputs that are computed when the model is called."""
        return [each for each in self.inputs if each is not None and not each.constant]

    @property
    def fixed(self) -> list[Operand]:
        """The inputs that are constants."""
        return [each for each in self.inputs if each is not None and each.constant]

    def input(self, index: int) -> Operand | None:
        """That input; None where there is none."""
        return self.inputs[index] if index < len(self.inputs) else None

    def option(self, name: str, default: Any = 0) -> Any:
        """An option by the schema's name."""
        return getattr(self.options, name, default)


def operators_of(model: ModelT, quantized: bool) -> list[Operator]:
    """The operators of the main subgraph that the delegate is asked about.

    DEQUANTIZE of a float16 constant is put away while loading, and what is `quantized` also DENSIFY before it. What
    other operators make of constants counts as constant too: it is they that are refused, not what reads them.
    """
    graph = model.subgraphs[0]
    folded, settled = _folded(model, graph, quantized)
    return [
        _operator(model, graph, operator, folded | settled)
        for operator in graph.operators
        if not set(_indices(operator.outputs)) & folded
    ]


def ports(model: ModelT) -> Iterator[tuple[str, Operand]]:
    """The model's inputs and outputs, each with which of the two it is."""
    graph = model.subgraphs[0]
    for side, indices in (("Input", graph.inputs), ("Output", graph.outputs)):
        for index in _indices(indices):
            yield side, Operand(model, graph.tensors[index], constants.is_constant(model, graph.tensors[index]))


def _folded(model: ModelT, graph: SubGraphT, quantized: bool) -> tuple[set[int], set[int]]:
    """The tensors that the delegate makes constants of while loading, and others that depend on no input."""
    folded: set[int] = set()
    settled: set[int] = set()
    for operator in graph.operators:
        code = builtin_code(model.operatorCodes[operator.opcodeIndex])
        inputs = [index for index in _indices(operator.inputs) if index >= 0]
        if not inputs or not all(index in folded | settled or _constant(model, graph, index) for index in inputs):
            continue
        half = graph.tensors[inputs[0]].type == TensorType.FLOAT16
        loads = code == BuiltinOperator.DEQUANTIZE and half and inputs[0] not in settled
        taken = loads or (quantized and code == BuiltinOperator.DENSIFY)
        (folded if taken else settled).update(_indices(operator.outputs))
    return folded, settled


def _operator(model: ModelT, graph: SubGraphT, operator: Any, folded: set[int]) -> Operator:
    code = model.operatorCodes[operator.opcodeIndex]

    def operand(index: int) -> Operand:
        return Operand(model, graph.tensors[index], index in folded or _constant(model, graph, index))

    return Operator(
        name=operator_name(code),
        version=int(code.version or 1),
        custom=builtin_code(code) == BuiltinOperator.CUSTOM,
        inputs=tuple(None if index < 0 else operand(index) for index in _indices(operator.inputs)),
        outputs=tuple(operand(index) for index in _indices(operator.outputs)),
        options=operator.builtinOptions,
    )


def _constant(model: ModelT, graph: SubGraphT, index: int) -> bool:
    return constants.is_constant(model, graph.tensors[index])


def _indices(indices: Sequence[int] | None) -> list[int]:
    return [int(index) for index in (() if indices is None else indices)]

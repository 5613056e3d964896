"""Make small models from scratch: for the environment's own proof and for the tests of passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import constants
from .schema import BufferT, ModelT, OperatorCodeT, OperatorT, SubGraphT, TensorT, TensorType, generated

_SCHEMA_VERSION = 3


class GraphBuilder:
    """Collects one subgraph, tensor by tensor and operator by operator, in execution order."""

    def __init__(self) -> None:
        self.model: Any = ModelT()
        self.model.version = _SCHEMA_VERSION
        self.model.description = b"made by envguard"
        self.model.operatorCodes, self.model.metadata, self.model.metadataBuffer = [], [], []
        self.model.buffers = [BufferT()]
        self.graph: Any = SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, name: str, shape: Sequence[int], tensor_type: int = TensorType.FLOAT32) -> int:
        """A tensor without values; its index."""
        tensor = TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), list(shape), tensor_type, 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, name: str, array: np.ndarray) -> int:
        """A tensor with the array's values, shape and type; its index."""
        index = self.tensor(name, array.shape, _TYPES[array.dtype.name])
        self.graph.tensors[index].buffer = constants.add_buffer(self.model, array)
        return index

    def operator(self, code: int, inputs: Sequence[int], outputs: Sequence[int], options: Any = None) -> None:
        """An operator; `options` is an object of the schema, such as `Conv2DOptionsT`."""
        operator = OperatorT()
        operator.opcodeIndex = self._code(code)
        operator.inputs, operator.outputs, operator.intermediates = list(inputs), list(outputs), []
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(generated.BuiltinOptions, type(options).__name__[:-1])
        self.graph.operators.append(operator)

    def finish(self, inputs: Sequence[int], outputs: Sequence[int]) -> Any:
        """Name inputs and outputs; the model."""
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        return self.model

    def _code(self, number: int) -> int:
        for index, code in enumerate(self.model.operatorCodes):
            if code.builtinCode == number:
                return index
        code = OperatorCodeT()
        code.builtinCode = number
        code.deprecatedBuiltinCode = min(number, 127)
        code.version = 1
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1


_TYPES = {
    "float32": TensorType.FLOAT32,
    "float16": TensorType.FLOAT16,
    "int8": TensorType.INT8,
    "uint8": TensorType.UINT8,
    "int32": TensorType.INT32,
    "int64": TensorType.INT64,
}

"""Find the float values of an int8 model's constants in the float model that it was made from."""

from __future__ import annotations

import numpy as np

from .constants import is_constant, values
from .schema import BuiltinOperator, ModelT, OperatorT, TensorType, builtin_code

_CONVERTING = (BuiltinOperator.QUANTIZE, BuiltinOperator.DEQUANTIZE)


def of(model: ModelT, original: ModelT) -> dict[int, np.ndarray]:
    """Values by index of tensors in the main subgraph of `model`.

    Both models are followed back from their outputs for as long as they have the same operators.
    """
    graph, exact_graph = model.subgraphs[0], original.subgraphs[0]
    makers, exact_makers = _makers(model), _makers(original)
    found: dict[int, np.ndarray] = {}
    waiting = list(zip(graph.outputs, exact_graph.outputs))  # noqa: B905 - Python 3.9
    seen = {(-1, -1)}
    while waiting:
        index, exact = pair = waiting.pop()
        if pair in seen:
            continue
        seen.add(pair)
        tensor, exact_tensor = graph.tensors[index], exact_graph.tensors[exact]
        code, maker = makers.get(index, (-1, None))
        exact_code, exact_maker = exact_makers.get(exact, (-1, None))
        if maker is not None and code in _CONVERTING:
            waiting.append((maker.inputs[0], exact))
        elif maker is not None and exact_maker is not None:
            if code == exact_code and len(maker.inputs) == len(exact_maker.inputs):
                waiting += zip(maker.inputs, exact_maker.inputs)  # noqa: B905 - Python 3.9
        elif is_constant(model, tensor) and is_constant(original, exact_tensor):
            alike = exact_tensor.type == TensorType.FLOAT32 and list(tensor.shape) == list(exact_tensor.shape)
            found.update({index: values(original, exact_tensor)} if alike else {})
    return found


def _makers(model: ModelT) -> dict[int, tuple[int, OperatorT]]:
    """The operator that makes each tensor, and its code."""
    return {
        index: (builtin_code(model.operatorCodes[operator.opcodeIndex]), operator)
        for operator in model.subgraphs[0].operators
        for index in operator.outputs
    }

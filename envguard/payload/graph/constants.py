"""Constants of a graph: which tensors are constant, their values, and where new values go."""

from __future__ import annotations

import numpy as np

from .schema import BufferT, ModelT, SubGraphT, TensorT, TensorType

NUMPY_TYPES = {
    TensorType.FLOAT32: np.dtype("<f4"), TensorType.FLOAT16: np.dtype("<f2"), TensorType.FLOAT64: np.dtype("<f8"),
    TensorType.INT8: np.dtype("i1"), TensorType.UINT8: np.dtype("u1"), TensorType.BOOL: np.dtype("u1"),
    TensorType.INT16: np.dtype("<i2"), TensorType.UINT16: np.dtype("<u2"),
    TensorType.INT32: np.dtype("<i4"), TensorType.UINT32: np.dtype("<u4"),
    TensorType.INT64: np.dtype("<i8"), TensorType.UINT64: np.dtype("<u8"),
}  # fmt: skip


def is_constant(model: ModelT, tensor: TensorT) -> bool:
    """Whether the tensor's values are in the file."""
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def values(model: ModelT, tensor: TensorT) -> np.ndarray:
    """A dense constant's values in its own type and shape, read-only."""
    data = np.asarray(model.buffers[tensor.buffer].data, dtype=np.uint8)
    return data.view(NUMPY_TYPES[tensor.type]).reshape(tensor.shape)


def add_buffer(model: ModelT, array: np.ndarray) -> int:
    """Append the array's bytes as a new buffer; its index."""
    buffer = BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def add_tensor(model: ModelT, graph: SubGraphT, name: bytes, array: np.ndarray, tensor_type: int) -> int:
    """Append a constant tensor that holds the array; its index."""
    tensor = TensorT()
    tensor.name = name
    tensor.type = tensor_type
    tensor.shape = [int(size) for size in array.shape]
    tensor.buffer = add_buffer(model, array)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1

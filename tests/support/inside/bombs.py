"""Small files that would fill memory, or never end, if they were believed: `payload_support.bombs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from envguard_payload.graph import model as models
from envguard_payload.graph.schema import TensorType, generated
from payload_support.road_graphs import Graph, numbers

COUNT = 100_000
"""Of tables, most of which are one and the same."""


def sharing_a_shape() -> bytes:
    """Tensors that share one table, and that a shape of a megabyte."""
    builder = flatbuffers.Builder()
    shape = builder.CreateNumpyVector(np.ones(250_000, np.int32))
    return _sharing(builder, lambda: generated.TensorAddShape(builder, shape))


def sharing_a_name() -> bytes:
    """Tensors that share one table, and that a name of a megabyte."""
    builder = flatbuffers.Builder()
    name = builder.CreateString(b"n" * 1_000_000)
    return _sharing(builder, lambda: generated.TensorAddName(builder, name))


def sharing_tables() -> bytes:
    """Subgraphs that share one table, and that tensors, so that there are a thousand million of them."""
    builder = flatbuffers.Builder()
    generated.TensorStart(builder)
    tensors = _vector(builder, generated.TensorEnd(builder), 10_000)
    generated.SubGraphStart(builder)
    generated.SubGraphAddTensors(builder, tensors)
    return _finished(builder, _vector(builder, generated.SubGraphEnd(builder), COUNT))


def sharing_names_of_options() -> bytes:
    """Operators each of which has options of its own, all with the same name of a megabyte."""
    builder = flatbuffers.Builder()
    name = builder.CreateString(b"n" * 1_000_000)
    operators = []
    for _ in range(1_000):
        generated.VarHandleOptionsStart(builder)
        generated.VarHandleOptionsAddContainer(builder, name)
        options = generated.VarHandleOptionsEnd(builder)
        generated.OperatorStart(builder)
        generated.OperatorAddBuiltinOptions(builder, options)
        generated.OperatorAddBuiltinOptionsType(builder, generated.BuiltinOptions.VarHandleOptions)
        operators.append(generated.OperatorEnd(builder))
    builder.StartVector(4, len(operators), 4)
    for each in operators:
        builder.PrependUOffsetTRelative(each)
    made = builder.EndVector()
    generated.SubGraphStart(builder)
    generated.SubGraphAddOperators(builder, made)
    return _finished(builder, _vector(builder, generated.SubGraphEnd(builder), 1))


def sharing_a_constant() -> bytes:
    """Operators each of which folds the same float16 megabyte to a float32 constant of its own."""
    half = numbers(1024, 512).astype(np.float16)
    graph = Graph()
    for _ in range(300):
        graph.then("DEQUANTIZE", [np.zeros((2, 2), np.float16)], [half.shape], kind="Dequantize")
    model = graph.model()
    for tensor in model.subgraphs[0].tensors:
        if tensor.type == TensorType.FLOAT16:
            tensor.buffer, tensor.shape = 1, list(half.shape)
    model.buffers[1].data = np.frombuffer(half.tobytes(), np.uint8)
    model.buffers = model.buffers[:2]
    return bytes(models.save(model))


def sparse_in_size_only() -> bytes:
    """A sparse constant of one value that claims two hundred million."""
    graph = Graph().then("DENSIFY", [np.ones((1, 1), np.float32)], [(1 << 14, 1 << 13)])
    graph.then("ADD", [(1, 1), np.ones((1, 1), np.float32)], [(1, 1)], kind="Add")
    model: Any = graph.model()
    tensor = model.subgraphs[0].tensors[0]
    level = generated.DimensionMetadataT()
    level.format, level.denseSize = generated.DimensionType.DENSE, 1
    tensor.shape, tensor.sparsity = [1 << 14, 1 << 13], generated.SparsityParametersT()
    tensor.sparsity.traversalOrder, tensor.sparsity.dimMetadata = [0, 1], [level, level]
    return bytes(models.save(model))


def sharing_metadata() -> bytes:
    """Entries with names of their own that share one buffer of a megabyte."""
    model: Any = Graph().then("TANH", [(1, 4)], [(1, 4)]).model()
    buffer = generated.BufferT()
    buffer.data = np.ones(1_000_000, np.uint8)
    model.buffers.append(buffer)
    for number in range(2_000):
        entry = generated.MetadataT()
        entry.name, entry.buffer = f"entry {number}".encode(), 1
        model.metadata.append(entry)
    return bytes(models.save(model))


def many_inputs() -> bytes:
    """Inputs without number beside operators without number, each of which is looked for among the inputs."""
    model: Any = Graph().then("TANH", [(1, 4)], [(1, 4)]).model()
    model.subgraphs[0].inputs = [0] * COUNT
    return bytes(models.save(model))


def running_itself() -> bytes:
    """A loop whose body is the graph that it is in."""
    model: Any = Graph().then("WHILE", [(1, 4)], [(1, 4)], kind="While").model()
    return bytes(models.save(model))


def _sharing(builder: Any, add: Callable[[], None]) -> bytes:
    generated.TensorStart(builder)
    add()
    tensors = _vector(builder, generated.TensorEnd(builder), COUNT)
    generated.SubGraphStart(builder)
    generated.SubGraphAddTensors(builder, tensors)
    return _finished(builder, _vector(builder, generated.SubGraphEnd(builder), 1))


def _vector(builder: Any, table: int, count: int) -> int:
    builder.StartVector(4, count, 4)
    for _ in range(count):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())


def _finished(builder: Any, graphs: int) -> bytes:
    generated.ModelStart(builder)
    generated.ModelAddSubgraphs(builder, graphs)
    builder.Finish(generated.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


BOMBS: tuple[tuple[Callable[[], bytes], str], ...] = (
    (sharing_a_shape, "its vectors and strings share bytes: they would be over"),
    (sharing_a_name, "its vectors and strings share bytes: they would be over"),
    (sharing_tables, "more than 250,000 tables"),
    (sharing_names_of_options, "its vectors and strings share bytes: they would be over"),
    (sharing_a_constant, "its constants are shared until they are 314,572,800 bytes"),
    (sparse_in_size_only, "its constants are shared until they are"),
    (sharing_metadata, "its constants are shared until they are 2,000,000,000 bytes"),
    (many_inputs, "it has 100,000 inputs or outputs, of which 1,024 are taken"),
    (running_itself, "subgraph 0 runs itself"),
)
"""Each, and a part of the sentence that it is refused with."""

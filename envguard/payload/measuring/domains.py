"""What the integers and strings that a model takes may be: rows of its tables, keys of its vocabularies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph.constants import is_constant
from ..graph.schema import ModelT, SubGraphT, TensorType, operator_name, text

MOST_WORDS = 1_000
"""Keys read of a vocabulary: enough for every made-up input."""

HAND_ON = frozenset(
    {
        "CAST", "RESHAPE", "EXPAND_DIMS", "SQUEEZE", "CONCATENATION", "PACK", "UNPACK", "SLICE", "STRIDED_SLICE",
        "TRANSPOSE", "TILE", "BROADCAST_TO", "SPLIT", "REVERSE_V2", "PAD", "PADV2", "MINIMUM", "MAXIMUM", "SELECT",
        "SELECT_V2", "WHERE", "ADD", "SUB", "FLOOR_MOD",
    }
)  # fmt: skip
"""Operators that hand on indices nearly as they came."""


@dataclass(frozen=True)
class Domain:
    """What one input may hold: integers from 0 to below `count` (None: it indexes nothing), or one of the `words`."""

    count: int | None = None
    words: tuple[bytes, ...] = ()


def domains(model: ModelT, signature: str = "", names: Sequence[str] = ()) -> list[Domain]:
    """One per input: of the signature, in the order of the `names` that it gives them, or of the main graph."""
    graph, tensors = _inputs(model, signature, names)
    return [_domain(model, graph, tensor) for tensor in tensors]


def _inputs(model: ModelT, signature: str, names: Sequence[str]) -> tuple[SubGraphT, list[int]]:
    for each in model.signatureDefs or []:
        if signature and text(each.signatureKey) == signature:
            places: Mapping[str, int] = {text(entry.name): int(entry.tensorIndex) for entry in each.inputs or []}
            return model.subgraphs[each.subgraphIndex], [places[name] for name in names]
    return model.subgraphs[0], list(model.subgraphs[0].inputs)


def _domain(model: ModelT, graph: SubGraphT, tensor: int) -> Domain:
    if graph.tensors[tensor].type == TensorType.STRING:
        return Domain(words=tuple(_words(model)))
    return Domain(count=min(_counts(model, graph, {tensor}, frozenset()), default=None))


def _counts(model: ModelT, graph: SubGraphT, carrying: set[int], seen: frozenset[int]) -> Iterator[int]:
    """Sizes of what is indexed by the tensors in `carrying`, or by what is made of them, operator by operator."""
    for operator in graph.operators:
        name = operator_name(model.operatorCodes[operator.opcodeIndex])
        places = [place for place, tensor in enumerate(operator.inputs) if tensor in carrying]
        if not places:
            continue
        count = _indexed(model, graph, name, operator, places)
        if count:
            yield count
        elif name in HAND_ON:
            carrying.update(operator.outputs)
        for called, shift in _called(name, operator):
            if called not in seen:
                body = model.subgraphs[called]
                inside = {body.inputs[place - shift] for place in places if 0 <= place - shift < len(body.inputs)}
                yield from _counts(model, body, inside, seen | {called})


def _indexed(model: ModelT, graph: SubGraphT, name: str, operator: Any, places: Sequence[int]) -> int | None:
    """The size of what an operator looks up by one of its inputs; None if it looks nothing up."""
    tensors = [graph.tensors[tensor] for tensor in operator.inputs]
    if name == "GATHER" and 1 in places:
        shape, axis = tensors[0].shape, getattr(operator.builtinOptions, "axis", 0)
        return int(shape[axis]) if len(shape) else None
    if (name == "GATHER_ND" and 1 in places and len(tensors[0].shape)) or (
        name.startswith("EMBEDDING_LOOKUP") and 0 in places and len(tensors[-1].shape)
    ):
        return int(tensors[0 if name == "GATHER_ND" else -1].shape[0])
    if name == "ONE_HOT" and 0 in places and is_constant(model, tensors[1]):
        return int(np.frombuffer(bytes(model.buffers[tensors[1].buffer].data), np.int32)[0])
    return None


def _called(name: str, operator: Any) -> list[tuple[int, int]]:
    """Subgraphs that the operator runs, each with how many of the operator's first inputs are not the subgraph's."""
    options = operator.builtinOptions
    if name == "WHILE":
        return [(options.bodySubgraphIndex, 0), (options.condSubgraphIndex, 0)]
    if name == "IF":
        return [(options.thenSubgraphIndex, 1), (options.elseSubgraphIndex, 1)]
    return []


def _words(model: ModelT) -> Iterator[bytes]:
    """The strings that are constants of the model, such as the keys of its tables."""
    count = 0
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            if tensor.type == TensorType.STRING and is_constant(model, tensor):
                for word in _strings(bytes(model.buffers[tensor.buffer].data)):
                    if count == MOST_WORDS:
                        return
                    count += 1
                    yield word


def _strings(data: bytes) -> Iterator[bytes]:
    """LiteRT's packed strings: how many, where each begins and the last ends, and their bytes."""
    numbers = np.frombuffer(data[: len(data) // 4 * 4], "<i4")
    if not len(numbers) or not 0 <= numbers[0] <= len(numbers) - 2:
        return
    ends = numbers[1 : numbers[0] + 2]
    yield from (data[ends[place] : ends[place + 1]] for place in range(len(ends) - 1))

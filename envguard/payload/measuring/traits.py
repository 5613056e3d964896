"""What of a model's graph decides how its answers are to be compared: chance, state, scores, rankings."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.schema import ModelT, SubGraphT, operator_name, text

LAYOUT = frozenset(
    {"RESHAPE", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS", "CONCATENATION", "PACK", "DEQUANTIZE", "QUANTIZE", "CAST"}
)
"""Operators that change how answers lie or are stored, and not what they are."""

SCORES = frozenset({"LOGISTIC", "SOFTMAX"})
RANKED = frozenset({"TOPK_V2"})
CHANCE = ("RANDOM", "MULTINOMIAL")
STATE = frozenset({"VAR_HANDLE", "ASSIGN_VARIABLE", "READ_VARIABLE"})


def random_operators(model: ModelT) -> list[str]:
    """Operators whose answers are others each time; those of TensorFlow (`FlexRandomUniform`) too."""
    return sorted(name for name in _operators(model) if any(word in name.upper() for word in CHANCE))


def keeps_state(model: ModelT) -> bool:
    """Whether a call leaves something behind for the next one: variables of the graph, or resources."""
    variables = any(tensor.isVariable for graph in model.subgraphs for tensor in graph.tensors)
    return variables or bool(_operators(model) & STATE)


def output_makers(model: ModelT, signature: str, names: Sequence[str]) -> list[frozenset[str]]:
    """By output, of the signature in the order of the `names` that it gives them or of the main graph: the operators
    that made the values, whatever has changed how they lie since.
    """
    for each in model.signatureDefs or []:
        if signature and text(each.signatureKey) == signature:
            graph = model.subgraphs[each.subgraphIndex]
            places = {text(entry.name): int(entry.tensorIndex) for entry in each.outputs or []}
            return [_makers(model, graph, places[name]) for name in names]
    return [_makers(model, model.subgraphs[0], tensor) for tensor in model.subgraphs[0].outputs]


def _makers(model: ModelT, graph: SubGraphT, tensor: int) -> frozenset[str]:
    names: set[str] = set()
    waiting, seen = [tensor], set()
    while waiting:
        wanted = waiting.pop()
        seen.add(wanted)
        for operator in graph.operators:
            if wanted in operator.outputs:
                name = operator_name(model.operatorCodes[operator.opcodeIndex])
                if name in LAYOUT:
                    waiting += [each for each in operator.inputs if each >= 0 and each not in seen]
                else:
                    names.add(name)
    return frozenset(names)


def _operators(model: ModelT) -> set[str]:
    used = {operator.opcodeIndex for graph in model.subgraphs for operator in graph.operators}
    return {operator_name(model.operatorCodes[index]) for index in used}

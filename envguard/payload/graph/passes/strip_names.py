"""Remove the names of tensors that nobody outside can ask for.

Interpreters find inputs and outputs by name, signatures by tensor; the names of what flows between operators, often a
hundred characters that tell where a converter found them, are for people with a viewer. Lossless.
"""

from __future__ import annotations

from ...contract import AppliedPass
from ..schema import ModelT

NAME = "strip_names"


def apply(model: ModelT) -> AppliedPass:
    """Strip every tensor but inputs, outputs and those of signatures; tables of empty quantization go as well."""
    signed = {
        (signature.subgraphIndex, entry.tensorIndex)
        for signature in model.signatureDefs or []
        for entry in (signature.inputs or []) + (signature.outputs or [])
    }
    removed = 0
    for number, graph in enumerate(model.subgraphs):
        public = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            if index not in public and (number, index) not in signed and tensor.name:
                removed += 1
                tensor.name = None
            if tensor.quantization is not None and _is_empty(tensor.quantization):
                tensor.quantization = None
    return AppliedPass(NAME, removed, "names of tensors inside the graph removed")


def _is_empty(parameters: object) -> bool:
    return all(getattr(parameters, name) is None for name in ("scale", "zeroPoint", "min", "max", "details"))

"""Give every tensor a short name of its own while the quantizer works, and the old names back afterwards.

The quantizer keeps its plans by tensor name and matches operators by regular expressions over names, so empty or
repeated names (which the format allows) make it quantize the wrong tensor. Lossless: names do not enter computation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..schema import ModelT

_DEQUANTIZED = b"_dequant"
"""What the quantizer appends to the name of a DEQUANTIZE operator's output."""

_UNIQUE = re.compile(rb"t\d+_\d+(?=$|_)")


def make_unique(model: ModelT) -> dict[bytes, bytes]:
    """Rename every tensor to `t<subgraph>_<tensor>`; the old name by the new one."""
    old_names: dict[bytes, bytes] = {}
    for graph_number, graph in enumerate(model.subgraphs):
        for tensor_number, tensor in enumerate(graph.tensors):
            unique = f"t{graph_number}_{tensor_number}".encode()
            old_names[unique] = tensor.name or b""
            tensor.name = unique
    return old_names


def restore(model: ModelT, old_names: Mapping[bytes, bytes]) -> None:
    """Undo `make_unique`, in a model that has gained tensors since.

    A constant that was quantized keeps its old name; what DEQUANTIZE makes of it is left without one, because
    repeating long names there would take back part of what was saved.
    """
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            found = _UNIQUE.match(tensor.name or b"")
            if found and found.group() in old_names:
                is_dequantized = tensor.name.endswith(_DEQUANTIZED)
                tensor.name = b"" if is_dequantized else old_names[found.group()]

"""Let constants with the same bytes share one buffer.

The quantizer writes a copy for each reader of a shared weight. Lossless: a buffer carries bytes, and type, shape and
scale stay with the tensor. Metadata keeps buffers of its own.
"""

from __future__ import annotations

from ...contract import AppliedPass
from ..schema import ModelT

NAME = "share_buffers"


def apply(model: ModelT) -> AppliedPass:
    """Point every tensor at the first buffer that holds its bytes; the others are left for `dead_code`."""
    changed = 0
    first_with: dict[bytes, int] = {}
    firsts: dict[int, int] = {}
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if tensor.isVariable or data is None or len(data) == 0:
                continue
            if tensor.buffer not in firsts:
                firsts[tensor.buffer] = first_with.setdefault(bytes(data), tensor.buffer)
            first = firsts[tensor.buffer]
            changed += first != tensor.buffer
            tensor.buffer = first
    return AppliedPass(NAME, changed, "constants that repeat others' bytes share their buffer")

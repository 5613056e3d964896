"""The one place that calls AI Edge Quantizer, under whichever of its two names the environment has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

try:
    import litert_quantizer as aeq
    from litert_quantizer import qtyping
except ImportError:
    import ai_edge_quantizer as aeq
    from ai_edge_quantizer import qtyping

WEIGHT_BITS = 8


@dataclass(frozen=True)
class Order:
    """One operator to quantize: its kind, the name of its output tensor, and what it computes in.

    With `dynamic` it multiplies int8 by int8, its input rounded row by row as it comes; without, the runtime
    multiplies the weights out once, when it prepares the graph, and computes in float32.
    """

    kind: str
    output_name: str
    dynamic: bool


def quantize_weights(model: bytes, orders: Sequence[Order]) -> bytes:
    """Store the weights of the ordered operators as int8, symmetric, one scale per output channel.

    Tensor names must be unique. Inputs and outputs of every operator, and all other tensors, stay float32.
    """
    quantizer = aeq.Quantizer(bytearray(model))
    for order in orders:
        quantizer.update_quantization_recipe(
            regex=f"^{re.escape(order.output_name)}(;|$)",
            operation_name=qtyping.TFLOperationName(order.kind),
            op_config=_int8_weights(order.dynamic),
        )
    quantized = quantizer.quantize().quantized_model
    if quantized is None:
        raise RuntimeError("the quantizer returned no model")
    return bytes(quantized)


def _int8_weights(dynamic: bool) -> Any:
    return qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=WEIGHT_BITS, symmetric=True, granularity=qtyping.QuantGranularity.CHANNELWISE
        ),
        compute_precision=qtyping.ComputePrecision.INTEGER if dynamic else qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=not dynamic,
    )

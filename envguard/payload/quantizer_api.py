"""The one place that calls AI Edge Quantizer, under whichever of its two names the environment has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

try:
    import litert_quantizer as aeq
    from litert_quantizer import qtyping
except ImportError:
    import ai_edge_quantizer as aeq
    from ai_edge_quantizer import qtyping

WEIGHT_BITS = 8


def quantize_weights(model: bytes, operators: Sequence[tuple[str, str]]) -> bytes:
    """Store the weights of the listed operators as int8, symmetric, one scale per output channel.

    Each operator is given as (kind, name of its output tensor); tensor names must be unique. Everything else, and all
    arithmetic, stays in float: the runtime multiplies the weights out once, when it prepares the graph.
    """
    quantizer = aeq.Quantizer(bytearray(model))
    for kind, output_name in operators:
        quantizer.update_quantization_recipe(
            regex=f"^{re.escape(output_name)}(;|$)",
            operation_name=qtyping.TFLOperationName(kind),
            op_config=_weight_only_int8(),
        )
    quantized = quantizer.quantize().quantized_model
    if quantized is None:
        raise RuntimeError("the quantizer returned no model")
    return bytes(quantized)


def _weight_only_int8() -> Any:
    return qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=WEIGHT_BITS, symmetric=True, granularity=qtyping.QuantGranularity.CHANNELWISE
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )

"""A conversion's document for a reader: the int8 model beside the float one of the same converter."""

from __future__ import annotations

from envguard.models.text.models import model_lines, verdict_lines
from envguard.models.text.tables import wrapped
from envguard.payload.contract import ConvertDocument

WEIGHTS_ONLY = "weights"


def as_text(document: ConvertDocument) -> str:
    """The report for a terminal, the verdict last."""
    lines = wrapped(f"{document.input.path}, by TensorFlow {document.tensorflow}: {_kind(document)}.")
    lines += wrapped(f"The original below is its float conversion: {document.float_conversion.bytes:,} bytes.")
    lines += ["", *model_lines(document.models)]
    lines += [f"not run: {model.reason}" for model in document.models if not model.ran]
    lines += ["", *verdict_lines(document)]
    return "\n".join(lines)


def _kind(document: ConvertDocument) -> str:
    operators = document.operators
    if document.kind == WEIGHTS_ONLY:
        return "weights int8, activations float (dynamic range), because nothing calibrated it"
    float_ones = f", {operators.float32} stay float" if operators.float32 else ""
    calibrated = f"calibrated with {document.rows} inputs; inputs and outputs keep their types"
    return f"{operators.int8} operators int8{float_ones}, {calibrated}"

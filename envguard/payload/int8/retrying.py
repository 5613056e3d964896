"""Which models of a file to make again after gates refused it, from what the refused attempts found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..contract import TAKEN, Gate, QuantizedModel, QuantizeFindings, Request
from .refining import Again

QUANTIZER_FAILED = "quantizer-failed"
NOT_OF_RECIPES = frozenset({"no-op", "member-lost", "metadata-lost", "io-changed"})
"""Gates that no other recipe passes."""


def plan(request: Request) -> Mapping[str, Again]:
    """The models to make again, by name; empty where nothing is left to try.

    Of the models that a gate may be due to, the likeliest that is in int8 is taken; where the gate names none, that
    with the most error for the bytes saved.
    """
    attempt = request.refused[-1]
    found = attempt.findings
    if not isinstance(found, QuantizeFindings):
        return {}
    blamed: dict[str, list[Gate]] = {}
    for gate in attempt.gates:
        name = None if gate.name in NOT_OF_RECIPES else _blamed(gate, found.models)
        if name is None:
            return {}
        blamed.setdefault(name, []).append(gate)
    by_name = {model.name: model for model in found.models}
    return {
        name: Again(
            recipe=found.recipe.models.get(name),
            bytes=by_name[name].bytes_out,
            gates=tuple(gates),
            trials=by_name[name].candidates,
            errors=by_name[name].layer_errors,
            last=request.attempts_left == 0,
            alone=not any(model.quantized for model in found.models if model.name not in blamed),
        )
        for name, gates in blamed.items()
    }


def _blamed(gate: Gate, found: Sequence[QuantizedModel]) -> str | None:
    if gate.name == QUANTIZER_FAILED:
        return next(iter(gate.models), None)
    in_int8 = {model.name: model for model in found if model.quantized}
    likely = [name for name in gate.models if name in in_int8]
    if likely or gate.models:
        return next(iter(likely), None)
    return max(in_int8, key=lambda name: _error_per_byte(in_int8[name]), default=None)


def _error_per_byte(model: QuantizedModel) -> float:
    error = next((trial.error for trial in model.candidates if trial.outcome == TAKEN), None)
    return (1.0 if error is None else error) / max(model.bytes_in - model.bytes_out, 1)

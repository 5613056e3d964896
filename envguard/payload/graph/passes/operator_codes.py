"""Write every operator's number into the field that tools read.

Files from before 2020 hold it in `deprecatedBuiltinCode` alone. The runtime takes the larger of the two fields; the
quantizer reads the new one only, where 0 means ADD. Lossless; applies to any model.
"""

from __future__ import annotations

from ...contract import AppliedPass
from ..schema import ModelT, OperatorCodeT, builtin_code

NAME = "operator_codes"
_LARGEST_DEPRECATED = 127


def apply(model: ModelT) -> AppliedPass:
    """Set both fields as current converters do: the number, and its one-byte form capped at 127."""
    changed = 0
    for code in model.operatorCodes:
        number = builtin_code(code)
        changed += number != code.builtinCode
        code.builtinCode = number
        code.deprecatedBuiltinCode = min(number, _LARGEST_DEPRECATED)
    return AppliedPass(NAME, changed, "operator codes moved out of the legacy field")


def index_of(model: ModelT, number: int, version: int) -> int:
    """Where a model has an operator's number (at most 127), of that version or a later one; added if it is missing."""
    for index, code in enumerate(model.operatorCodes):
        if builtin_code(code) == number:
            code.version = max(code.version, version)
            return index
    code = OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = number
    code.version = version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1

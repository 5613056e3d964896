"""TFLite's generated schema, as LiteRT or TensorFlow ships it, and names for its numbers."""

from __future__ import annotations

try:
    from ai_edge_litert import schema_py_generated as generated
    from ai_edge_litert.schema_py_generated import (
        BufferT,
        BuiltinOperator,
        ModelT,
        OperatorCodeT,
        OperatorT,
        SubGraphT,
        TensorT,
        TensorType,
    )
except ImportError:  # The environment of TensorFlow's converter has no LiteRT.
    from tensorflow.lite.python import schema_py_generated as generated
    from tensorflow.lite.python.schema_py_generated import (
        BufferT,
        BuiltinOperator,
        ModelT,
        OperatorCodeT,
        OperatorT,
        SubGraphT,
        TensorT,
        TensorType,
    )

__all__ = [
    "BufferT",
    "BuiltinOperator",
    "ModelT",
    "OperatorCodeT",
    "OperatorT",
    "SubGraphT",
    "TensorT",
    "TensorType",
    "builtin_code",
    "generated",
    "operator_name",
    "text",
    "type_name",
]

_OPERATOR_NAMES: dict[int, str] = {
    number: name for name, number in vars(BuiltinOperator).items() if isinstance(number, int)
}
_TYPE_NAMES: dict[int, str] = {number: name for name, number in vars(TensorType).items() if isinstance(number, int)}


def builtin_code(code: OperatorCodeT) -> int:
    """The operator's number; files written before 2020 have it only in the deprecated one-byte field."""
    return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))


def operator_name(code: OperatorCodeT) -> str:
    """The operator as users know it: `CONV_2D`, or the custom operator's own name."""
    number = builtin_code(code)
    if number == BuiltinOperator.CUSTOM:
        return text(code.customCode) or "CUSTOM"
    return _OPERATOR_NAMES.get(number, f"operator {number}")


def type_name(number: int) -> str:
    """The tensor type as the schema spells it: `FLOAT32`."""
    return _TYPE_NAMES.get(int(number), f"type {number}")


def text(value: bytes | str | None) -> str:
    """A flatbuffer string as text; undecodable bytes are shown, not refused."""
    if value is None:
        return ""
    return value if isinstance(value, str) else bytes(value).decode("utf-8", "backslashreplace")

"""docs/run.schema.json, generated from the contract's types: `make docs` writes it."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from envguard.payload.contract import (
    ConvertDocument,
    InspectDocument,
    Json,
    QuantizeDocument,
    ReceiptDocument,
    SeveralDocument,
    TuneDocument,
    VerifyDocument,
    hints_of,
    key_of,
)

FILE = Path(__file__).parents[2] / "docs" / "run.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS = (
    QuantizeDocument,
    SeveralDocument,
    ConvertDocument,
    TuneDocument,
    VerifyDocument,
    InspectDocument,
    ReceiptDocument,
)
DESCRIPTION = """\
What `--json` prints: of `envguard run quantize` (one model: QuantizeDocument; several: SeveralDocument), \
`envguard run convert`, `envguard run tune`, `envguard run verify`, `envguard inspect` and `envguard verify-receipt`."""
SCALARS: Mapping[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}

Schema = dict[str, Json]


def run_schema() -> Schema:
    """A JSON Schema that every document fits, with a definition of each type."""
    definitions: Schema = {}
    choices: list[Json] = [_schema(kind, definitions) for kind in DOCUMENTS]
    return {
        "$schema": DRAFT,
        "title": "envguard run",
        "description": DESCRIPTION,
        "anyOf": choices,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as its file has it."""
    return json.dumps(run_schema(), indent=2, ensure_ascii=False) + "\n"


def _schema(hint: Any, definitions: Schema) -> Schema:
    """The schema of a type; what dataclasses it refers to is added to the definitions."""
    if isinstance(hint, type) and is_dataclass(hint):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = {}  # so that a type may refer to itself
            definitions[hint.__name__] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
    if origin is typing.Union:
        return _union(arguments, definitions)
    if origin is tuple:
        return _array(arguments, definitions)
    if origin is not None:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    return {"type": SCALARS[hint]}


def _object(kind: Any, definitions: Schema) -> Schema:
    hints = hints_of(kind)
    properties: Schema = {key_of(each): _schema(hints[each.name], definitions) for each in fields(kind)}
    return {
        "description": " ".join(inspect.cleandoc(kind.__doc__).split()),
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _union(choices: tuple[Any, ...], definitions: Schema) -> Schema:
    if any(typing.get_origin(each) is dict for each in choices):
        return {}  # any JSON
    kinds: list[Json] = [_schema(each, definitions) for each in choices if each is not type(None)]
    if type(None) in choices:
        kinds.append({"type": "null"})
    return {"anyOf": kinds}


def _array(items: tuple[Any, ...], definitions: Schema) -> Schema:
    if items[1:] == (Ellipsis,):
        return {"type": "array", "items": _schema(items[0], definitions)}
    prefix: list[Json] = [_schema(each, definitions) for each in items]
    return {"type": "array", "prefixItems": prefix, "items": False, "minItems": len(items)}


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")

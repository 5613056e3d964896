"""Whether a `--json` document is what docs/run.schema.json promises."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from tests.support.run_schema import run_schema

SCHEMA = run_schema()


def problems(document: Any, name: str) -> list[str]:
    """What of the document does not fit the definition of that name, such as `QuantizeDocument`, and where."""
    validator = Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{name}"}]})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]

"""docs/run.schema.json is what the contract's types say, and holds what they allow and nothing else."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from envguard.errors import BadInput
from envguard.models.quantizing import failed_run
from envguard.payload.contract import several_document, to_json
from envguard.running.several import RunError
from tests.support.documents import problems
from tests.support.reports import DOCUMENT
from tests.support.run_schema import FILE, run_schema, schema_text

FAILED = failed_run(Path("/models/b.tflite"), RunError.of(BadInput("It is quantized already.")))


def test_the_schema_is_what_the_types_say() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text(), "run `make docs` to regenerate it"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(run_schema())


def test_documents_fit() -> None:
    assert problems(to_json(DOCUMENT), "QuantizeDocument") == []
    assert problems(to_json(several_document("quantize", (DOCUMENT, FAILED))), "SeveralDocument") == []


def edited(path: str, value: object) -> Any:
    document: Any = copy.deepcopy(json.loads(json.dumps(to_json(DOCUMENT))))
    place = document
    *folders, last = path.split(".")
    for each in folders:
        place = place[int(each) if each.isdigit() else each]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", 1),
        ("verdict", None),
        ("surplus", 1),
        ("models.0.bytes_in", 1.5),
        ("models.0.latency.ratio", "0.9"),
        ("models.0.outputs.0.finite", None),
        ("input", {"path": "a.task"}),
        ("verify.step", "compare"),
    ],
)
def test_anything_else_does_not(path: str, value: object) -> None:
    assert problems(edited(path, value), "QuantizeDocument") != []

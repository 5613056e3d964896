"""An inspection is shown whole, within 80 columns, whatever names are in the file."""

from __future__ import annotations

import copy
from typing import Any

from envguard.models.text.inspection import as_text

DOCUMENT: dict[str, Any] = {
    "file": "face.task",
    "kind": "bundle",
    "bytes": 3_000,
    "members": [{"name": "detector.tflite", "bytes": 2_000}, {"name": "geometry.binarypb", "bytes": 10}],
    "models": [
        {
            "name": "detector",
            "bytes": 2_000,
            "state": "float16",
            "inputs": [{"name": "input", "dtype": "FLOAT32", "shape": [1, 8, 8, 3]}],
            "outputs": [{"name": "scores", "dtype": "FLOAT32", "shape": [1, 2]}],
            "operators": {"ADD": 1, "CONV_2D": 3},
            "weight_bytes": {"FLOAT16": 1_500},
            "constants": {"FLOAT16": 6},
            "activations": {"FLOAT32": 9},
            "passes": [{"pass": "fold_float16", "changed": 6, "what": "float16 constants folded"}],
            "becomes_int8": {"CONV_2D": {"operators": 3, "int8_weights": 2, "int8_arithmetic": 1}},
            "blocks": [{"what": "custom operator Strange", "effect": "only MediaPipe can run it"}],
        }
    ],
}


def test_every_fact_has_its_line() -> None:
    assert as_text(DOCUMENT).splitlines() == [
        "face.task: bundle, 3,000 bytes",
        "  detector.tflite  2,000",
        "  geometry.binarypb  10",
        "",
        "detector: 2,000 bytes, weights stored as float16",
        "  input      input, FLOAT32, 1 × 8 × 8 × 3",
        "  output     scores, FLOAT32, 1 × 2",
        "  operators  3 CONV_2D, 1 ADD",
        "  weights    FLOAT16 1,500 bytes",
        "  constants  6 FLOAT16",
        "  tensors    9 FLOAT32",
        "  pass       fold_float16: 6 × float16 constants folded",
        "  int8       weights of 2 of 3 CONV_2D, 1 of which compute in int8 too",
        "  blocked by custom operator Strange: only MediaPipe can run it",
    ]


def test_long_names_stay_within_eighty_columns() -> None:
    document = copy.deepcopy(DOCUMENT)
    model = document["models"][0]
    document["file"] = model["name"] = model["inputs"][0]["name"] = document["members"][0]["name"] = "n" * 300
    model["operators"] = {f"OPERATOR_{number}": 1 for number in range(40)}
    assert max(map(len, as_text(document).splitlines())) <= 80

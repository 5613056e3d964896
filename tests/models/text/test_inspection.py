"""An inspection is shown whole, within 80 columns, whatever names are in the file."""

from __future__ import annotations

from dataclasses import replace

from envguard.models.text.inspection import as_text
from envguard.payload.contract import (
    AppliedPass,
    InspectDocument,
    InspectedModel,
    IntegerTensors,
    Member,
    Obstacle,
    Port,
    RefusedOperator,
    RoadLint,
)

MODEL = InspectedModel(
    name="detector",
    bytes=2_000,
    operators={"ADD": 1, "CONV_2D": 3},
    custom_operators=(),
    weight_bytes={"FLOAT16": 1_500},
    constants={"FLOAT16": 6},
    activations={"FLOAT32": 9},
    inputs=(Port("input", (1, 8, 8, 3), (1, 8, 8, 3), "FLOAT32"),),
    outputs=(Port("scores", (1, 2), (1, 2), "FLOAT32"),),
    signatures=(),
    metadata={},
    associated_files=(),
    integer_quantized=IntegerTensors(0, 0),
    passes=(AppliedPass(changed=6, what="float16 constants folded", lossless=True, name="fold_float16"),),
    recipe=None,
    becomes_int8={"CONV_2D": {"operators": 3, "int8_weights": 2, "int8_arithmetic": 1}},
    state="float16",
    blocks=(Obstacle("custom operator Strange", "only MediaPipe can run it"),),
    roads=(
        RoadLint("cpu", "taken"),
        RoadLint("gpu", "refused", (RefusedOperator("SQUEEZE", 2, "Operation is not supported."),)),
        RoadLint("web-cpu", "taken"),
        RoadLint("web-gpu", "unknown"),
    ),
)
MEMBERS = (Member("detector.tflite", 2_000), Member("geometry.binarypb", 10))
DOCUMENT = InspectDocument("face.task", "bundle", 3_000, MEMBERS, (MODEL,))


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
        "  taken by   cpu, web-cpu",
        "  unknown by web-gpu",
        "  refused by gpu: 2 SQUEEZE: Operation is not supported.",
    ]


def test_long_names_stay_within_eighty_columns() -> None:
    long = "n" * 300
    operators = {f"OPERATOR_{number}": 1 for number in range(40)}
    model = replace(MODEL, name=long, inputs=(replace(MODEL.inputs[0], name=long),), operators=operators)
    document = replace(DOCUMENT, file=long, members=(Member(long, 2_000),), models=(model,))
    assert max(map(len, as_text(document).splitlines())) <= 80

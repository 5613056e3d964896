"""The table of several models fits 80 columns whatever they are called, and the exit code is that of the worst."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envguard.errors import BadInput, EnvguardError, NoEnvironment, StepFailed
from envguard.models.text.several import as_document, as_markdown, as_text, exit_code, failed_run
from tests.support.reports import DOCUMENT, measured

SLOW = {"step": "compare", "name": "slower", "message": "It takes 1.20 of the time.", "next": "Leave it."}
REFUSED = BadInput("It is quantized already.", why="its weights are int8", next_step="Name the original.")


def run(path: str = "/models/a.task", **changes: Any) -> dict[str, Any]:
    model = {**DOCUMENT["models"][0], "latency": measured(0.5, original_ms=4.0)}
    return {**DOCUMENT, "input": {**DOCUMENT["input"], "path": path}, "models": [model], **changes}


def no(**changes: Any) -> dict[str, Any]:
    return run(verdict="no", output=None, failures=[SLOW, SLOW], **changes)


def failed(error: EnvguardError, path: str = "/models/b.tflite") -> dict[str, Any]:
    return failed_run("quantize", Path(path), error.as_json())


def test_a_row_has_bytes_share_time_and_verdict() -> None:
    lines = as_text(as_document("quantize", [run(), no(), failed(REFUSED)])).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["a.task", "2,000", "1,000", "0.50", "0.50", "yes"],
        ["a.task", "2,000", "–", "–", "0.50", "no"],
        ["slower"],
        ["b.tflite", "–", "–", "–", "–", "failed"],
        ["It", "is", "quantized", "already."],
        [],
        ["3", "models:", "1", "yes,", "1", "no,", "1", "failed.", "Written", "to", "/models"],
    ]


def test_the_time_is_of_a_whole_call_where_mediapipe_measured_one() -> None:
    verify = {**DOCUMENT["verify"], "latency": {"ratio": 0.86}}
    assert as_text(as_document("quantize", [run(verify=verify)])).splitlines()[1].split()[4] == "0.86"


def test_the_time_of_a_bundle_is_that_of_its_models_together() -> None:
    models = [
        {**DOCUMENT["models"][0], "latency": {"original_ms": original, "quantized_ms": quantized}}
        for original, quantized in ((9.0, 5.0), (1.0, 2.0))
    ]
    assert as_text(as_document("quantize", [run(models=models)])).splitlines()[1].split()[4] == "0.70"


@pytest.mark.parametrize(
    "name", ["x" * 300, "line\nbreak.task", "\x1b[2J.task", "two words.task", "\udcff.tflite", "–" * 90]
)
def test_no_name_breaks_the_table(name: str) -> None:
    huge = {"path": f"/models/{name}", "bytes": 123_456_789_012, "sha256": "a" * 64}
    long_words = BadInput(f"The file {name} is not a model at all, and neither is {name}.")
    document = as_document("quantize", [run(input=huge), no(input=huge), failed(long_words, f"/models/{name}")])
    text = as_text(document)
    text.encode()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    assert lines[-1].startswith("3 models")


def test_long_names_keep_their_start_and_end() -> None:
    line = as_text(as_document("quantize", [run(f"/models/first{'x' * 200}last.task")])).splitlines()[1]
    assert line.startswith("first")
    assert "…" in line
    assert "last.task" in line


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ([run()], 0),
        ([run(), no()], 1),
        ([failed(StepFailed("It crashed.")), run()], 1),
        ([no(), failed(REFUSED)], 2),
        ([failed(NoEnvironment("None.")), failed(REFUSED), no(), run()], 3),
    ],
)
def test_the_exit_code_is_the_highest(runs: list[dict[str, Any]], code: int) -> None:
    document = as_document("quantize", runs)
    assert exit_code(document) == code
    assert document["verdict"] == ("no" if code else "yes")


def test_an_error_is_in_the_document_with_all_that_it_says() -> None:
    (document,) = as_document("quantize", [failed(REFUSED)])["runs"]
    assert document["verdict"] == "failed"
    assert document["input"] == {"path": "/models/b.tflite"}
    assert {key: document[key] for key in ("error", "why", "next", "exit_code")} == REFUSED.as_json()


def test_markdown_has_the_table_and_every_report() -> None:
    text = as_markdown(as_document("quantize", [run("/models/a|b.task"), no(), failed(REFUSED)]))
    assert text.startswith("# quantize: no\n")
    assert "| a\\|b.task | 2,000 | 1,000 | 0.50 | 0.50 | yes |" in text
    assert "| b.tflite | – | – | – | – | failed: It is quantized already. |" in text
    assert "\n## a|b.task: yes\n" in text
    assert "\n### Models\n" in text
    assert "slower (compare): It takes 1.20 of the time." in text
    assert "Name the original." in text
    assert text.count("\n# ") == 0

"""The table of several models fits 80 columns whatever they are called, and the exit code is that of the worst."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envguard.errors import BadInput, EnvguardError, NoEnvironment, StepFailed
from envguard.models.quantize import exit_code
from envguard.models.quantizing import failed_run
from envguard.models.text.several import as_markdown, as_text
from envguard.payload.contract import (
    CallTimes,
    FailedRun,
    FileRecord,
    QuantizeDocument,
    SeveralDocument,
    StepFailure,
    several_document,
    to_json,
)
from envguard.running.several import RunError
from tests.support.reports import DOCUMENT, MODEL, measured

SLOW = StepFailure("compare", "slower", "It takes 1.20 of the time.", "Leave it.")
REFUSED = BadInput("It is quantized already.", why="its weights are int8", next_step="Name the original.")
HALF = replace(MODEL, latency=measured(0.5, original_ms=4.0))


def run(path: str = "/models/a.task", **changes: object) -> QuantizeDocument:
    document = replace(DOCUMENT, input=replace(DOCUMENT.input, path=path), models=(HALF,))
    return replace(document, **changes)  # type: ignore[arg-type]


def no(path: str = "/models/a.task") -> QuantizeDocument:
    return run(path, verdict="no", output=None, failures=(SLOW, SLOW))


def failed(error: EnvguardError, path: str = "/models/b.tflite") -> FailedRun:
    return failed_run(Path(path), RunError.of(error))


def several(*runs: QuantizeDocument | FailedRun) -> SeveralDocument:
    return several_document("quantize", runs)


def test_a_row_has_bytes_share_time_and_verdict() -> None:
    lines = as_text(several(run(), no(), failed(REFUSED))).splitlines()
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
    assert DOCUMENT.verify is not None
    verify = replace(DOCUMENT.verify, latency=CallTimes(1.0, 0.86, 0.86))
    assert as_text(several(run(verify=verify))).splitlines()[1].split()[4] == "0.86"


def test_the_time_of_a_bundle_is_that_of_its_models_together() -> None:
    times = (measured(5 / 9, original_ms=9.0), measured(2.0, original_ms=1.0))
    models = tuple(replace(MODEL, latency=time) for time in times)
    assert as_text(several(run(models=models))).splitlines()[1].split()[4] == "0.70"


@pytest.mark.parametrize(
    "name", ["x" * 300, "line\nbreak.task", "\x1b[2J.task", "two words.task", "\udcff.tflite", "–" * 90]
)
def test_no_name_breaks_the_table(name: str) -> None:
    huge = FileRecord(f"/models/{name}", 123_456_789_012, "a" * 64)
    long_words = BadInput(f"The file {name} is not a model at all, and neither is {name}.")
    document = several(run(input=huge), replace(no(), input=huge), failed(long_words, f"/models/{name}"))
    text = as_text(document)
    text.encode()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line.isprintable() for line in lines)
    assert lines[-1].startswith("3 models")


def test_long_names_keep_their_start_and_end() -> None:
    line = as_text(several(run(f"/models/first{'x' * 200}last.task"))).splitlines()[1]
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
def test_the_exit_code_is_the_highest(runs: list[QuantizeDocument | FailedRun], code: int) -> None:
    document = several(*runs)
    assert exit_code(document) == code
    assert document.verdict == ("no" if code else "yes")


def test_an_error_is_in_the_document_with_all_that_it_says() -> None:
    document = to_json(failed(REFUSED))
    assert isinstance(document, dict)
    assert document["verdict"] == "failed"
    assert document["input"] == {"path": "/models/b.tflite"}
    assert {key: document[key] for key in ("error", "why", "next", "exit_code")} == REFUSED.as_json()


def test_markdown_has_the_table_and_every_report() -> None:
    text = as_markdown(several(run("/models/a|b.task"), no(), failed(REFUSED)))
    assert text.startswith("# quantize: no\n")
    assert "| a\\|b.task | 2,000 | 1,000 | 0.50 | 0.50 | yes |" in text
    assert "| b.tflite | – | – | – | – | failed: It is quantized already. |" in text
    assert "\n## a|b.task: yes\n" in text
    assert "\n### Models\n" in text
    assert "slower (compare): It takes 1.20 of the time." in text
    assert "Name the original." in text
    assert text.count("\n# ") == 0

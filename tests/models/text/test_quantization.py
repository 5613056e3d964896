"""The report says what was measured, and says so too when something was not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.models.text.quantization import as_markdown, as_text
from envguard.models.text.verification import NOT_REACHED
from envguard.payload.contract import (
    TAKEN,
    AppliedPass,
    CallTimes,
    ComparedModel,
    CompareFindings,
    Gate,
    ModelRecipe,
    OutsideModels,
    Processor,
    QuantizedModel,
    QuantizeFindings,
    RecipeDocument,
    RecipeSummary,
    RecipeTrial,
    RefusedAttempt,
    Run,
    StepFailure,
    StepRecord,
    VerifyFindings,
    quantize_document,
)
from tests.support.reports import DOCUMENT, MODEL, measured, output, with_model

QUANTIZED = QuantizeFindings(
    bytes_in=2000,
    bytes_out=1000,
    sha256_in="a" * 64,
    sha256_out="b" * 64,
    ratio=0.5,
    recipe=RecipeDocument("balanced"),
    cpu=Processor("x86_64", "", ()),
    dropped=(),
    models=(QuantizedModel("detector", 2000, 1000, True, RecipeSummary("int8"), (), ()),),
)
COMPARED = CompareFindings((ComparedModel("detector", ran=True, latency=MODEL.latency),), 2)


def run_of(*found: QuantizeFindings | CompareFindings | VerifyFindings) -> Run:
    """A run of the steps that found this."""
    steps = tuple(StepRecord(each.step, f"steps.{each.step}", each.step, 1.0, findings=each) for each in found)
    return Run(
        task="quantize",
        verdict="yes",
        envguard="1",
        date="2026-01-01T00:00:00Z",
        inputs={"input": DOCUMENT.input},
        outputs={},
        steps=steps,
        gates=(),
        environments=(),
    )


def call(original_ms: float, quantized_ms: float) -> VerifyFindings:
    """What verifying found, had a whole call taken so long."""
    latency = CallTimes(original_ms, quantized_ms, quantized_ms / original_ms)
    return VerifyFindings(verified=True, kind="face", mediapipe="0.10.21", latency=latency)


def outside_models(verify: VerifyFindings | None) -> OutsideModels | None:
    """What of a call the models are not, by the document of the run."""
    return quantize_document(run_of(QUANTIZED, COMPARED, *([verify] if verify else []))).outside_models


def test_the_row_of_a_model_has_its_worst_output() -> None:
    row = next(line for line in as_text(DOCUMENT).splitlines() if line.startswith("detector"))
    assert row.split() == ["detector", "2", "1", "0.90", "same", "1.50", "0.5000", "12", "dB"]


def test_what_a_busy_machine_could_not_tell_is_no_figure() -> None:
    text = as_text(with_model(latency=measured(0.5, differs=False, too_busy=True)))
    row = next(line for line in text.splitlines() if line.startswith("detector"))
    assert row.split()[3:6] == ["busy", "same", "1.50"]
    assert "run again with --fresh when it is idle" in " ".join(text.split())


def test_which_inputs_were_tried_is_said() -> None:
    assert "on 24 held-out inputs." in " ".join(as_text(DOCUMENT).split())
    document = with_model(inputs="synthetic", inputs_tried=4)
    document = replace(document, models=(*document.models, replace(MODEL, name="other")))
    assert "on 4 synthetic inputs (detector), 24 held-out inputs (other)." in " ".join(as_text(document).split())


NOT_RUN = with_model(
    ran=False,
    reason="not run: custom operator X",
    inputs=None,
    inputs_tried=0,
    outputs=(),
    **dict.fromkeys(("latency", "two_threads", "load", "first", "profile")),
)


def test_a_model_that_was_not_run_has_no_numbers_but_a_reason() -> None:
    text = as_text(NOT_RUN)
    assert "detector: not run: custom operator X" in text
    assert next(line for line in text.splitlines() if line.startswith("detector ")).split()[-5:] == ["–"] * 5
    assert "## Time" not in as_markdown(NOT_RUN)


def test_a_model_that_did_not_get_to_be_compared_has_a_row() -> None:
    assert "detector: not compared" in as_text(quantize_document(run_of(QUANTIZED)))


def test_every_line_fits_a_terminal_whatever_the_names() -> None:
    document = with_model(name="n" * 100, bytes_in=3_000_000_000)
    document = replace(document, models=document.models * 3)
    table = as_text(document).splitlines()[2:6]
    assert max(map(len, table)) <= 80
    assert all("…" in line for line in table[1:])


def test_where_the_time_goes_is_said_and_what_models_do_not_take() -> None:
    assert "Of the quantized models' 1.8 ms: float convolution 75%, between operators 25%." in as_text(DOCUMENT)
    outside = outside_models(call(5.0, 4.5))
    assert outside is not None
    assert outside.quantized.call_ms == 4.5
    assert outside.quantized.models_ms == pytest.approx(1.8)
    assert outside.quantized.rest_ms == pytest.approx(2.7)
    text = " ".join(as_text(replace(DOCUMENT, outside_models=outside)).split())
    assert "Of a call's 4.5 ms in MediaPipe, the models alone take 1.8; the other 60% is MediaPipe's own." in text


def test_nothing_is_said_of_a_call_that_seems_shorter_than_its_models() -> None:
    assert outside_models(call(1.9, 1.9)) is None
    assert outside_models(DOCUMENT.verify) is None
    assert outside_models(None) is None


def test_markdown_has_every_time_with_its_spread_and_the_profile() -> None:
    markdown = as_markdown(DOCUMENT)
    assert "| detector | loading | 2.00 (IQR 0.10) | 3.00 (IQR 0.10) | in words 1.5 |" in markdown
    assert "| detector | float convolution | 1.50 | 1.35 | 75% |" in markdown
    assert "| detector | 5: Convolution | 0.90 | 50% |" in markdown
    figures = "0.50000 | 12.4 dB | 0.1 of 0.1 | 0.9700 (column 17 of 84) | 1.0% | 0.90000 | 9.0 dB"
    assert f"| detector: scores | {figures} |" in markdown
    unprofiled = as_markdown(with_model(profile=None, profile_reason="this LiteRT has none"))
    assert "detector: no profile, this LiteRT has none" in unprofiled


def test_a_model_that_was_left_alone_says_why() -> None:
    text = as_text(with_model(quantized=False, recipe=RecipeSummary("unchanged", why="no weights")))
    assert "detector: weights unchanged: no weights" in text


def test_compression_is_called_by_its_name() -> None:
    report = AppliedPass(changed=1, what="compressed, not quantized: a pair", lossless=False, name="low_rank")
    assert "detector: compressed, not quantized: a pair" in as_text(with_model(passes=(report,)))
    assert "compressed" not in as_text(with_model(passes=(replace(report, changed=0),)))


def test_what_was_not_verified_is_said() -> None:
    assert "Not verified in MediaPipe 0.10.21: a bare model" in as_text(DOCUMENT)
    assert "Not verified in MediaPipe 0.10.21: a bare model" in as_markdown(DOCUMENT)
    assert NOT_REACHED in as_text(replace(DOCUMENT, verify=None))


def test_a_no_names_each_gate_and_what_to_do() -> None:
    failure = StepFailure("compare", "slower-than-limit", "It is slower.", "Rest.")
    text = as_text(replace(DOCUMENT, verdict="no", output=None, failures=(failure,)))
    assert text.endswith(
        "verdict: no. Nothing was written.\n  slower-than-limit (compare): It is slower.\n    next: Rest."
    )


def test_markdown_tables_survive_hostile_names() -> None:
    table = [line for line in as_markdown(with_model(name="a|b")).splitlines() if line.startswith("|")]
    assert table[2].startswith("| a\\|b |")


def test_what_was_tried_before_is_told_with_what_the_gates_said() -> None:
    def found(layers: tuple[tuple[int, str], ...], name: str, size: int) -> QuantizeFindings:
        recipe = RecipeDocument("balanced", {"detector": ModelRecipe(layers, False), "other": ModelRecipe((), False)})
        trial = RecipeTrial(name, size, None, None, TAKEN)
        models = [replace(QUANTIZED.models[0], candidates=(trial,)), replace(QUANTIZED.models[0], name="other")]
        return replace(QUANTIZED, recipe=recipe, models=tuple(models), bytes_out=size)

    first = found(((4, "int8"),), "int8 weights", 1000)
    last = found(((3, "int8"), (1, "float16")), "int8 weights, but 1 layers in float16", 1100)
    gate = Gate("landmark-shift", "Shift", passed=False, message="Landmarks move by 0.40 pixels; 0.3 is allowed.")
    run = replace(run_of(last), refused=(RefusedAttempt("quantize", (gate,), first),))
    document = quantize_document(run)
    (refused,) = document.refused
    assert (refused.bytes, refused.candidates, refused.recipe) == (1000, {"detector": "int8 weights"}, first.recipe)
    told = "tried: 1,000 bytes (detector: int8 weights). landmark-shift: Landmarks move by 0.40 pixels; 0.3 is allowed."
    assert told in " ".join(as_text(document).split())
    assert f"- {told}" in as_markdown(document)
    assert "tried: " not in as_text(quantize_document(run_of(last)))


def test_outputs_that_the_program_does_not_read_are_marked() -> None:
    whole, partly, unread = (replace(output(0.9, 1.0), unread_from=first) for first in (None, 99, 0))
    told = as_markdown(with_model(outputs=(whole, partly, unread)))
    for title in ("scores ", "scores, columns 1 to 99", "scores, which is not read"):
        assert f": {title}" in told

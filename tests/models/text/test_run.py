"""The report says what was measured, and says so too when something was not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from envguard.models.text.run import as_markdown, as_text
from envguard.models.text.times import outside_models
from tests.support.reports import DOCUMENT, measured


def with_model(**changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document["models"][0].update(changes)
    return document


def test_the_row_of_a_model_has_its_worst_output() -> None:
    row = next(line for line in as_text(DOCUMENT).splitlines() if line.startswith("detector"))
    assert row.split() == ["detector", "2", "1", "0.90", "same", "1.50", "0.5000", "12", "dB"]


def test_what_a_busy_machine_could_not_tell_is_no_figure() -> None:
    text = as_text(with_model(latency={**measured(0.5, differs=False), "too_busy": True}))
    row = next(line for line in text.splitlines() if line.startswith("detector"))
    assert row.split()[3:6] == ["busy", "same", "1.50"]
    assert "run again when it rests" in " ".join(text.split())


def test_which_inputs_were_tried_is_said() -> None:
    assert "on 24 held-out inputs." in " ".join(as_text(DOCUMENT).split())
    document = with_model(inputs="synthetic", inputs_tried=4)
    document["models"].append({**DOCUMENT["models"][0], "name": "other"})
    assert "on 4 synthetic inputs (detector), 24 held-out inputs (other)." in " ".join(as_text(document).split())


NOT_RUN: dict[str, Any] = {
    "ran": False, "reason": "not run: custom operator X", "latency": None, "two_threads": None, "load": None,
    "first": None, "inputs": None, "inputs_tried": 0, "outputs": [], "profile": None,
}  # fmt: skip


def test_a_model_that_was_not_run_has_no_numbers_but_a_reason() -> None:
    text = as_text(with_model(**NOT_RUN))
    assert "detector: not run: custom operator X" in text
    assert next(line for line in text.splitlines() if line.startswith("detector ")).split()[-5:] == ["–"] * 5
    assert "## Time" not in as_markdown(with_model(**NOT_RUN))


def test_a_model_that_did_not_get_to_be_compared_has_a_row() -> None:
    model = {key: DOCUMENT["models"][0][key] for key in ("name", "bytes_in", "bytes_out", "quantized", "recipe")}
    nothing = {"ran": False, "reason": "not compared", "latency": None, "outputs": []}
    assert "detector: not compared" in as_text({**DOCUMENT, "models": [{**model, **nothing}]})


def test_every_line_fits_a_terminal_whatever_the_names() -> None:
    document = with_model(name="n" * 100, bytes_in=3_000_000_000)
    document["models"] *= 3
    table = as_text(document).splitlines()[2:6]
    assert max(map(len, table)) <= 80
    assert all("…" in line for line in table[1:])


def test_where_the_time_goes_is_said_and_what_models_do_not_take() -> None:
    assert "Of the quantized models' 1.8 ms: float convolution 75%, between operators 25%." in as_text(DOCUMENT)
    verify = {"latency": {"original_ms": 5.0, "quantized_ms": 4.5}}
    outside = outside_models(DOCUMENT["models"], verify)
    assert outside is not None
    assert outside["quantized"] == pytest.approx({"call_ms": 4.5, "models_ms": 1.8, "rest_ms": 2.7})
    text = " ".join(as_text({**DOCUMENT, "outside_models": outside}).split())
    assert "Of a call's 4.5 ms in MediaPipe, the models alone take 1.8; the other 60% is MediaPipe's own." in text


def test_nothing_is_said_of_a_call_that_seems_shorter_than_its_models() -> None:
    assert outside_models(DOCUMENT["models"], {"latency": {"original_ms": 1.9, "quantized_ms": 1.9}}) is None
    assert outside_models(DOCUMENT["models"], {"verified": False}) is None
    assert outside_models(DOCUMENT["models"], None) is None


def test_markdown_has_every_time_with_its_spread_and_the_profile() -> None:
    markdown = as_markdown(DOCUMENT)
    assert "| detector | loading | 2.00 (IQR 0.10) | 3.00 (IQR 0.10) | in words 1.5 |" in markdown
    assert "| detector | float convolution | 1.50 | 1.35 | 75% |" in markdown
    assert "| detector | 5: Convolution | 0.90 | 50% |" in markdown
    assert "| detector: scores | 0.50000 | 12.4 dB | 0.1 of 0.1 | 0.90000 | 9.0 dB |" in markdown
    unprofiled = as_markdown(with_model(profile=None, profile_reason="this LiteRT has none"))
    assert "detector: no profile, this LiteRT has none" in unprofiled


def test_a_model_that_was_left_alone_says_why() -> None:
    text = as_text(with_model(quantized=False, recipe={"weights": "unchanged", "why": "no weights"}))
    assert "detector: weights left as they are: no weights" in text


def test_compression_is_called_by_its_name() -> None:
    report = {"pass": "low_rank", "changed": 1, "what": "compressed, not quantized: a pair", "lossless": False}
    assert "detector: compressed, not quantized: a pair" in as_text(with_model(passes=[report]))
    assert "compressed" not in as_text(with_model(passes=[{**report, "changed": 0}]))


def test_what_was_not_verified_is_said() -> None:
    assert "Not verified in MediaPipe 0.10.21: a bare model" in as_text(DOCUMENT)
    assert "Not verified in MediaPipe 0.10.21: a bare model" in as_markdown(DOCUMENT)
    assert "did not get to verify" in as_text({**DOCUMENT, "verify": None})


def test_a_no_names_each_gate_and_what_to_do() -> None:
    failure = {"step": "compare", "name": "slower-than-limit", "message": "It is slower.", "next": "Rest."}
    text = as_text({**DOCUMENT, "verdict": "no", "output": None, "failures": [failure]})
    assert text.endswith(
        "verdict: no. Nothing was written.\n  slower-than-limit (compare): It is slower.\n    next: Rest."
    )


def test_markdown_tables_survive_hostile_names() -> None:
    table = [line for line in as_markdown(with_model(name="a|b")).splitlines() if line.startswith("|")]
    assert table[2].startswith("| a\\|b |")

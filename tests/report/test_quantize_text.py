"""The report says what was measured, and says so too when something was not."""

from __future__ import annotations

import copy
from typing import Any

from envguard.report.text import as_markdown, as_text

DOCUMENT: dict[str, Any] = {
    "task": "quantize",
    "verdict": "yes",
    "failures": [],
    "input": {"path": "/models/face|.task", "bytes": 2000, "sha256": "a" * 64},
    "output": {"path": "/models/out.task", "bytes": 1000, "sha256": "b" * 64},
    "ratio": 0.5,
    "dropped": [],
    "models": [
        {
            "name": "detector",
            "bytes_in": 2000,
            "bytes_out": 1000,
            "quantized": True,
            "recipe": {},
            "ran": True,
            "reason": "",
            "latency": {"ratio": 0.98},
            "outputs": [{"cosine": 0.999, "peak": 2.0}, {"cosine": 0.5, "peak": 0.1}, {"cosine": 0.02, "peak": 1e-9}],
        }
    ],
    "verify": {"verified": False, "mediapipe": "0.10.21", "reason": "a bare model"},
    "environments": [],
}


def with_model(**changes: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    document["models"][0].update(changes)
    return document


def test_the_row_of_a_model_has_its_worst_output() -> None:
    row = next(line for line in as_text(DOCUMENT).splitlines() if line.startswith("detector"))
    assert row.split() == ["detector", "2,000", "1,000", "0.50", "0.98", "0.5000"]


def test_a_model_that_was_not_run_has_no_numbers_but_a_reason() -> None:
    text = as_text(with_model(ran=False, reason="not run: custom operator X", latency=None, outputs=[]))
    assert "detector: not run: custom operator X" in text
    assert next(line for line in text.splitlines() if line.startswith("detector ")).split()[-2:] == ["–", "–"]


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

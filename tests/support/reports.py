"""The document of a run of `quantize`, as the renderings get it."""

from __future__ import annotations

from typing import Any


def measured(ratio: float, *, original_ms: float = 2.0, differs: bool = True) -> dict[str, Any]:
    times = {"original_ms": original_ms, "quantized_ms": ratio * original_ms}
    spread = {"original_iqr_ms": 0.1, "quantized_iqr_ms": 0.1}
    return {**times, **spread, "ratio": ratio, "differs": differs, "verdict": f"in words {ratio}"}


def output(cosine: float, peak: float, snr: float | None = 30.0) -> dict[str, Any]:
    noise = {"noise_cosine": 0.9, "noise_snr_db": 9.0, "noise_max_abs_error": 0.2}
    return {"name": "scores", "cosine": cosine, "peak": peak, "snr_db": snr, "max_abs_error": 0.1, **noise}


def profiled(milliseconds: float) -> dict[str, Any]:
    return {
        "ms": milliseconds,
        "kinds": [{"kind": "float convolution", "operators": 3, "ms": milliseconds * 0.75, "share": 0.75}],
        "slowest": [{"place": 4, "operator": "Convolution", "ms": milliseconds * 0.5, "share": 0.5}],
        "between": {"ms": milliseconds * 0.25, "share": 0.25},
    }


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
            "inputs": "held-out",
            "inputs_tried": 24,
            "latency": measured(0.9),
            "two_threads": measured(0.98, differs=False),
            "two_threads_reason": "",
            "load": measured(1.5),
            "first": measured(0.8),
            "outputs": [output(0.999, 2.0), output(0.5, 0.1, snr=12.4), output(0.02, 1e-9, snr=-20.0)],
            "profile": {"measured_by": "a profiler", "original": profiled(2.0), "quantized": profiled(1.8)},
            "profile_reason": "",
        }
    ],
    "verify": {"verified": False, "mediapipe": "0.10.21", "reason": "a bare model"},
    "environments": [],
}

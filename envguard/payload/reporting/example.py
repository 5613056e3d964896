"""A run that never was, of made-up figures, to prove and to test that a page can be made of a real one."""

from __future__ import annotations

import math
from typing import Any

MODEL = "landmarks"
SIDE = 256
DETECTIONS = 12
HASH = "0123456789abcdef" * 4
SCORES = ("jawOpen", "eyeBlinkLeft", "mouthSmileRight")


def run_of(name: str, jpeg: str, *, passed: bool = True) -> dict[str, Any]:
    """What `page.render` takes, for an input file of that name and a picture (JPEG in base64) of 64 by 48 pixels."""
    return {
        "document": document(name, passed=passed),
        "details": details(name, jpeg),
        "samples": {MODEL: {"latency": [[2.0 + _wave(each), 1.6 + _wave(each + 3)] for each in range(40)]}},
        "about": {
            "envguard": "0",
            "date": "2000-01-01T00:00:00Z",
            "limits": {
                "compare": {"max_latency_ratio": 1.05},
                "verify": {"max_landmark_px": 0.4, "max_blendshape": 0.008, "max_faces_lost": 0.005},
            },
            "receipt": {"path": f"{name}.receipt.json", "bytes": 1_234, "sha256": HASH} if passed else None,
        },
    }


def document(name: str, *, passed: bool = True) -> dict[str, Any]:
    """The document of a run whose verdict is yes, or no because of how far landmarks move."""
    shift = 0.3 if passed else 0.6
    failure = {"step": "verify", "name": "landmark-shift", "message": "Landmarks move too far.", "next": "Calibrate."}
    return {
        "schema": 1,
        "task": "quantize",
        "verdict": "yes" if passed else "no",
        "failures": [] if passed else [failure],
        "input": {"path": f"/models/{name}", "bytes": 2_000_000, "sha256": HASH},
        "output": {"path": f"/models/int8 {name}", "bytes": 1_100_000, "sha256": HASH} if passed else None,
        "ratio": 0.55,
        "dropped": [],
        "recipe": {"models": {MODEL: {"layers": [[3, "float16"], [2, "int8"], [1, "int8 dynamic"]]}}},
        "cpu": {"architecture": "none", "name": "Example", "vectors": []},
        "models": [_model(MODEL), {**_model("custom"), **NOT_RUN}],
        "verify": _verify(shift),
        "outside_models": None,
        "processors": 2,
        "environments": [_environment()],
        "steps": [{"name": "verify", "seconds": 10.0}],
    }


def details(name: str, jpeg: str) -> dict[str, Any]:
    """What the step verify would hand on: one picture, one zoom, three scores."""
    before = [[20.0 + 10 * math.cos(turn), 20.0 + 10 * math.sin(turn)] for turn in range(6)]
    after = [[x + 0.4, y - 0.2] for x, y in before]
    shown = {"name": f"{name}.jpg", "jpeg": jpeg, "size": [64, 48]}
    return {
        "schema": 1,
        "kind": "face",
        "crop_side": SIDE,
        "images": [
            {
                "name": f"{each}",
                "before": 1,
                "lost": 0,
                "extra": 0,
                "px": [0.3 + _wave(each)],
                "ms": [9.0 + each, 8.0 + each],
            }
            for each in range(DETECTIONS)
        ],
        "noise_px": [0.35 + _wave(each) for each in range(6)],
        "scores": {
            "names": list(SCORES),
            "mean_abs": [0.01, 0.006, 0.002],
            "max": [0.1, 0.06, 0.02],
            "noise_mean_abs": [0.008] * 3,
        },
        "views": 2,
        "pictures": [{**shown, "px": [0.3], "before": [before], "after": [after], "lost": [before], "extra": []}],
        "zooms": [{**shown, "magnified": 8.0, "landmark": 3, "shift": 1.2, "before": before, "after": after}],
    }


def _model(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "bytes_in": 1_000_000,
        "bytes_out": 500_000,
        "quantized": True,
        "recipe": {"arithmetic": "float32", "int8_weights": 9_000, "float_weights": 1_000},
        "candidates": [
            {"name": "float16", "bytes": 990_000, "error": 0.1, "time": None, "outcome": "larger"},
            {"name": "int8 weights", "bytes": 500_000, "error": 0.9, "time": _timed(), "outcome": "taken"},
        ],
        "passes": [{"pass": "fold_float16", "what": "constants folded", "lossless": True, "changed": 7}],
        "ran": True,
        "reason": "",
        "inputs": "held-out",
        "inputs_tried": 24,
        "layers": [
            {"place": 4, "operator": "CONV_2D", "shape": [8, 1, 1, 8], "weights": 64, "snr_db": 40.0},
            {"place": 7, "operator": "CONV_2D", "shape": [8, 3, 3, 8], "weights": 576, "snr_db": 35.0},
            {"place": 9, "operator": "FULLY_CONNECTED", "shape": [8, 8], "weights": 64, "snr_db": None},
        ],
        "outputs": [_output("points", 55.0), _output("presence", 40.0)],
        "latency": _timed(),
        "two_threads": None,
        "two_threads_reason": "not measured: only one processor may be used here",
        "load": _timed(),
        "first": _timed(),
        "profile": {side: {"kinds": [{"kind": "convolution", "ms": 1.0}]} for side in ("original", "quantized")},
        "profile_reason": "",
    }


NOT_RUN = {
    "ran": False,
    "reason": "not run: custom operator Example",
    "outputs": [],
    "layers": [],
    "latency": None,
    "two_threads": None,
    "load": None,
    "first": None,
    "profile": None,
    "candidates": [],
}


def _output(name: str, decibels: float) -> dict[str, Any]:
    return {
        "name": name,
        "cosine": 0.9999,
        "snr_db": decibels,
        "max_abs_error": 0.5,
        "peak": 200.0,
        "noise_cosine": 0.9998,
        "noise_snr_db": 45.0,
    }


def _timed() -> dict[str, Any]:
    return {
        "original_ms": 2.0,
        "quantized_ms": 1.6,
        "original_iqr_ms": 0.1,
        "quantized_iqr_ms": 0.1,
        "ratio": 0.8,
        "low": 0.78,
        "high": 0.82,
        "rounds": 40,
        "interrupted": 2,
        "differs": True,
        "too_busy": False,
        "verdict": "faster: 0.80 of the original's time (0.78 to 0.82)",
    }


def _verify(shift: float) -> dict[str, Any]:
    counts = {"images": DETECTIONS, "before": DETECTIONS, "after": DETECTIONS, "lost": 0, "extra": 0}
    moved = {"px_256": {"mean": shift, "p95": 2 * shift, "max": 3 * shift}, "inter_ocular": {"mean": shift / 90}}
    return {
        "verified": True,
        "kind": "face",
        "mediapipe": "0",
        "reference": "original",
        "sample_size": {"pictures": 1, "views": 2, "images": DETECTIONS},
        "faces": counts,
        "landmark_shift": moved,
        "blendshapes": {"mean_abs": 0.005, "max": 0.1},
        "latency": {"original_ms": 14.0, "quantized_ms": 13.0, "ratio": 13 / 14},
        "noise_floor": {"faces": counts, "landmark_shift": moved, "blendshapes": {"mean_abs": 0.006, "max": 0.1}},
    }


def _environment() -> dict[str, Any]:
    proof = {"result": "works", "check": "checks.verify", "platform": "any", "libc": "", "date": "2000-01-01T00:00:00Z"}
    facts = {"name": "verify", "edition": "1", "python": "3.11", "backend": "venv", "base": None, "lock": HASH}
    return {**facts, "proof": proof, "failed_before": []}


def _wave(place: int) -> float:
    return 0.1 + 0.1 * math.sin(place)

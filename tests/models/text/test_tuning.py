"""What runtime options are worth, for a reader: tables that fit, what is advised, and code that can be pasted."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from envguard.models.text.tuning import WIDTH, as_markdown, as_text
from envguard.models.text.tuning_code import code
from tests.support.environments import workshop

ALL = {
    "running_mode": "LIVE_STREAM",
    "num_faces": 1,
    "min_face_detection_confidence": 0.7,
    "output_face_blendshapes": False,
}


def trial(option: str, value: object, verdict: str, **found: int) -> dict[str, Any]:
    ratio = {"faster": 0.7, "slower": 1.4}.get(verdict, 1.0)
    return {
        "option": option,
        "value": value,
        "others": {},
        "verdict": verdict,
        "time": {"ratio": ratio, "low": ratio - 0.02, "high": ratio + 0.02, "before_ms": 8.0, "before_iqr_ms": 0.3},
        "found": {"frames": 64, "before": 60, "after": 60, "lost": 0, "extra": 0, "fewer": 0, **found},
    }


def document(*trials: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {
        "input": {"path": "folder/face_landmarker.task"},
        "output": None,
        "kind": "face",
        "mediapipe": "0.10.21",
        "sample_size": {"pictures": 8, "views": 8, "timed": 3},
        "cpu": {"name": "A processor with a long name @ 2.50GHz", "architecture": "x86_64"},
        "processors": 1,
        "control": trial("", "", "same")["time"],
        "defaults": {"running_mode": "IMAGE", "num_faces": 1, "min_face_detection_confidence": 0.5},
        "trials": list(trials),
        "advice": {},
        "together": None,
        "thread_options": [],
        "code": {},
        **others,
    }


MEASURED = document(
    trial("running_mode", "VIDEO", "faster", after=64, lost=3, extra=7),
    trial("min_face_detection_confidence", 0.7, "faster", after=50, lost=10, fewer=10),
    trial("num_faces", 2, "slower"),
    {**trial("min_tracking_confidence", 0.3, "same"), "others": {"running_mode": "VIDEO"}},
    advice={"running_mode": "VIDEO", "num_faces": 1},
    together=trial("running_mode", "VIDEO", "faster", extra=1),
    code=code("face", {"running_mode": "VIDEO", "num_faces": 1}),
)


def test_no_line_is_wider_than_a_terminal() -> None:
    assert max(map(len, as_text(MEASURED).splitlines())) <= WIDTH


def test_every_trial_is_told_with_its_spread_and_its_cost() -> None:
    lines = [" ".join(line.split()) for line in as_text(MEASURED).splitlines()]
    assert "running_mode VIDEO 0.70 0.68–0.72 faster 64 3 7" in lines
    assert "num_faces 2 1.40 1.38–1.42 slower 60 0 0" in lines
    assert "together 0.70 0.68–0.72 faster 60 0 1" in lines
    under_video = lines.index("With running_mode VIDEO, against the other defaults:")
    assert "min_tracking_confidence 0.3 1.00 0.98–1.02 same 60 0 0" in lines[under_video:]


def test_what_gains_what_is_kept_and_what_only_finds_less_are_told_apart() -> None:
    text = " ".join(as_text(MEASURED).split())
    assert "Worth setting: running_mode VIDEO." in text
    assert "Worth keeping at the default, as others are slower: num_faces 1." in text
    assert "Faster because less is found: min_face_detection_confidence 0.7 (10 of 60 fewer)." in text
    assert "has no option that sets them" in text


def test_no_gain_is_called_none() -> None:
    text = " ".join(as_text(document(trial("num_faces", 2, "same"))).split())
    assert "No setting gains time that this measurement can tell" in text
    assert "Java" not in text


def test_markdown_has_the_same_and_its_code_in_blocks() -> None:
    text = as_markdown(MEASURED)
    assert "| running_mode VIDEO | 0.70 | 0.68–0.72 | faster | 64 | 3 | 7 |" in text
    assert text.count("```") == 2 * len(MEASURED["code"])


def test_the_code_of_every_language_has_every_setting() -> None:
    written = {language: "\n".join(lines) for language, lines in code("face", ALL).items()}
    for expected in (
        "FaceLandmarkerOptions.builder()",
        ".setRunningMode(RunningMode.LIVE_STREAM)",
        ".setNumFaces(1)",
        ".setMinFaceDetectionConfidence(0.7f)",
        ".setOutputFaceBlendshapes(false)",
        "detectAsync(image, timestampMs)",
    ):
        assert expected in written["Java"]
        assert expected in written["Kotlin"]
    assert ".setResultListener(this::onResult)" in written["Java"]
    for expected in (
        "options.runningMode = .liveStream",
        "options.minFaceDetectionConfidence = 0.7",
        "options.outputFaceBlendshapes = false",
        "options.faceLandmarkerLiveStreamDelegate = self",
        "detectAsync(image: image, timestampInMilliseconds: timestampMs)",
    ):
        assert expected in written["Swift"]
    # The web has no LIVE_STREAM.
    for expected in ('runningMode: "VIDEO",', "numFaces: 1,", "outputFaceBlendshapes: false,", "detectForVideo("):
        assert expected in written["JavaScript"]


@pytest.mark.network
@pytest.mark.slow
def test_mediapipe_takes_the_python_code_of_every_kind(store_home: Path) -> None:
    python = workshop(store_home).prepare("verify").built.layout.python
    lines = [
        "from mediapipe.tasks.python import BaseOptions, vision",
        "base_options = BaseOptions(model_asset_path='none.task')",
        "on_result = print",
    ]
    for kind in ("face", "hand", "pose"):
        confidences = {f"min_{kind}_{what}_confidence": 0.7 for what in ("detection", "presence")}
        settings = {"running_mode": "LIVE_STREAM", f"num_{kind}s": 2, **confidences, "min_tracking_confidence": 0.3}
        pasted = code(kind, settings)["Python"]
        lines += [*pasted[:-1], f"assert options.num_{kind}s == 2, options"]
        lines.append(
            f"assert hasattr(vision.{kind.capitalize()}Landmarker, {pasted[-1].split('.')[1].split('(')[0]!r})"
        )
    run = subprocess.run([python, "-I", "-c", "\n".join(lines)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr

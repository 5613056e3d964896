"""What runtime options are worth, for a reader: tables that fit, what is advised, and code that can be pasted."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.models.text.tables import WIDTH
from envguard.models.text.tuning import as_markdown, as_text
from envguard.models.text.tuning_code import code
from envguard.payload.contract import (
    FileRecord,
    FoundCounts,
    FrameTimes,
    OptionTrial,
    Processor,
    Setting,
    TuneDocument,
    TunedOn,
)
from tests.support.environments import workshop

ALL: dict[str, Setting] = {
    "running_mode": "LIVE_STREAM",
    "num_faces": 1,
    "min_face_detection_confidence": 0.7,
    "output_face_blendshapes": False,
}
NOTHING_LOST = FoundCounts(frames=64, before=60, after=60, lost=0, extra=0, fewer=0)


def trial(option: str, value: Setting, verdict: str, **found: int) -> OptionTrial:
    return OptionTrial(option, value, {}, verdict, times(verdict), replace(NOTHING_LOST, **found))


def times(verdict: str) -> FrameTimes:
    ratio = {"faster": 0.7, "slower": 1.4}.get(verdict, 1.0)
    return FrameTimes(
        before_ms=8.0,
        after_ms=8.0 * ratio,
        before_iqr_ms=0.3,
        after_iqr_ms=0.3,
        ratio=ratio,
        low=ratio - 0.02,
        high=ratio + 0.02,
        rounds=10,
        interrupted=0,
    )


def document(
    *trials: OptionTrial, advice: Mapping[str, Setting] | None = None, together: OptionTrial | None = None
) -> TuneDocument:
    return TuneDocument(
        task="tune",
        input=FileRecord("folder/face_landmarker.task", 1, "a" * 64),
        output=None,
        kind="face",
        mediapipe="0.10.21",
        defaults={"running_mode": "IMAGE", "num_faces": 1, "min_face_detection_confidence": 0.5},
        control=times("same"),
        trials=trials,
        advice=advice or {},
        together=together,
        thread_options=(),
        cpu=Processor("x86_64", "A processor with a long name @ 2.50GHz", ()),
        processors=1,
        sample_size=TunedOn(pictures=8, views=8, timed=3),
        code=code("face", advice or {}),
        environments=(),
    )


MEASURED = document(
    trial("running_mode", "VIDEO", "faster", after=64, lost=3, extra=7),
    trial("min_face_detection_confidence", 0.7, "faster", after=50, lost=10, fewer=10),
    trial("num_faces", 2, "slower"),
    replace(trial("min_tracking_confidence", 0.3, "same"), others={"running_mode": "VIDEO"}),
    advice={"running_mode": "VIDEO", "num_faces": 1},
    together=trial("running_mode", "VIDEO", "faster", extra=1),
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
    assert "No setting gains measurable time" in text
    assert ".setDelegate(Delegate.CPU)" in text
    assert "setNumFaces" not in text


def test_markdown_has_the_same_and_its_code_in_blocks() -> None:
    text = as_markdown(MEASURED)
    assert "| running_mode VIDEO | 0.70 | 0.68–0.72 | faster | 64 | 3 | 7 |" in text
    assert text.count("```") == 2 * len(MEASURED.code)


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


def test_the_code_of_every_language_names_both_delegates() -> None:
    written = {language: "\n".join(lines) for language, lines in code("face", {}).items()}
    assert ".setDelegate(Delegate.CPU) // or Delegate.GPU, if it takes the file" in written["Java"]
    assert ".setDelegate(Delegate.CPU) // or Delegate.GPU, if it takes the file" in written["Kotlin"]
    assert "options.baseOptions.delegate = .CPU // or .GPU, if it takes the file" in written["Swift"]
    assert "# or BaseOptions.Delegate.GPU, if it takes the file" in written["Python"]
    assert 'delegate: "CPU", // or "GPU", if it takes the file' in written["JavaScript"]


def test_a_gesture_recognizer_is_called_by_its_own_names() -> None:
    written = {language: "\n".join(lines) for language, lines in code("gesture", {"running_mode": "VIDEO"}).items()}
    assert "recognizer.recognizeForVideo(image, timestampMs)" in written["Kotlin"]
    assert "recognizer.recognize_for_video(image, timestamp_ms)" in written["Python"]
    assert "const recognizer = await GestureRecognizer.createFromOptions(" in written["JavaScript"]


@pytest.mark.network
@pytest.mark.slow
def test_mediapipe_takes_the_python_code_of_every_kind(store_home: Path) -> None:
    python = workshop(store_home).prepare("verify").built.layout.python
    lines = [
        "from mediapipe.tasks.python import BaseOptions, vision",
        "model_path = 'none.task'",
        "on_result = print",
    ]
    apis = {kind: f"{kind.capitalize()}Landmarker" for kind in ("face", "hand", "pose")}
    for kind, api in {**apis, "gesture": "GestureRecognizer"}.items():
        thing = "hand" if kind == "gesture" else kind
        confidences = {f"min_{thing}_{what}_confidence": 0.7 for what in ("detection", "presence")}
        settings: dict[str, Setting] = {
            "running_mode": "LIVE_STREAM",
            f"num_{thing}s": 2,
            **confidences,
            "min_tracking_confidence": 0.3,
        }
        pasted = code(kind, settings)["Python"]
        lines += [*pasted[:-1], f"assert options.num_{thing}s == 2, options"]
        lines.append("assert options.base_options.delegate == BaseOptions.Delegate.CPU != BaseOptions.Delegate.GPU")
        lines.append(f"assert hasattr(vision.{api}, {pasted[-1].split('.')[1].split('(')[0]!r})")
    run = subprocess.run([python, "-I", "-c", "\n".join(lines)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr

"""Where MediaPipe runs the models of its bundles when it is asked for the GPU: by their names, it need not be here."""

from __future__ import annotations

from enum import Enum


class Runner(Enum):
    """What runs a model: the GPU delegate in either of its two interfaces, or the CPU all the same."""

    DELEGATE = "gpu {}"
    ADVANCED = "gpu { use_advanced_gpu_api: true }"
    PROCESSOR = "xnnpack {}"


_RUNNERS = {
    # "Sets FaceBlendshapesGraph acceleration to xnnpack by default.", face_landmarker_graph.cc
    "face_blendshapes.tflite": Runner.PROCESSOR,
    # "Hand Gesture Recognizer contains CPU only ops. Sets HandGestureRecognizerGraph acceleration to Xnnpack.",
    # gesture_recognizer_graph.cc
    "gesture_embedder.tflite": Runner.PROCESSOR,
    "canned_gesture_classifier.tflite": Runner.PROCESSOR,
    "custom_gesture_classifier.tflite": Runner.PROCESSOR,
    # pose_landmarker_graph.cc asks for the advanced interface, which is why its sparse weights load
    "pose_detector.tflite": Runner.ADVANCED,
}


def runner_of(path: str, in_bundle: bool) -> Runner:
    """What runs the model at that path of a bundle; of a bare model, what runs any."""
    return _RUNNERS.get(path.rsplit("/", 1)[-1], Runner.DELEGATE) if in_bundle else Runner.DELEGATE

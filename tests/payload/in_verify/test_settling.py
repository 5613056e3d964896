"""What the step `compare` could not run is settled by MediaPipe only where it has really run it."""

from __future__ import annotations

import io
import tempfile
import unittest
import zipfile
from pathlib import Path

from envguard_payload.contract import ComparedModel, CompareFindings, Request
from envguard_payload.files import bundle as bundles
from envguard_payload.landmarks.kinds import kind_of
from envguard_payload.steps.verify import run_here_alone

MODEL = b"\x1c\0\0\0TFL3" + bytes(120)
MEMBERS = ("hand_detector.tflite", "hand_landmarks_detector.tflite", "own_classifier.tflite")


class Settling(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def settled(self, *models: ComparedModel) -> list[str]:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as target:
            for name in MEMBERS:
                target.writestr(name, MODEL)
        path = self.folder / "input.task"
        path.write_bytes(stream.getvalue())
        source = bundles.read(path)
        kind = kind_of(source)
        assert kind is not None
        findings = {"compare": CompareFindings(models, 1)} if models else {}
        settled: list[str] = run_here_alone(Request("steps.verify", {}, self.folder, findings=findings), kind, source)
        return settled

    def test_a_landmarkers_own_model_that_was_not_run_is_settled(self) -> None:
        self.assertEqual(self.settled(ComparedModel("hand_detector", reason="not run")), ["hand_detector"])

    def test_a_model_that_no_landmarker_runs_stays_unverified(self) -> None:
        self.assertEqual(self.settled(ComparedModel("own_classifier", reason="not run")), [])

    def test_what_was_compared_needs_nothing_more(self) -> None:
        self.assertEqual(self.settled(ComparedModel("hand_detector", ran=True)), [])

    def test_without_the_step_compare_nothing_is_settled(self) -> None:
        self.assertEqual(self.settled(), [])


if __name__ == "__main__":
    unittest.main()

"""The step `web` in a real browser: what each road takes, what it refuses, and what is said where there is none.

ENVGUARD_TEST_BROWSER_PROGRAM is the browser, ENVGUARD_TEST_*BUNDLE are paths of bundles, ENVGUARD_TEST_REFUSED that of
a face bundle with int8 weights behind DEQUANTIZE; ENVGUARD_TEST_PICTURES, _HANDS and _PEOPLE are paths of pictures.
"""

from __future__ import annotations

import os
import tempfile
import unittest
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from envguard_payload.contract import WEB_CPU, WEB_GPU, RoadRun, StepFindings, WebFindings
from envguard_payload.steps import web
from envguard_payload.web.serving import serving
from payload_support.requests import Silent, inspected, request

BROWSER = os.environ.get("ENVGUARD_TEST_BROWSER_PROGRAM", "")
FACE, HAND, GESTURE, POSE = (
    Path(os.environ.get(f"ENVGUARD_TEST_{kind}BUNDLE", "")) for kind in ("", "HAND_", "GESTURE_", "POSE_")
)
REFUSED = Path(os.environ.get("ENVGUARD_TEST_REFUSED", ""))
PICTURES = [Path(part) for part in os.environ.get("ENVGUARD_TEST_PICTURES", "").split(os.pathsep)][:1]
HANDS, PEOPLE = Path(os.environ.get("ENVGUARD_TEST_HANDS", "")), Path(os.environ.get("ENVGUARD_TEST_PEOPLE", ""))
SIZES = {
    "face_landmarks_detector": (1, 256, 256, 3),
    "hand_landmarks_detector": (1, 224, 224, 3),
    "hand_landmarker/hand_landmarks_detector": (1, 224, 224, 3),
    "pose_landmarks_detector": (1, 256, 256, 3),
}
BOTH = (WEB_CPU, WEB_GPU)
BRIEFLY = 0.5


def found(
    copy: Path, original: Path | None, pictures: dict[str, Path | Sequence[Path]], **options: object
) -> tuple[StepFindings, dict[str, RoadRun]]:
    """What the step finds, and what it finds road by road."""
    inputs = {"quantized": copy, **({"original": original} if original else {}), **pictures}
    chosen = {"browser": BROWSER, "roads": list(BOTH), "seconds": BRIEFLY, **options}
    with tempfile.TemporaryDirectory() as folder:
        result = web.run(request("steps.web", Path(folder), inputs, chosen, inspected(SIZES)), Silent())
    assert isinstance(result.values, WebFindings)
    return result, {run.road: run for run in result.values.roads}


class Browser(unittest.TestCase):
    def test_a_bundle_does_not_differ_from_itself_on_either_road(self) -> None:
        result, runs = found(FACE, FACE, {"face": PICTURES})
        self.assertEqual([road for road, run in runs.items() if run.ran and run.copy_taken], list(BOTH))
        for run in runs.values():
            assert run.measures is not None
            assert run.measures.landmark_shift is not None
            assert run.measures.scores is not None
            assert run.noise is not None
            assert run.noise.landmark_shift is not None
            self.assertGreater(run.measures.counts.before, 0)
            self.assertEqual((run.measures.counts.lost, run.measures.landmark_shift.px.max), (0, 0.0))
            self.assertEqual(run.measures.scores.max, 0.0)
            self.assertGreater(run.noise.landmark_shift.px.mean, 0.0)
        self.assertRegex(runs[WEB_CPU].runtime, r"Tasks for Web 1\.1\.0 \(WASM\) in Chromium \d+")
        self.assertIn("drawn by", runs[WEB_GPU].runtime)
        assert runs[WEB_CPU].latency is not None
        self.assertEqual(result.failures, ())
        limits = {gate.name: gate.limit for gate in result.gates if gate.name.endswith("landmark-shift")}
        self.assertEqual(limits, {"web-cpu-landmark-shift": 0.4, "web-gpu-landmark-shift": 0.3})

    def test_int8_weights_behind_dequantize_are_taken_by_wasm_and_refused_by_webgl_in_its_own_words(self) -> None:
        result, runs = found(REFUSED, FACE, {"face": PICTURES})
        assert runs[WEB_CPU].measures is not None
        assert runs[WEB_CPU].measures.landmark_shift is not None
        self.assertTrue(runs[WEB_CPU].copy_taken)
        self.assertGreater(runs[WEB_CPU].measures.landmark_shift.px.mean, 0.0)
        self.assertEqual((runs[WEB_GPU].original_taken, runs[WEB_GPU].copy_taken), (True, False))
        self.assertIn("No support of const", runs[WEB_GPU].reason)
        self.assertNotIn("Source Location", runs[WEB_GPU].reason)
        (refused,) = (gate for gate in result.failures if gate.name == "web-gpu-refuses")
        self.assertIn("No support of const", refused.message)
        self.assertIn("face_landmarks_detector", refused.models)

    def test_hands_poses_and_gestures_are_found_too(self) -> None:
        for bundle, name, picture in ((HAND, "hand", HANDS), (GESTURE, "hand", HANDS), (POSE, "pose", PEOPLE)):
            with self.subTest(bundle=bundle.name):
                result, runs = found(bundle, bundle, {name: picture}, roads=[WEB_CPU])
                run = runs[WEB_CPU]
                assert run.measures is not None
                assert run.measures.world_mm is not None
                self.assertGreater(run.measures.counts.before, 0)
                self.assertEqual((run.measures.counts.lost, run.measures.world_mm.max), (0, 0.0))
                self.assertEqual(result.failures, ())

    def test_without_an_original_it_is_known_which_road_takes_a_bundle_and_finds_anything(self) -> None:
        result, runs = found(REFUSED, None, {"face": PICTURES})
        self.assertEqual([runs[road].copy_taken for road in BOTH], [True, False])
        self.assertEqual([runs[road].original_taken for road in BOTH], [None, None])
        self.assertEqual(
            [(gate.name, gate.subject, gate.passed) for gate in result.gates],
            [("road-refuses", WEB_CPU, True), ("finds-nothing", WEB_CPU, True), ("road-refuses", WEB_GPU, False)],
        )

    def test_a_browser_that_does_not_start_is_told_and_not_judged(self) -> None:
        result, runs = found(FACE, FACE, {"face": PICTURES}, browser="/bin/false")
        self.assertEqual([run.ran for run in runs.values()], [False, False])
        self.assertIn("/bin/false does not start", runs[WEB_CPU].reason)
        self.assertEqual({(gate.name, gate.judged) for gate in result.gates}, {("web-run", False)})


class NoBrowser(unittest.TestCase):
    def test_where_there_is_none_it_is_said_how_to_get_one(self) -> None:
        result, runs = found(FACE, FACE, {"face": PICTURES}, browser="")
        self.assertEqual([run.ran for run in runs.values()], [False, False])
        self.assertIn("apt install chromium", runs[WEB_CPU].reason)
        self.assertEqual([gate.judged for gate in result.gates], [False, False])

    def test_a_bare_model_is_not_tried_and_the_reason_is_given(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            bare = Path(folder) / "bare.tflite"
            bare.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(64))
            result, runs = found(bare, bare, {})
        self.assertIn("no interpreter", runs[WEB_CPU].reason)
        self.assertEqual(result.gates, ())


class Site(unittest.TestCase):
    def test_only_who_knows_the_address_gets_anything_and_nothing_but_the_page_and_its_parts(self) -> None:
        with serving() as site, site.serving(b"picture") as name:
            self.assertEqual(got(site.address + name), b"picture")
            self.assertIn(b"import * as vision", got(site.address + "page.html") or b"")
            self.assertIn(b"@mediapipe/tasks-vision", got(site.address + "tasks/package.json") or b"")
            root = site.address[: site.address.index("/", 8)]
            for path in (f"/{name}", "/page.html", "/", "//", f"/x/{name}"):
                self.assertIsNone(got(root + path), path)
            for path in ("tasks/../page.html", "tasks/../../../../pyvenv.cfg", "tasks/", "tasks//etc/passwd", "other"):
                self.assertIsNone(got(site.address + path), path)
        self.assertFalse(site.content)


def got(address: str) -> bytes | None:
    try:
        with urllib.request.urlopen(address) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError:
        return None

"""Runtime options on the real face bundle and one picture, and what is concluded from measurements.

ENVGUARD_TEST_BUNDLE is the path of face_landmarker.task, ENVGUARD_TEST_PICTURES paths of pictures with the path
separator between them, ENVGUARD_TEST_MODELS a folder with single models.
"""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any, Optional

import numpy as np
from envguard_payload.contract import FoundCounts, OptionTrial, StepFindings, TunedOn, TuneFindings, to_json
from envguard_payload.files import bundle as bundles
from envguard_payload.landmarks.detections import Detection
from envguard_payload.landmarks.face import FACE
from envguard_payload.landmarks.kinds import KINDS
from envguard_payload.landmarks.runtime import FRAMES, back_and_forth, clip, landmarker, thread_options
from envguard_payload.landmarks.trials import (
    SettingToTry,
    advice,
    defaults,
    found_counts,
    frame_times,
    loses,
    settings_to_try,
    trial,
    verdict,
)
from envguard_payload.landmarks.views import Picture
from envguard_payload.measuring import benchmark
from envguard_payload.pictures.reading import read_picture
from envguard_payload.protocol import Refused
from envguard_payload.steps import tune
from payload_support.requests import Silent, request

BUNDLE = Path(os.environ.get("ENVGUARD_TEST_BUNDLE", ""))
ONE_FACE = "single_face.jpg"
KNOWN = {
    "running_mode": "IMAGE",
    "num_faces": 1,
    "min_face_detection_confidence": 0.5,
    "min_face_presence_confidence": 0.5,
    "min_tracking_confidence": 0.5,
    "output_face_blendshapes": False,
}
VIDEO = {"running_mode": "VIDEO"}


def one_face() -> Path:
    paths = map(Path, os.environ["ENVGUARD_TEST_PICTURES"].split(os.pathsep))
    return next(path for path in paths if path.name == ONE_FACE)


def timed(ratio: float, *, spread: float = 0.01, interrupted: int = 0) -> benchmark.PairedTimes:
    """A measurement that came to this ratio."""
    return benchmark.PairedTimes(
        original_ms=10.0,
        quantized_ms=10.0 * ratio,
        original_spread_ms=0.1,
        quantized_spread_ms=0.1,
        ratio=ratio,
        low=ratio - spread,
        high=ratio + spread,
        fastest_ratio=ratio,
        paired_ratio=ratio,
        rounds=40,
        interrupted=interrupted,
    )


def tried(
    option: str,
    value: Any,
    time: benchmark.PairedTimes,
    *,
    fewer: int = 0,
    others: Optional[dict[str, Any]] = None,  # noqa: UP045 - Python 3.9 is tested too
) -> OptionTrial:
    return trial(
        SettingToTry(option, value, others or {}), time, FoundCounts(64, 60, 60 - fewer, fewer, 0, fewer), 0.0, 1
    )


class Verdicts(unittest.TestCase):
    def test_a_difference_is_told_only_where_it_is_larger_than_the_noise(self) -> None:
        for time, noise, word in (
            (timed(0.80), 0.0, "faster"),
            (timed(1.20), 0.0, "slower"),
            (timed(0.80), 0.25, "same"),
            (timed(0.99), 0.0, "same"),
            (timed(0.97, spread=0.04), 0.0, "same"),
            (timed(0.80, spread=0.30), 0.0, "unclear"),
            (timed(0.80, interrupted=39), 0.0, "unclear"),
        ):
            with self.subTest(ratio=time.ratio, low=time.low, noise=noise):
                self.assertEqual(verdict(time, noise), word)


class Advice(unittest.TestCase):
    def test_options_that_make_no_difference_are_left_out(self) -> None:
        self.assertEqual(advice([tried("num_faces", 2, timed(1.0))], KNOWN), {})

    def test_the_fastest_value_is_advised_and_of_equals_the_first(self) -> None:
        modes = [
            tried("running_mode", "VIDEO", timed(0.60)),
            tried("running_mode", "LIVE_STREAM", timed(0.59)),
        ]
        self.assertEqual(advice(modes, KNOWN), VIDEO)
        modes[1] = tried("running_mode", "LIVE_STREAM", timed(0.50))
        self.assertEqual(advice(modes, KNOWN), {"running_mode": "LIVE_STREAM"})

    def test_the_default_is_advised_where_others_are_slower(self) -> None:
        self.assertEqual(advice([tried("num_faces", 2, timed(1.3))], KNOWN), {"num_faces": 1})

    def test_what_is_faster_because_it_finds_less_is_not_advised(self) -> None:
        self.assertEqual(advice([tried("min_face_detection_confidence", 0.7, timed(0.7), fewer=2)], KNOWN), {})

    def test_in_the_mode_that_is_advised_other_trials_count(self) -> None:
        numbers = [
            tried("num_faces", 2, timed(1.0)),
            tried("num_faces", 2, timed(1.8), others=VIDEO),
        ]
        self.assertEqual(advice(numbers, KNOWN), {})
        faster = tried("running_mode", "VIDEO", timed(0.6))
        self.assertEqual(advice([faster, *numbers], KNOWN), {**VIDEO, "num_faces": 1})


class Counting(unittest.TestCase):
    def test_another_face_in_place_of_one_is_lost_and_extra_but_none_fewer(self) -> None:
        here, there = (Detection(np.array([[x, 0.0], [x + 10, 10.0]])) for x in (0.0, 50.0))
        found = found_counts([(here,), (here,), (here, there)], [(there,), (), (here, there)])
        self.assertEqual((found.before, found.after), (4, 3))
        self.assertEqual((found.lost, found.extra, found.fewer), (2, 1, 1))
        self.assertTrue(loses(found))


class Clips(unittest.TestCase):
    def test_a_clip_moves_from_one_corner_to_the_other_and_back(self) -> None:
        pixels = np.arange(100 * 200 * 3, dtype=np.uint32).reshape(100, 200, 3).astype(np.uint8)
        frames = clip(Picture("p", pixels))
        self.assertEqual([tuple(frame.size) for frame in frames], [(188.0, 94.0)] * FRAMES)
        self.assertTrue((frames[0].image.numpy_view() == pixels[:94, :188]).all())
        self.assertTrue((frames[-1].image.numpy_view() == pixels[6:, 12:]).all())
        endless = back_and_forth(frames)
        order = [frames.index(next(endless)) for _ in range(2 * FRAMES - 1)]
        self.assertEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 3, 2, 1, 0])


@unittest.skipUnless(BUNDLE.is_file(), "the bundle is not given")
class OnTheRealBundle(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def tuned(self, inputs: dict[str, Path]) -> StepFindings:
        result: StepFindings = tune.run(request("steps.tune", self.folder, inputs, {"seconds": 0.05}), Silent())
        return result

    def test_every_mode_finds_the_face_in_every_frame(self) -> None:
        frames = clip(read_picture(one_face()))
        for mode in ("IMAGE", "VIDEO", "LIVE_STREAM"):
            with landmarker(FACE, BUNDLE, {"running_mode": mode}) as marker:
                self.assertEqual([len(marker.find(frame)) for frame in frames], [1] * FRAMES, mode)

    def test_a_confidence_that_nothing_reaches_loses_the_face(self) -> None:
        bench = tune.Bench(FACE, BUNDLE, [read_picture(one_face())], 0.05)
        found = bench.found({}, {"min_face_detection_confidence": 1.0})
        self.assertEqual((found.before, found.after, found.lost, found.fewer), (FRAMES, 0, FRAMES, FRAMES))

    def test_several_settings_are_tried_together_and_one_alone_is_not_tried_again(self) -> None:
        bench = tune.Bench(FACE, BUNDLE, [read_picture(one_face())], 0.05)
        ((together, _),) = tune._together(bench, {**VIDEO, "num_faces": 2}, noise=0.0)
        self.assertEqual((together.option, together.value), ("running_mode", "VIDEO"))
        self.assertEqual(together.others, {**VIDEO, "num_faces": 2})
        self.assertEqual((together.found.before, together.found.lost), (FRAMES, 0))
        self.assertEqual(tune._together(bench, VIDEO, noise=0.0), [])

    def test_every_option_is_tried_and_every_round_kept(self) -> None:
        result = self.tuned({"model": BUNDLE, "face": one_face(), "hand": Path("none")})
        found = result.values
        assert isinstance(found, TuneFindings)
        self.assertEqual((found.kind, found.defaults), ("face", KNOWN))
        tried = [(each.option, each.value, each.others) for each in found.trials]
        bundle = bundles.read(BUNDLE)
        self.assertEqual(tried, [(each.option, each.value, each.others) for each in settings_to_try(FACE, bundle)])
        self.assertEqual({option for option, _, _ in tried}, set(KNOWN))
        self.assertEqual(found.sample_size, TunedOn(1, 1, 1))
        for each in found.trials:
            self.assertEqual((each.found.frames, each.found.before), (FRAMES, FRAMES))
            self.assertLessEqual(each.time.low, each.time.ratio)
            self.assertLessEqual(each.time.ratio, each.time.high)
        kept = json.loads((self.folder / result.files["measurements"]).read_text(encoding="utf-8"))
        times = [found.control, *(each.time for each in found.trials)]
        times += [found.together.time] if found.together else []
        self.assertEqual([len(rounds) for rounds in kept["rounds_ms"]], [time.rounds for time in times])
        self.assertEqual(kept["trials"], [to_json(each) for each in found.trials])
        self.assertNotIn("step", kept)

    def test_times_are_those_of_one_frame(self) -> None:
        self.assertEqual(frame_times(timed(0.5), 4).before_ms, 2.5)

    def test_the_options_for_threads_are_those_that_the_api_has(self) -> None:
        self.assertEqual(thread_options(KINDS), ())

    def test_blendshapes_are_not_tried_on_a_bundle_without_their_model(self) -> None:
        bundle = bundles.read(BUNDLE)
        without = bundle.without(["face_blendshapes"])
        self.assertEqual(defaults(FACE, bundle), KNOWN)
        self.assertEqual(set(KNOWN) - set(defaults(FACE, without)), {"output_face_blendshapes"})
        tried = settings_to_try(FACE, without)
        self.assertNotIn("output_face_blendshapes", {each.option for each in tried})

    def test_a_single_model_and_a_bundle_of_others_are_refused(self) -> None:
        model = next(Path(os.environ["ENVGUARD_TEST_MODELS"]).rglob("*.tflite"))
        with self.assertRaisesRegex(Refused, "is not a face, hand, pose or gesture bundle"):
            self.tuned({"model": model, "face": one_face()})

    def test_no_picture_is_refused(self) -> None:
        with self.assertRaisesRegex(Refused, "no picture"):
            self.tuned({"model": BUNDLE, "hand:a.jpg": one_face()})

    def test_a_bundle_that_mediapipe_rejects_is_refused(self) -> None:
        bundle = bundles.read(BUNDLE)
        broken = self.folder / "broken.task"
        # The landmark model in place of the detector: TFLite, but with the wrong outputs.
        landmarks = next(model.data for model in bundle.models() if model.name == "face_landmarks_detector")
        broken.write_bytes(bundle.replaced({"face_detector": landmarks}).to_bytes())
        with self.assertRaisesRegex(Refused, "MediaPipe .* does not take broken.task"):
            self.tuned({"model": broken, "face": one_face()})


if __name__ == "__main__":
    unittest.main()

"""What is measured between an original and its quantized copy, and what is concluded from it."""

from __future__ import annotations

import itertools
import tempfile
import time
import unittest
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from envguard_payload.checks import quantize as check
from envguard_payload.graph import model as models
from envguard_payload.measuring import benchmark, profiling, synthetic
from envguard_payload.measuring.interpreting import CannotRun, Port, Runner
from envguard_payload.measuring.numerics import difference


def lasting(seconds: float) -> Callable[[], None]:
    def wait() -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    return wait


def found(
    ratio: float, fastest: float, paired: float, low: float = 1.04, original_ms: float = 1.0
) -> benchmark.PairedTimes:
    return benchmark.PairedTimes(
        original_ms, ratio * original_ms, 0.5, 0.5,
        ratio=ratio, low=low, high=1.5, fastest_ratio=fastest, paired_ratio=paired, rounds=40,
    )  # fmt: skip


class Benchmark(unittest.TestCase):
    def test_twice_as_slow_is_found_and_believed(self) -> None:
        found = benchmark.compare(lasting(0.001), lasting(0.002), limit=1.05)
        self.assertTrue(found.is_slower_than(1.05))
        self.assertAlmostEqual(found.ratio, 2.0, delta=0.4)
        self.assertIn("slower", found.in_words())
        self.assertGreater(found.rounds, benchmark.ROUNDS)  # measured again before it was believed
        self.assertEqual(len(found.samples), found.rounds)
        self.assertGreater(min(both[1] for both in found.samples), 1.9)  # milliseconds, of the slower one

    def test_the_same_is_not_called_slower(self) -> None:
        found = benchmark.compare(lasting(0.001), lasting(0.001), limit=1.05)
        self.assertFalse(found.is_slower_than(1.05))
        self.assertLessEqual(found.low, found.ratio)
        self.assertLessEqual(found.ratio, found.high)

    def test_faster_is_said_to_be(self) -> None:
        self.assertIn("faster", benchmark.compare(lasting(0.002), lasting(0.001)).in_words())

    def test_a_ratio_past_the_limit_within_the_noise_is_no_failure(self) -> None:
        noisy = found(1.06, 1.06, 1.06, low=0.9)
        self.assertFalse(noisy.is_slower_than(1.05))
        self.assertIn("no difference", noisy.in_words())

    def test_no_ratio_alone_makes_a_failure_or_a_difference(self) -> None:
        self.assertTrue(found(1.2, 1.2, 1.2).is_slower_than(1.05))
        for ratios in ((1.0, 1.2, 1.2), (1.2, 1.0, 1.2), (1.2, 1.2, 1.0)):
            self.assertFalse(found(*ratios).is_slower_than(1.05), ratios)
            self.assertFalse(found(*ratios).differs, ratios)

    def test_on_a_machine_that_is_too_busy_nothing_is_concluded(self) -> None:
        busy = replace(found(1.2, 1.2, 1.2), interrupted=39)
        self.assertFalse(busy.differs or busy.is_slower_than(1.05))
        self.assertIn("too busy", busy.in_words())

    def test_a_microsecond_more_is_no_failure(self) -> None:
        self.assertFalse(found(1.2, 1.2, 1.2, original_ms=0.010).is_slower_than(1.05))

    def test_calls_during_which_the_processor_was_away_do_not_count(self) -> None:
        calls = itertools.count()

        def interrupted() -> None:
            lasting(0.020 if next(calls) % 3 == 0 else 0.001)()

        measured = benchmark.compare(lasting(0.001), interrupted)
        self.assertAlmostEqual(measured.ratio, 1.0, delta=0.1)
        self.assertGreater(measured.interrupted, measured.rounds / 5)

    def test_slowness_that_a_new_start_does_not_have_is_no_failure(self) -> None:
        starts = itertools.count()

        def slow_at_first() -> benchmark.Call:
            return lasting(0.002 if next(starts) == 0 else 0.001)

        judged = benchmark.judge(lambda: lasting(0.001), slow_at_first, limit=1.05)
        self.assertFalse(judged.is_slower_than(1.05))
        self.assertTrue(benchmark.judge(lambda: lasting(0.001), lambda: lasting(0.002), 1.05).is_slower_than(1.05))

    def test_loading_and_the_first_call_are_timed_apart(self) -> None:
        def start(load: float, first: float) -> benchmark.Start:
            def loaded() -> benchmark.Call:
                lasting(load)()
                return lasting(first)

            return loaded

        load, first = benchmark.compare_starts(start(0.004, 0.001), start(0.001, 0.003))
        self.assertIn("faster", load.in_words())
        self.assertIn("slower", first.in_words())
        self.assertGreaterEqual(load.original_ms, 4.0)


class Differences(unittest.TestCase):
    def test_equal_outputs_differ_by_nothing(self) -> None:
        found = difference("it", [np.ones(4)], [np.ones(4)])
        self.assertEqual((found.cosine, found.largest_error, found.snr_db), (1.0, 0.0, None))

    def test_figures_are_taken_over_all_inputs_together(self) -> None:
        found = difference("it", [np.array([3.0]), np.array([4.0])], [np.array([4.0]), np.array([3.0])])
        self.assertAlmostEqual(found.cosine, 24 / 25)
        self.assertAlmostEqual(found.relative_error, 0.25)
        self.assertAlmostEqual(found.snr_db or 0.0, 10 * np.log10(25 / 2))

    def test_nan_and_infinity_are_named_and_give_no_nan_in_return(self) -> None:
        for bad in (np.nan, np.inf):
            found = difference("it", [np.ones(2)], [np.array([1.0, bad])])
            self.assertFalse(found.finite)
            self.assertEqual(found.cosine, 0.0)

    def test_silence_is_a_fault_only_where_there_was_something_to_hear(self) -> None:
        self.assertTrue(difference("it", [np.ones(4)], [np.zeros(4)]).silent)
        self.assertFalse(difference("it", [np.full(4, 1e-9)], [np.zeros(4)]).silent)
        self.assertFalse(difference("it", [np.zeros(4)], [np.zeros(4)]).silent)


class Inputs(unittest.TestCase):
    def test_the_same_seed_gives_the_same_picture_in_its_range(self) -> None:
        port = Port("image", (1, 32, 48, 3), "float32")
        first, second = (synthetic.batch([port], [(-1.0, 1.0)], seed=7)[0] for _ in range(2))
        np.testing.assert_array_equal(first, second)
        self.assertEqual(first.dtype, np.float32)
        self.assertGreaterEqual(first.min(), -1.0)
        self.assertLessEqual(first.max(), 1.0)
        self.assertGreater(np.ptp(first), 1.5)

    def test_neighbouring_pixels_are_alike(self) -> None:
        picture = synthetic.batch([Port("image", (1, 64, 64, 3), "float32")], [(0.0, 1.0)], seed=0)[0]
        self.assertLess(np.abs(np.diff(picture, axis=1)).mean(), 0.25 * picture.std())

    def test_integers_booleans_and_strings_are_made_up_too_and_other_types_are_not(self) -> None:
        ports = [Port("ids", (1, 9), "int32"), Port("mask", (1, 9), "bool")]
        ids, mask = synthetic.batch(ports, [(0.0, 1.0)] * 2, seed=0)
        self.assertEqual((ids.dtype, mask.dtype), (np.int32, np.bool_))
        with self.assertRaises(CannotRun):
            synthetic.batch([Port("phase", (1,), "complex64")], [(0.0, 1.0)], seed=0)
        (words,) = synthetic.batch([Port("words", (40,), "S0")], [(0.0, 1.0)], seed=0)
        self.assertIn(b"hello", words)


class Profiles(unittest.TestCase):
    def test_kinds_are_in_a_users_words(self) -> None:
        for tag, kind in {
            "Convolution (NHWC, F32) DWConv": "float depthwise convolution",
            "Convolution (NHWC, F32, QC8W) IGEMM": "float convolution",
            "Convolution (NHWC, QS8, QC8W) IGEMM": "int8 convolution",
            "Fully Connected (NC, QDU8, F32, QC8W) GEMM": "int8 matrix product",
            "PReLU (ND)": "prelu",
            "STRIDED_SLICE": "STRIDED_SLICE",
        }.items():
            self.assertEqual(profiling.kind_of(tag), kind)

    def test_shares_are_of_the_whole_run_and_leave_what_no_operator_took(self) -> None:
        described = profiling.operator_times(4.0, (("PReLU (ND)", 1.0), ("Add (ND)", 0.5), ("PReLU (ND)", 2.0)))
        self.assertEqual([(each.kind, each.share) for each in described.kinds], [("prelu", 0.75), ("add", 0.125)])
        self.assertEqual([each.place for each in described.slowest], [2, 0, 1])
        self.assertEqual((described.between.ms, described.between.share), (0.5, 0.125))

    def test_operators_of_a_real_model_are_timed(self) -> None:
        model = models.save(check.small_model())
        inputs = synthetic.batch(Runner(model).inputs, [(0.0, 1.0)], seed=0)
        with tempfile.TemporaryDirectory() as folder:
            described = profiling.profile(model, model, inputs, Path(folder))
        for times in (described.original, described.quantized):
            self.assertIn("float convolution", {each.kind for each in times.kinds})
            self.assertGreater(times.ms, 0)

    def test_a_model_that_the_profiler_cannot_run_ends_nothing_but_the_profile(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(profiling.NoProfile, "ended with code"):
            profiling.profile(b"no model", b"no model", [], Path(folder))


if __name__ == "__main__":
    unittest.main()

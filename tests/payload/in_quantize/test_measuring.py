"""What is measured between an original and its quantized copy, and what is concluded from it."""

from __future__ import annotations

import time
import unittest
from collections.abc import Callable

import numpy as np
from envguard_payload import benchmark, synthetic
from envguard_payload.interpreting import CannotRun, Port
from envguard_payload.numerics import difference


def lasting(seconds: float) -> Callable[[], None]:
    def wait() -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    return wait


class Benchmark(unittest.TestCase):
    def test_twice_as_slow_is_found_and_believed(self) -> None:
        found = benchmark.compare(lasting(0.001), lasting(0.002), limit=1.05)
        self.assertTrue(found.is_slower_than(1.05))
        self.assertAlmostEqual(found.ratio, 2.0, delta=0.4)
        self.assertIn("slower", found.in_words())
        self.assertGreater(found.rounds, benchmark.ROUNDS)  # measured again before it was believed

    def test_the_same_is_not_called_slower(self) -> None:
        found = benchmark.compare(lasting(0.001), lasting(0.001), limit=1.05)
        self.assertFalse(found.is_slower_than(1.05))
        self.assertLessEqual(found.low, found.ratio)
        self.assertLessEqual(found.ratio, found.high)

    def test_faster_is_said_to_be(self) -> None:
        self.assertIn("faster", benchmark.compare(lasting(0.002), lasting(0.001)).in_words())

    def test_a_ratio_past_the_limit_within_the_noise_is_no_failure(self) -> None:
        noisy = benchmark.Comparison(1.0, 1.06, 0.5, 0.5, ratio=1.06, low=0.9, high=1.2, rounds=10)
        self.assertFalse(noisy.is_slower_than(1.05))
        self.assertIn("no difference", noisy.in_words())

    def test_a_microsecond_more_is_no_failure(self) -> None:
        tiny = benchmark.Comparison(0.010, 0.012, 0.0, 0.0, ratio=1.2, low=1.1, high=1.3, rounds=40)
        self.assertFalse(tiny.is_slower_than(1.05))


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

    def test_integers_and_booleans_are_made_up_too_and_strings_are_not(self) -> None:
        ports = [Port("ids", (1, 9), "int32"), Port("mask", (1, 9), "bool")]
        ids, mask = synthetic.batch(ports, [(0.0, 1.0)] * 2, seed=0)
        self.assertEqual((ids.dtype, mask.dtype), (np.int32, np.bool_))
        with self.assertRaises(CannotRun):
            synthetic.batch([Port("words", (1,), "bytes_")], [(0.0, 1.0)], seed=0)


if __name__ == "__main__":
    unittest.main()

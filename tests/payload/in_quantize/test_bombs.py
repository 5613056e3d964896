"""Small files that would fill memory are refused in a moment, and in a sentence."""

from __future__ import annotations

import resource
import sys
import time
import unittest

from envguard_payload.graph import model as models
from envguard_payload.protocol import Refused
from payload_support.bombs import BOMBS

SECONDS = 5.0
MOST_MEGABYTES = 256
"""More than this process had when it began; most of it makes the files."""


class Bombs(unittest.TestCase):
    def test_each_is_refused_before_anything_is_copied(self) -> None:
        for make, words in BOMBS:
            with self.subTest(make.__name__):
                data = make()
                before, started = peak_megabytes(), time.process_time()
                with self.assertRaises(Refused) as caught:
                    models.load(data, "model")
                self.assertIn(words, f"{caught.exception.what} {caught.exception.why}")
                self.assertLess(time.process_time() - started, SECONDS)
                self.assertLess(peak_megabytes() - before, MOST_MEGABYTES)


def peak_megabytes() -> float:
    """The most that this process had of memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)

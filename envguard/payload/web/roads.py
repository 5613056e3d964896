"""What a road of the web makes of two bundles, the copy judged against the original on that same road."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ..contract import WEB_CPU, WEB_GPU, CallTimes, Measures, RoadRun, SampleSize
from ..files.bundle import Bundle
from ..landmarks.comparison import MAX_IMAGES, Subject, compare, find_views, noise_floor
from ..landmarks.detections import Reader, Rejected
from ..landmarks.verification import call_times, measures
from ..landmarks.views import Picture
from ..protocol import Events
from .browsing import Browser
from .landmarkers import web_reader
from .package import package_version

SECONDS = 60.0
"""For the comparison on one road: as many images as it has time for, because software draws a hundred times slower."""

LEAST_IMAGES = 6
NOISE_SHARE = 4
"""Every so many images, one is compared with itself under noise."""

RUNTIMES = {WEB_CPU: "WASM", WEB_GPU: "WebGL"}


@dataclass(frozen=True)
class Roads:
    """The browser, what is compared in it, and the pictures; without an `original` the copy is only run."""

    browser: Browser
    subject: Subject
    original: Bundle | None
    copy: Bundle
    pictures: Sequence[Picture]
    events: Events

    def views(self) -> list[Picture]:
        """Parts of the pictures in which the first of the two finds something; `Rejected` if no road takes it."""
        first = self.original or self.copy
        try:
            with self._reader(WEB_CPU, first) as read:
                return find_views(self.subject.kind, read, self.pictures, self.events)
        except Rejected:
            with self._reader(WEB_GPU, first) as read:
                return find_views(self.subject.kind, read, self.pictures, self.events)

    def run(self, road: str, views: Sequence[Picture]) -> RoadRun:
        """What the road makes of both on these views."""
        found = RoadRun(road, ran=True, runtime=self._runtime(road))
        with ExitStack() as stack:
            if self.original is not None:
                try:
                    before = stack.enter_context(self._reader(road, self.original))
                    before(views[0].pixels)
                except Rejected as rejected:
                    return replace(found, original_taken=False, reason=str(rejected))
                found = replace(found, original_taken=True)
            try:
                after = stack.enter_context(self._reader(road, self.copy))
                after(views[0].pixels)
                return self._compared(found, before if self.original else after, after, views)
            except Rejected as rejected:
                return replace(found, copy_taken=False, reason=str(rejected))

    def _compared(self, found: RoadRun, before: Reader, after: Reader, views: Sequence[Picture]) -> RoadRun:
        """The two in turns, on as many images as there is time for."""
        call = before(views[0].pixels).seconds
        most = max(LEAST_IMAGES, min(MAX_IMAGES, int(SECONDS / (2 * call))))
        compared = compare(self.subject, before, after, views, self.events, most)
        size = SampleSize(len(self.pictures), min(len(views), len(compared)), len(compared))
        noise: Measures | None = None
        times: CallTimes | None = None
        if self.original is not None:
            noise = measures(self.subject, noise_floor(self.subject, before, views, max(1, most // NOISE_SHARE)))
            # What software needs to draw says nothing of a GPU.
            times = None if found.road == WEB_GPU and self.browser.in_software else call_times(compared)
        said = measures(self.subject, compared)
        return replace(found, copy_taken=True, sample_size=size, measures=said, noise=noise, latency=times)

    def _reader(self, road: str, bundle: Bundle) -> AbstractContextManager[Reader]:
        return web_reader(self.browser, road, self.subject.kind, Path(bundle.path), self.subject.kind.switches(bundle))

    def _runtime(self, road: str) -> str:
        runtime = f"MediaPipe Tasks for Web {package_version()} ({RUNTIMES[road]}) in Chromium {self.browser.version}"
        return f"{runtime}, drawn by {self.browser.renderer}" if road == WEB_GPU else runtime

"""What a road of the web makes of two bundles, the copy judged against the original on that same road."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ..contract import WEB_CPU, WEB_GPU, RoadRun, SampleSize
from ..files.bundle import Bundle
from ..landmarks.comparison import MAX_IMAGES, Subject, compare, find_views, noise_floor
from ..landmarks.detections import Reader, Rejected
from ..landmarks.verification import call_times, measures
from ..landmarks.views import Picture
from ..protocol import Events
from .browsing import Browser
from .landmarkers import web_reader
from .package import package_version

LEAST_IMAGES = 6
NOISE_SHARE = 4
"""Every so many images, one is compared with itself under noise."""

RUNTIMES = {WEB_CPU: "WASM", WEB_GPU: "WebGL"}


@dataclass(frozen=True)
class Roads:
    """The browser, what is compared in it, the pictures, and how long a comparison may take."""

    browser: Browser
    subject: Subject
    original: Bundle
    copy: Bundle
    pictures: Sequence[Picture]
    events: Events
    seconds: float

    def views(self) -> list[Picture]:
        """Parts of the pictures in which the original finds something; `Rejected` if neither road takes it."""
        try:
            with self._reader(WEB_CPU, self.original) as read:
                return find_views(self.subject.kind, read, self.pictures, self.events)
        except Rejected:
            with self._reader(WEB_GPU, self.original) as read:
                return find_views(self.subject.kind, read, self.pictures, self.events)

    def run(self, road: str, views: Sequence[Picture]) -> RoadRun:
        """What the road makes of both on these views; many a bundle is refused at the first picture only."""
        found = RoadRun(road, ran=True, runtime=self._runtime(road))
        with ExitStack() as stack:
            try:
                before = stack.enter_context(self._reader(road, self.original))
                before(views[0].pixels)
                found = replace(found, original_taken=True)
                after = stack.enter_context(self._reader(road, self.copy))
                after(views[0].pixels)
                return self._compared(found, before, after, views)
            except Rejected as rejected:
                refused = replace(found, reason=str(rejected))
                if found.original_taken:
                    return replace(refused, copy_taken=False)
                return replace(refused, original_taken=False)

    def _compared(self, found: RoadRun, before: Reader, after: Reader, views: Sequence[Picture]) -> RoadRun:
        """The two in turns, on as many images as there is time for."""
        call = before(views[0].pixels).seconds
        most = max(LEAST_IMAGES, min(MAX_IMAGES, int(self.seconds / (2 * call))))
        compared = compare(self.subject, before, after, views, self.events, most)
        noise = None
        if self.original is not self.copy:
            noise = measures(self.subject, noise_floor(self.subject, before, views, max(1, most // NOISE_SHARE)))
        # What software needs to draw says nothing of a GPU.
        timed = found.road == WEB_CPU or not self.browser.in_software
        return replace(
            found,
            copy_taken=True,
            sample_size=SampleSize(len(self.pictures), min(len(views), len(compared)), len(compared)),
            measures=measures(self.subject, compared),
            noise=noise,
            latency=call_times(compared) if timed else None,
        )

    def _reader(self, road: str, bundle: Bundle) -> AbstractContextManager[Reader]:
        return web_reader(self.browser, road, self.subject.kind, Path(bundle.path), self.subject.kind.switches(bundle))

    def _runtime(self, road: str) -> str:
        runtime = f"MediaPipe Tasks for Web {package_version()} ({RUNTIMES[road]}) in Chromium {self.browser.version}"
        return f"{runtime}, drawn by {self.browser.renderer}" if road == WEB_GPU else runtime

"""MediaPipe's landmarkers on the web, behind the same function as in Python: pixels in, detections out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from playwright.sync_api import Error

from ..contract import WEB_CPU, WEB_GPU
from ..landmarks.detections import MOST, Reader, Reading, Rejected
from ..landmarks.kind import LandmarkKind
from .browsing import Browser
from .serving import Site

DELEGATES = {WEB_CPU: "CPU", WEB_GPU: "GPU"}
LONGEST_REASON = 1_500
TRACE = "=== Source Location Trace"
"""MediaPipe appends the C++ source locations that an error passed through."""

_ERROR = re.compile(r"E\d{4} [\d:.]+ +\d+ \S+:\d+\] ")
_THROWN = re.compile(r"(Page\.\w+: )?(Error: )?")


@dataclass(frozen=True)
class Tab:
    """Our page with one landmarker in it, and what the console said."""

    page: Any
    site: Site
    said: list[str] = field(default_factory=list)

    def open(self, bundle: Path, road: str, kind: LandmarkKind, switches: Sequence[str]) -> None:
        """Load a bundle; `Rejected` if it is not taken."""
        options: dict[str, object] = {_camel(kind.task.number): MOST, **{_camel(each): True for each in switches}}
        self.page.on("console", lambda message: self.said.append(str(message.text)))
        with self.site.serving(bundle.read_bytes()) as address:
            given = [kind.task.name, kind.task.verb, address, DELEGATES[road], options]
            self._ask("(given) => { open_bundle(...given); }", given)
            try:
                self.page.wait_for_function("window.opened", polling=50)
            except Error as cause:
                raise self._rejected(str(cause.message)) from cause
        opened = self._ask("window.opened")
        if not opened["taken"]:
            raise self._rejected(opened["why"])

    def look(self, pixels: np.ndarray) -> tuple[Any, float]:
        """MediaPipe's result, as Python's would be, and how many seconds it took."""
        height, width = pixels.shape[:2]
        opaque = np.full((height, width), 255, np.uint8)
        with self.site.serving(np.dstack([pixels, opaque]).tobytes()) as address:
            answer = self._ask("(given) => look(...given)", [address, width, height])
        return json.loads(answer["found"], object_hook=lambda values: SimpleNamespace(**values)), answer["seconds"]

    def _ask(self, script: str, given: object = None) -> Any:
        try:
            return self.page.evaluate(script, given)
        except Error as cause:
            raise self._rejected(str(cause.message)) from cause

    def _rejected(self, thrown: str) -> Rejected:
        """What the runtime logged as errors, or else what was thrown, which says the same in more words."""
        errors = [_ERROR.sub("", line, count=1) for line in self.said if _ERROR.match(line)]
        words = [text.split(TRACE, 1)[0].strip() for text in errors or [_THROWN.sub("", thrown, count=1)]]
        return Rejected("\n".join(dict.fromkeys(words))[:LONGEST_REASON])


@contextmanager
def web_reader(
    browser: Browser, road: str, kind: LandmarkKind, bundle: Path, switches: Sequence[str] = ()
) -> Iterator[Reader]:
    """A function from RGB pixels to what the landmarker finds in them on that road.

    `switches` are options that turn an output on. `Rejected` with the runtime's own words if it does not take the
    bundle, be it only at the first picture.
    """
    with browser.page() as page:
        tab = Tab(page, browser.site)
        tab.open(bundle, road, kind, switches)

        def read(pixels: np.ndarray) -> Reading:
            result, seconds = tab.look(pixels)
            size = np.array([pixels.shape[1], pixels.shape[0]], dtype=np.float64)
            return Reading(tuple(kind.task.read(result, size)), seconds)

        yield read


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)

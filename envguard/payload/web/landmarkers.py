"""MediaPipe's landmarkers on the web, behind the same function as in Python: pixels in, detections out."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from playwright.sync_api import Error

from ..contract import WEB_CPU, WEB_GPU
from ..landmarks.detections import MOST, Reader, Reading, Rejected
from ..landmarks.kind import LandmarkKind
from .browsing import LOADED_SECONDS, Browser

DELEGATES = {WEB_CPU: "CPU", WEB_GPU: "GPU"}
LONGEST_REASON = 1_500

_LOG_PREFIX = re.compile(r"^[EWIF]\d{4} [\d:.]+ +\d+ \S+?:\d+\] ?")
_TROUBLE = re.compile(r"not supported|mismatch|does not match|fail|error|refus|invalid|unresolved", re.IGNORECASE)
_numbers = itertools.count()


@contextmanager
def web_reader(
    browser: Browser, road: str, kind: LandmarkKind, bundle: Path, switches: Sequence[str] = ()
) -> Iterator[Reader]:
    """A function from RGB pixels to what the landmarker finds in them on that road.

    `switches` are options that turn an output on. `Rejected` with the runtime's own words if it does not take the
    bundle, be it only at the first picture.
    """
    task, site, name = kind.task, browser.site, f"{next(_numbers)}.task"
    site.content[name] = bundle.read_bytes()
    with browser.page() as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(str(message.text)))
        options = {_camel(task.number): MOST, **{_camel(each): True for each in switches}}

        def read(pixels: np.ndarray) -> Reading:
            height, width = pixels.shape[:2]
            image = f"{next(_numbers)}.rgba"
            site.content[image] = np.dstack([pixels, np.full((height, width), 255, np.uint8)]).tobytes()
            try:
                answer = page.evaluate("([image, width, height]) => look(image, width, height)", [image, width, height])
            except Error as cause:
                raise Rejected(_reason(str(cause.message), said)) from cause
            finally:
                del site.content[image]
            found = json.loads(answer["found"], object_hook=lambda values: SimpleNamespace(**values))
            return Reading(tuple(task.read(found, np.array([width, height], dtype=np.float64))), answer["seconds"])

        try:
            page.evaluate(
                "(given) => { open_bundle(...given); }", [task.name, task.verb, name, DELEGATES[road], options]
            )
            page.wait_for_function("window.opened", timeout=LOADED_SECONDS * 1_000, polling=50)
            opened = page.evaluate("window.opened")
        except Error as cause:
            raise Rejected(_reason(str(cause.message), said)) from cause
        finally:
            del site.content[name]
        if not opened["taken"]:
            raise Rejected(_reason(opened["why"], said))
        yield read


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def _reason(error: str, said: Sequence[str]) -> str:
    """The error, and before it what the runtime printed to the console about it, each line once."""
    lines = [_LOG_PREFIX.sub("", line).strip() for text in (*said, error) for line in text.splitlines()]
    told = [line for line in dict.fromkeys(lines) if _TROUBLE.search(line) and not line.startswith("at ")]
    return "\n".join(told)[:LONGEST_REASON] or error[:LONGEST_REASON]

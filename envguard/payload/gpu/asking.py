"""Ask a process of its own what MediaPipe's GPU delegate makes of two bundles: a driver may abort or hang."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from ..contract import (
    GPU,
    Progress,
    Refusal,
    Request,
    RoadRun,
    StepEvent,
    StepFindings,
    VerifyFindings,
    from_json,
    to_json,
)
from ..landmarks.comparison import Subject
from ..landmarks.landmarkers import VERSION
from ..landmarks.views import Picture
from ..protocol import Events, Refused
from ..steps import gpu
from .display import DRIVERS, missing_libraries
from .views_file import write_views
from .words import delegates_words

PAYLOAD = Path(__file__).resolve().parents[1] / "__main__.py"

LONGEST_SECONDS = 180
"""On a busy machine of two cores software takes 20."""

PLATFORMS: tuple[Mapping[str, str], ...] = ({"EGL_PLATFORM": "surfaceless"}, {})
"""How EGL is asked for a display, in order: Mesa has one without a screen only by that name, others may have one."""


@dataclass(frozen=True)
class Pair:
    """The original and the copy, and what both are shown: `views` of so many `pictures`."""

    original: Path
    quantized: Path
    subject: Subject
    views: Sequence[Picture]
    pictures: int


@dataclass(frozen=True)
class Ended:
    """How the process ended: what it found, or what it was doing last, and how that went wrong.

    `words` are the delegate's own of what was done last.
    """

    found: RoadRun | None
    doing: str
    how: str
    words: str = ""


def on_gpu(pair: Pair, folder: Path, events: Events) -> RoadRun:
    """What the road `gpu` makes of both; where it cannot be run here, why."""
    if not sys.platform.startswith("linux"):
        return _not_run(f"On {sys.platform}, this road is not run: it was only ever tried on Linux.")
    missing = missing_libraries()
    if missing:
        return _not_run(f"{' and '.join(missing)} cannot be loaded here. {DRIVERS}")
    folder.mkdir(exist_ok=True)
    request = _request(pair, folder)
    run = _not_run("")
    for variables in PLATFORMS:
        run = _told(_ended(request, folder, variables, events))
        if run.ran or run.runtime:
            return run
    return replace(run, reason=f"{run.reason} {DRIVERS}")


def _request(pair: Pair, folder: Path) -> Path:
    views, request = folder / "views.npz", folder / "request.json"
    write_views(views, pair.views[: gpu.IMAGES])
    order = Request(
        "steps.gpu",
        {"original": (pair.original,), "quantized": (pair.quantized,), "views": (views,)},
        folder,
        {"kind": pair.subject.kind.name, "crop_side": pair.subject.crop_side, "pictures": pair.pictures},
    )
    request.write_text(json.dumps(to_json(order)), encoding="utf-8")
    return request


def _ended(request: Path, folder: Path, variables: Mapping[str, str], events: Events) -> Ended:
    """Run the process to its end, or end it."""
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(PAYLOAD), str(request), "--end-with-stdin"]
    # Drivers keep what they have compiled; that belongs in this step's folder, not in the user's.
    environ = {**os.environ, **variables, "XDG_CACHE_HOME": str(folder)}
    log = folder / "said.log"
    with (
        log.open("wb") as said,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=environ) as process,
    ):
        too_long = threading.Event()

        def end() -> None:
            too_long.set()
            process.kill()

        timer = threading.Timer(LONGEST_SECONDS, end)
        timer.start()
        try:
            assert process.stdout is not None
            found, doing = _heard(process.stdout, events)
            code = process.wait()
        finally:
            timer.cancel()
            process.kill()
    how = f"did not end within {LONGEST_SECONDS} s" if too_long.is_set() else _ending(code)
    text = log.read_text(encoding="utf-8", errors="replace")
    sys.stderr.write(text)
    return Ended(found, doing, how, delegates_words(text.rpartition(doing)[2] if doing else ""))


def _heard(stream: IO[bytes], events: Events) -> tuple[RoadRun | None, str]:
    """What the process found, and what it said last that it was doing."""
    found, doing = None, ""
    for line in stream:
        event: StepEvent = from_json(StepEvent, json.loads(line))  # type: ignore[arg-type]  # a union is no class
        if isinstance(event, Progress):
            doing = event.label if event.label in (gpu.ORIGINAL, gpu.COPY, gpu.BOTH) else doing
            events.progress(event.label, event.done, event.total)
        elif isinstance(event, Refusal):
            raise Refused(event.what, why=event.why, next_step=event.next)
        elif isinstance(event, StepFindings) and isinstance(event.values, VerifyFindings):
            (found,) = event.values.roads
    return found, doing


def _told(ended: Ended) -> RoadRun:
    """The run, also where the process ended without a word: what it did not survive was not taken."""
    if ended.found is not None:
        refused = False in (ended.found.original_taken, ended.found.copy_taken)
        return replace(ended.found, reason=ended.words) if refused and ended.words else ended.found
    runtime = f"MediaPipe {VERSION}'s GPU delegate"
    if ended.doing == gpu.COPY:
        reason = f"With the original it worked; with the copy, the process {ended.how}. {ended.words}".strip()
        return RoadRun(GPU, ran=True, runtime=runtime, reason=reason, original_taken=True, copy_taken=False)
    during = {gpu.ORIGINAL: " with the original", gpu.BOTH: " while both were compared"}.get(ended.doing, "")
    return RoadRun(GPU, ran=False, runtime=runtime if during else "", reason=f"The process {ended.how}{during}.")


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code} and without a result"


def _not_run(reason: str) -> RoadRun:
    return RoadRun(GPU, ran=False, reason=reason)

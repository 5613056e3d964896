"""Ask a process of its own what MediaPipe's GPU delegate makes of two bundles: a driver may abort or hang."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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

CHUNK = 1 << 16
LONGEST_SILENCE = 120.0
"""Seconds without a word after which the process is taken to hang: beside three other jobs, opening the original by
software took 35, and an image of hands 9.
"""

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
    log, heard = folder / "said.log", Heard(events)
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=environ)
    with process:
        assert process.stdout is not None
        try:
            for line in lines_of(process.stdout.fileno(), LONGEST_SILENCE):
                heard.take(line)
            how = _ending(process.wait())
        except TimeoutError:
            how = f"said nothing for {LONGEST_SILENCE:g} s"
        finally:
            process.kill()
    text = log.read_text(encoding="utf-8", errors="replace")
    sys.stderr.write(text)
    words = delegates_words(text.rpartition(heard.doing)[2] if heard.doing else "")
    return Ended(heard.found, heard.doing, how, words)


class Heard:
    """What the process has said so far: what it found, and what it was doing last."""

    def __init__(self, events: Events) -> None:
        self.found: RoadRun | None = None
        self.doing = ""
        self._events = events

    def take(self, line: bytes) -> None:
        """Take in one event."""
        event: StepEvent = from_json(StepEvent, json.loads(line))  # type: ignore[arg-type]  # a union is no class
        if isinstance(event, Progress):
            self.doing = event.label if event.label in (gpu.ORIGINAL, gpu.COPY, gpu.BOTH) else self.doing
            self._events.progress(event.label, event.done, event.total)
        elif isinstance(event, Refusal):
            raise Refused(event.what, why=event.why, next_step=event.next)
        elif isinstance(event, StepFindings) and isinstance(event.values, VerifyFindings):
            (self.found,) = event.values.roads


def lines_of(descriptor: int, patience: float) -> Iterator[bytes]:
    """The lines of a pipe, until it closes; `TimeoutError` where nothing comes for so many seconds."""
    rest = b""
    while select.select([descriptor], [], [], patience)[0]:
        read = os.read(descriptor, CHUNK)
        if not read:
            return
        *whole, rest = (rest + read).split(b"\n")
        yield from whole
    raise TimeoutError


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

"""Run the original and the copy on MediaPipe's GPU delegate: a process that the step `verify` starts and may lose."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Optional

from ..contract import GPU, Request, RoadRun, SampleSize, StepFindings, VerifyFindings
from ..files import bundle as bundles
from ..gpu import display
from ..gpu.views_file import read_views
from ..landmarks.comparison import Subject, compare, noise_floor
from ..landmarks.detections import Rejected
from ..landmarks.kinds import KINDS
from ..landmarks.landmarkers import VERSION, reader
from ..landmarks.verification import call_times, measures
from ..protocol import Events, read_options

IMAGES, NOISE_IMAGES = 8, 2
"""Software takes a quarter of a second for a face and most of one for a hand, and each image is read twice."""

ORIGINAL, COPY, BOTH = "Opening the original on the GPU", "Opening the copy on the GPU", "Comparing on the GPU"
"""What this process says it is doing, so that whoever started it knows where it ended."""

EMULATION_REFUSED = "GPU emulation detected"
"""MediaPipe 1.2 says so of software, whatever the model: this is no word on the model."""

OTHER_MEDIAPIPE = (
    "Edition 0.10.21 of the environment `verify`, which computes on software too, is for Python 3.10 to 3.12, and not "
    "for Linux on ARM."
)


@dataclass(frozen=True)
class GpuOptions:
    """The name of the bundle's kind, the side of its crops in pixels, and how many pictures the views are of."""

    kind: str
    crop_side: int
    pictures: int


def run(request: Request, events: Events) -> StepFindings:
    """Compare `inputs["quantized"]` with `inputs["original"]` on the `views`; the road `gpu` is all that is found."""
    options = read_options(GpuOptions, request)
    try:
        drawn_by = display.renderer()
    except display.NoDisplay as cause:
        return _found(options, RoadRun(GPU, ran=False, reason=str(cause)))
    runtime = f"MediaPipe {VERSION}'s GPU delegate on {drawn_by}"
    return _found(options, _compared(request, options, RoadRun(GPU, ran=True, runtime=runtime), events))


def _compared(request: Request, options: GpuOptions, run: RoadRun, events: Events) -> RoadRun:
    """The run with what came of it."""
    kind = next(kind for kind in KINDS if kind.name == options.kind)
    subject, views = Subject(kind, options.crop_side), read_views(request.file("views"))
    original, copy = (bundles.read(request.file(name)) for name in ("original", "quantized"))
    taken: Optional[bool] = None
    with ExitStack() as stack:
        try:
            _tell(ORIGINAL, events)
            before = stack.enter_context(reader(kind, original.path, kind.switches(original), gpu=True))
            before(views[0].pixels)
            taken = True
            _tell(COPY, events)
            after = stack.enter_context(reader(kind, copy.path, kind.switches(copy), gpu=True))
            after(views[0].pixels)
        except Rejected as rejection:
            return _rejected(run, str(rejection), original_taken=taken)
        _tell(BOTH, events)
        compared = compare(subject, before, after, views, events, IMAGES)
        noise = noise_floor(subject, before, views, NOISE_IMAGES)
    return replace(
        run,
        original_taken=True,
        copy_taken=True,
        sample_size=SampleSize(options.pictures, len(views), len(compared)),
        measures=measures(subject, compared),
        noise=measures(subject, noise),
        latency=call_times(compared),
    )


def _tell(what: str, events: Events) -> None:
    """Say what is being done, on standard error too: what the delegate says there is about that."""
    print(what, file=sys.stderr, flush=True)
    events.progress(what, 0, 1)


def _rejected(run: RoadRun, reason: str, *, original_taken: Optional[bool]) -> RoadRun:
    """The run in which MediaPipe refused one of the two, or what draws here."""
    if EMULATION_REFUSED in reason:
        why = reason[reason.index(EMULATION_REFUSED) :]
        reason = f"That is software, and this MediaPipe says: {why} {OTHER_MEDIAPIPE}"
        return RoadRun(GPU, ran=False, runtime=run.runtime, reason=reason)
    return replace(
        run, original_taken=bool(original_taken), copy_taken=False if original_taken else None, reason=reason
    )


def _found(options: GpuOptions, run: RoadRun) -> StepFindings:
    return StepFindings(VerifyFindings(verified=run.ran, kind=options.kind, mediapipe=VERSION, roads=(run,)))

"""Run the original and the quantized bundle in a browser and judge each road of the web against the original there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..contract import (
    WEB_CPU,
    WEB_GPU,
    Gate,
    InspectFindings,
    Request,
    RoadRun,
    StepFindings,
    WebFindings,
)
from ..files import bundle as bundles
from ..gates import GateDeclaration, Limits, judge, limits_of, unjudged
from ..int8.goals import BALANCED, goal_of
from ..landmarks.comparison import Subject
from ..landmarks.detections import Rejected
from ..landmarks.gates import judged
from ..landmarks.kind import LandmarkKind
from ..landmarks.kinds import KINDS, OTHER, kind_of, picture_sizes
from ..pictures.reading import read_pictures
from ..protocol import Events, Refused, read_options
from ..web.browsing import NoBrowser, browsing
from ..web.roads import Roads

PICTURE = "picture"
NO_BROWSER = (
    "There is no browser here. Install one (on Debian: apt install chromium-headless-shell), or name the program of a "
    "Chromium, Chrome or Edge with ENVGUARD_BROWSER."
)
NO_TASK = "Tasks for Web take bundles of a landmarker and have no interpreter for other models, so it was not tried."

TAKEN = GateDeclaration(
    "web-refused",
    "The browser takes the quantized bundle",
    "The road {subject} does not take the bundle, but takes the original: {reason}",
    "Quantize with --for web or --for anywhere, which keep to what this road takes.",
)
TAKES_IT = GateDeclaration("web-refused", "The browser takes the bundle", "{subject} does not take it: {reason}")
RUN = GateDeclaration("web-run", "The browser runs the bundle", "{subject}: {reason}")
FINDS = GateDeclaration(
    "web-finds", "The browser finds something in the pictures", "On the road {subject} the bundle finds no {things}."
)
TIME = GateDeclaration(
    "web-latency",
    "Time of a call, as a ratio to the original's",
    "On the road {subject} a call takes {measured:.2f} of the original's time; {limit:g} is allowed.",
    "Quantize with --goal speed, or with --allow-slower.",
    unit="ratio",
    option="max_latency_ratio",
)
GATES = (TIME, *(gate.declaration for kind in KINDS for gate in kind.gates))


@dataclass(frozen=True)
class WebOptions:
    """The browser's program, empty if the host has none, the roads to run, and the goal of quantizing."""

    browser: str = ""
    roads: tuple[str, ...] = (WEB_CPU, WEB_GPU)
    goal: str = BALANCED.name


def run(request: Request, events: Events) -> StepFindings:
    """Run `inputs["quantized"]` in the browser, beside `inputs["original"]` if there is one.

    On the pictures of the input that the bundle's kind names (`face`, `hand`, `pose`), and on those of `picture` for
    any. What the models take is read from the findings of the step `inspect`. A road on which nothing can be run is
    said to be so, and not judged; one that refuses the original is not judged either.

    `Refused`: no picture, one that cannot be decoded, pictures in which nothing is found.
    """
    options = read_options(WebOptions, request, [gate.option for gate in GATES if gate.option])
    limits = limits_of(GATES, request, goal_of(options.goal).limits)
    copy = bundles.read(request.file("quantized"))
    original = bundles.read(request.file("original")) if request.files("original") else None
    kind = kind_of(original or copy)
    if kind is None:
        return _not_run(OTHER, options, NO_TASK)
    if not options.browser:
        return _not_run(kind.name, options, NO_BROWSER)
    paths = [*request.files(PICTURE), *request.files(kind.samples)]
    if not paths:
        raise Refused("There is no picture to run it on.", next_step=f"Give one with a {kind.samples}.")
    sizes = picture_sizes(request.found(InspectFindings).models)
    subject = Subject(kind, sizes[(original or copy).names[kind.landmarks.path]][0])
    pictures = read_pictures(paths, events)
    try:
        with browsing(options.browser) as browser:
            roads = Roads(browser, subject, original, copy, pictures, events)
            views = roads.views()
            runs = tuple(roads.run(road, views) for road in options.roads)
    except NoBrowser as cause:
        return _not_run(kind.name, options, str(cause))
    except Rejected as cause:
        return _not_run(kind.name, options, str(cause))
    models = kind.parts_of(original or copy)
    gates = tuple(gate for each in runs for gate in _judged(each, kind, limits, models))
    return StepFindings(WebFindings(kind.name, options.browser, runs), gates)

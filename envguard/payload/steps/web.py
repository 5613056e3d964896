"""Run the original and the quantized bundle in a browser and judge each road of the web against the original there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..contract import OTHER, WEB_CPU, WEB_GPU, Gate, InspectFindings, Request, RoadRun, StepFindings, WebFindings
from ..files import bundle as bundles
from ..gates import GateDeclaration, Limits, judge, limits_of, unjudged
from ..int8.goals import BALANCED, goal_of
from ..landmarks.comparison import NothingFound, Subject
from ..landmarks.detections import Rejected
from ..landmarks.gates import judged
from ..landmarks.kind import LandmarkKind
from ..landmarks.kinds import KINDS, kind_of, picture_sizes
from ..landmarks.road_gates import gates_on, is_low_rank, judged_on_its_own, limits_on, on_its_own, refuses
from ..landmarks.views import Picture
from ..pictures.reading import read_pictures
from ..protocol import Events, Refused, read_options
from ..web.browsing import NoBrowser, browsing
from ..web.roads import RUNTIMES, Roads

PICTURE = "picture"
NOTHING = "Nothing was found in any of the pictures."
NO_BROWSER = (
    "There is no browser here. Install one (on Debian: apt install chromium-headless-shell), or name the program of a "
    "Chromium, Chrome or Edge with ENVGUARD_BROWSER."
)
NO_TASK = "Tasks for Web take bundles of a landmarker and have no interpreter for other models, so it was not tried."

REFUSES = {
    road: refuses(
        road,
        f"MediaPipe's Tasks for Web ({name})",
        "Quantize with --for web or --for anywhere, which keep to what this road takes.",
    )
    for road, name in RUNTIMES.items()
}
NOT_RUN = GateDeclaration("web-run", "The browser runs the bundle", "{subject}: {reason}")
SLOWER = GateDeclaration(
    "web-slower",
    "Time of a call in the browser, as a ratio to the original's",
    "On the road {subject}, a call takes {measured:.2f} of the original's time; {limit:g} is allowed.",
    "Quantize with --goal speed.",
    unit="ratio",
    option="max_web_latency_ratio",
)
GATES = (SLOWER, *(gate.declaration for road in RUNTIMES for kind in KINDS for gate in gates_on(road, kind)))


@dataclass(frozen=True)
class WebOptions:
    """The browser's program, empty if the host has none, the roads to run, and the goal of quantizing.

    `seconds` is how long both are compared on a road. As many images as fit are taken, because software that draws is a
    hundred times slower than a GPU. `version` is the browser's in the run that a receipt is of; only told.
    """

    browser: str = ""
    roads: tuple[str, ...] = (WEB_CPU, WEB_GPU)
    goal: str = BALANCED.name
    seconds: float = 30.0
    version: str = ""


def run(request: Request, events: Events) -> StepFindings:
    """Run `inputs["quantized"]` in the browser against `inputs["original"]`, or without one, whether it runs at all.

    On the pictures of the input that the bundle's kind names (`face`, `hand`, `pose`), and on those of `picture` for
    any. What the models take is read from the findings of the step `inspect`. A road that refuses the original is told
    of and not judged; nor is a bundle of no kind.

    `Refused`: no picture, one that cannot be decoded, pictures in which nothing is found.
    """
    options = read_options(WebOptions, request, [gate.option for gate in GATES])
    copy = bundles.read(request.file("quantized"))
    alone = not request.files("original")
    original = copy if alone else bundles.read(request.file("original"))
    kind = kind_of(original)
    if kind is None:
        return StepFindings(WebFindings(OTHER, options.browser, _not_run(options, NO_TASK)))
    if not options.browser:
        return _unjudged(kind, options, NO_BROWSER)
    sizes = picture_sizes(request.found(InspectFindings).models)
    subject = Subject(kind, sizes[original.names[kind.landmarks.path]][0])
    pictures = _pictures(request, kind, events)
    try:
        with browsing(options.browser) as browser:
            roads = Roads(browser, subject, original, copy, pictures, events, options.seconds)
            views, version = roads.views(), browser.version
            runs = tuple(roads.run(road, views) for road in options.roads)
    except (NoBrowser, Rejected) as cause:
        return _unjudged(kind, options, str(cause))
    except NothingFound:
        if not alone:
            raise
        return _unjudged(kind, options, NOTHING)
    if alone:
        runs = tuple(map(on_its_own, runs))
        gates = tuple(gate for each in runs for gate in judged_on_its_own(each, kind.things))
    else:
        limits = _limits(request, options)
        gates = tuple(gate for each in runs for gate in _judged(each, kind, limits, original))
    return StepFindings(WebFindings(kind.name, options.browser, runs, version), gates)


def _pictures(request: Request, kind: LandmarkKind, events: Events) -> list[Picture]:
    paths = [*request.files(PICTURE), *request.files(kind.samples)]
    if not paths:
        raise Refused("There is no picture to run it on.", next_step=f"Give at least one with a {kind.samples}.")
    return read_pictures(paths, events)


def _limits(request: Request, options: WebOptions) -> Limits:
    goal, low_rank = goal_of(options.goal), is_low_rank(request)
    own = {name: limit for road in RUNTIMES for name, limit in limits_on(road, KINDS, goal, low_rank=low_rank).items()}
    return limits_of(GATES, request, own)


def _judged(run: RoadRun, kind: LandmarkKind, limits: Limits, original: bundles.Bundle) -> list[Gate]:
    """The gates of one road; none where the original was not taken either."""
    if not run.original_taken:
        return []
    refused = judge(REFUSES[run.road], passed=bool(run.copy_taken), words={"reason": run.reason})
    gates = [replace(refused, models=tuple(kind.members_of(original)))]
    if run.measures is not None:
        gates += judged(gates_on(run.road, kind), run.measures, limits, kind.parts_of(original))
    limit = limits[SLOWER.option]
    if run.latency is not None and limit is not None:
        gates.append(judge(SLOWER, run.latency.ratio, limit, subject=run.road))
    return gates


def _unjudged(kind: LandmarkKind, options: WebOptions, reason: str) -> StepFindings:
    gates = tuple(unjudged(NOT_RUN, NOT_RUN.message, road, {"reason": reason}) for road in options.roads)
    return StepFindings(WebFindings(kind.name, options.browser, _not_run(options, reason)), gates)


def _not_run(options: WebOptions, reason: str) -> tuple[RoadRun, ...]:
    return tuple(RoadRun(road, ran=False, reason=reason) for road in options.roads)

"""Which roads a command means, and what that makes of its task: steps that run on request, and options of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from envguard.errors import BadInput
from envguard.host.browsers import find_browser
from envguard.host.graphics.drivers import graphics_drivers
from envguard.payload.contract import ANYWHERE, CPU, GPU, ROADS, TARGETS

VERIFY_STEP, WEB_STEP = "verify", "web"
WEB = "web"
OURS = (CPU, GPU)
"""What the step `verify` runs by itself."""

CHOICES: Mapping[str, Sequence[str]] = {
    **{name: roads for name, roads in TARGETS.items() if name != ANYWHERE},
    **{road: (road,) for road in ROADS},
}

METAVAR = "ROAD[,ROAD]"
HELP = (
    f"Where to run the file, each road against the original there: {', '.join(CHOICES)}. web is WASM and WebGL in this "
    "host's browser."
)
RoadsOption = Annotated[
    list[str] | None,
    typer.Option("--roads", metavar=METAVAR, help=f"{HELP} Default: cpu,gpu for anywhere, else what --for names."),
]
OwnRoadsOption = Annotated[
    list[str] | None, typer.Option("--roads", metavar=METAVAR, help=f"{HELP} Default: {','.join(OURS)}.")
]


def chosen_roads(said: Sequence[str] | None, otherwise: Sequence[str] = (CPU,)) -> tuple[str, ...]:
    """The roads that are meant, `otherwise` if none are said, in their order; raises BadInput for an unknown name."""
    names = [name.strip() for each in said or () for name in each.split(",")]
    unknown = [name for name in names if name not in CHOICES]
    if unknown:
        raise BadInput(f"There is no road {unknown[0]!r}.", next_step=f"Choose of: {', '.join(CHOICES)}.")
    meant = {road for name in names for road in CHOICES[name]} or set(otherwise)
    return tuple(road for road in ROADS if road in meant)


def roads_to_run(target: str, said: Sequence[str] | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where a file that is made for a target is run; raises BadInput for an unknown name.

    On those of its roads that are said or, if none are, that may be there: a GPU's, and a browser's if the file is for
    the web alone. On the CPU always, but for a file that is for nothing but a GPU: there its answers do not count.
    """
    browser = target == WEB and find_browser(environ, Path.home()) is not None
    otherwise = [road for road in TARGETS[target] if road in OURS or browser]
    return chosen_roads([*(said or otherwise), *([] if target == GPU else [CPU])], (CPU,))


def steps_for(roads: Sequence[str]) -> tuple[str, ...]:
    """The steps on request that these roads ask for."""
    return (WEB_STEP,) if _of_the_web(roads) else ()


def road_options(roads: Sequence[str], goal: str, environ: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """The options of the steps that run roads, by step."""
    options: dict[str, dict[str, object]] = {
        VERIFY_STEP: {"goal": goal, "roads": [each for each in roads if each in OURS]}
    }
    if steps_for(roads):
        browser = find_browser(environ, Path.home())  # a path of this host: steps see none of its variables
        program = "" if browser is None else str(browser)
        options[WEB_STEP] = {"goal": goal, "roads": _of_the_web(roads), "browser": program}
    return options


def road_drivers(roads: Sequence[str]) -> dict[str, str]:
    """The drivers of this host that the steps use for these roads, by step."""
    return {VERIFY_STEP: graphics_drivers()} if GPU in roads else {}


def _of_the_web(roads: Sequence[str]) -> list[str]:
    return [road for road in roads if road in TARGETS[WEB]]

"""The gates of a kind on another road than the CPU: the same ones, by names, words and limits of that road's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..contract import WEB_CPU, Gate, Measures, QuantizeFindings, Request, RoadRun
from ..gates import GateDeclaration, judge
from ..int8.goals import Goal
from .gates import MORE_ACCURATE, LandmarkGate
from .kind import LandmarkKind

BEGINNING = "max_"
TAKES = GateDeclaration(
    "road-refuses",
    "The road takes the file",
    "The road {subject} does not take the file: {reason}",
    "Quantize its original with --for anywhere, which makes a file for every road that takes the original.",
)
FINDS_NOTHING = GateDeclaration(
    "finds-nothing",
    "Finds {things} in the pictures",
    "On the road {subject}, no {things} are found.",
    "Give pictures with --images in which they fill a good part of the frame.",
)


def refuses(road: str, what: str, next_step: str) -> GateDeclaration:
    """Whether the road's runtime takes the copy where it takes the original; `what` is the runtime in words."""
    return GateDeclaration(
        f"{road}-refuses",
        f"{what} takes the copy, as it does the original",
        f"{what} does not take the quantized file, but does take the original: {{reason}}",
        next_step,
    )


def on_its_own(run: RoadRun) -> RoadRun:
    """What the road makes of one file, of a run in which that file was beside itself."""
    taken = run.copy_taken if run.original_taken else run.original_taken
    measures = None if run.measures is None else Measures(run.measures.counts)
    return replace(run, original_taken=None, copy_taken=taken, measures=measures, noise=None, latency=None, outputs=())


def judged_on_its_own(run: RoadRun, things: str = "") -> tuple[Gate, ...]:
    """Whether the road takes the file, and whether any `things` are found with it; nothing where it was not run."""
    if not run.ran:
        return ()
    gates = [judge(TAKES, passed=bool(run.copy_taken), subject=run.road, words={"reason": run.reason})]
    if run.measures is not None:
        found = run.measures.counts.after > 0
        gates.append(judge(FINDS_NOTHING, passed=found, subject=run.road, words={"things": things}))
    return tuple(gates)


def gates_on(road: str, kind: LandmarkKind) -> tuple[LandmarkGate, ...]:
    """The gates of the kind, each as one of the road."""
    return tuple(replace(gate, declaration=_on(road, gate.declaration)) for gate in kind.gates)


def limits_on(road: str, kinds: Sequence[LandmarkKind], goal: Goal, *, low_rank: bool) -> Mapping[str, float]:
    """The limits that a goal has for the road's gates, by option.

    WASM computes as the CPU does, so landmarks may move as much there. Goals for which size or time counts most, and
    compressed layers, leave them as much on every road.
    """
    strict = road != WEB_CPU and goal.bytes_power == goal.time_power and not low_rank
    found = {}
    for gate in (gate for kind in kinds for gate in kind.gates):
        option = gate.declaration.option
        limit = goal.limits.get(option, gate.declaration.default)
        if limit is not None and gate.elsewhere is not None:
            limit = gate.elsewhere if strict else max(limit, gate.elsewhere)
        if limit is not None:
            found[option_on(road, option)] = limit
    return found


def is_low_rank(request: Request) -> bool:
    """Whether layers of the copy were compressed."""
    try:
        return any(model.low_rank for model in request.found(QuantizeFindings).recipe.models.values())
    except LookupError:
        return False


def option_on(road: str, option: str) -> str:
    """What the limit of a gate is called on the road: `max_landmark_px` is `max_gpu_landmark_px` there."""
    return option.replace(BEGINNING, f"{BEGINNING}{road.replace('-', '_')}_", 1)


def _on(road: str, declaration: GateDeclaration) -> GateDeclaration:
    message = declaration.message
    return replace(
        declaration,
        name=f"{road}-{declaration.name}",
        what=f"{declaration.what}, on the road {road}",
        message=f"On the road {road}: {message}",
        next=MORE_ACCURATE,
        option=option_on(road, declaration.option),
    )

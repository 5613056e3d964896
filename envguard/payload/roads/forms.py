"""In which forms the weights of a model may be stored, so that every road that takes the original takes the copy."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..contract import GPU, TARGETS, WEB_GPU, RoadLint
from ..files.bundle import BUNDLE_SUFFIX, Bundle
from ..int8.treatments import Form
from ..protocol import Refused
from .files import Lints
from .members import Runner, runner_of

ON_A_GPU = (GPU, WEB_GPU)


def roads_of(target: str) -> tuple[str, ...]:
    """The roads that a file is made for; `Refused` for a target that there is not."""
    if target not in TARGETS:
        raise Refused(f"There is no target {target!r}.", next_step=f"Choose one of: {', '.join(TARGETS)}.")
    return TARGETS[target]


def forms_of(source: Bundle, lints: Lints, roads: Collection[str]) -> dict[str, Form]:
    """That of each model, by its name; `lints` are the originals', `roads` those that the copy is for."""
    in_bundle = source.suffix == BUNDLE_SUFFIX
    return {each.name: form_on(roads, lints[each.name], runner_of(each.path, in_bundle)) for each in source.models()}


def form_on(roads: Collection[str], original: Sequence[RoadLint], runner: Runner) -> Form:
    """That of a model whose `original` rules know, and that `runner` runs where the GPU is asked for."""
    drawn = [lint.road for lint in original if lint.road in ON_A_GPU and lint.verdict != "refused"]
    if runner is Runner.PROCESSOR or set(drawn).isdisjoint(roads):
        return Form.ANY
    return Form.MULTIPLIED_OUT if set(roads) <= set(ON_A_GPU) else Form.READ_DIRECTLY

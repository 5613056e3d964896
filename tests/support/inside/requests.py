"""What a step is run with when it is tested inside an environment: `payload_support.requests`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envguard_payload.contract import InspectedModel, InspectFindings, IntegerTensors, Port, Request


class Silent:
    """Takes the events, so that standard output stays the test runner's."""

    def progress(self, label: str, done: float, total: float) -> None: ...

    def note(self, text: str) -> None: ...


class Listening(Silent):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def request(
    step: str,
    folder: Path,
    inputs: Mapping[str, Path | Sequence[Path]],
    options: Mapping[str, Any] | None = None,
    inspected: Any = None,
) -> Request:
    """A request with one file or several for each input; `inspected` is what the step `inspect` found."""
    files = {name: (given,) if isinstance(given, Path) else tuple(given) for name, given in inputs.items()}
    findings = {} if inspected is None else {"inspect": inspected}
    return Request(step, files, folder, options or {}, findings)


def inspected(shapes: Mapping[str, Sequence[int]]) -> InspectFindings:
    """What `inspect` finds of models that have one input each, of the shape given by the model's name."""
    models = tuple(
        inspected_model(name, Port("input", tuple(shape), tuple(shape), "FLOAT32")) for name, shape in shapes.items()
    )
    return InspectFindings("a.task", "bundle", 0, (), models)


def inspected_model(name: str, *inputs: Port) -> InspectedModel:
    """What `inspect` finds of a model with these inputs."""
    return InspectedModel(
        name=name,
        bytes=0,
        operators={},
        custom_operators=(),
        weight_bytes={},
        constants={},
        activations={},
        inputs=inputs,
        outputs=(),
        signatures=(),
        metadata={},
        associated_files=(),
        integer_quantized=IntegerTensors(0, 0),
        passes=(),
        recipe=None,
        becomes_int8={},
        state="float16",
        blocks=(),
    )

"""Run one payload step in an environment: a request in, events out, findings at the end."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from envguard.backends.protocol import Workspace
from envguard.errors import BadInput, StepFailed
from envguard.payload.contract import (
    Findings,
    Gate,
    Note,
    Progress,
    Refusal,
    Request,
    StepEvent,
    StepFindings,
    Unreadable,
    from_json,
    to_json,
)
from envguard.running.ending import ending, log_tail

PAYLOAD = Path(__file__).resolve().parents[1] / "payload" / "__main__.py"
LONGEST_EVENT = 64 << 20

OTHER_INPUT = "Choose another input, or recreate this one; it was not modified."
"""For a step that says what is wrong with its input and no more."""

Told = Progress | Note


@dataclass(frozen=True, slots=True)
class StepOrder:
    """What one step is told: `run` is the payload's step, `name` what the run calls it, paths are those of this host.

    `findings` are those of the earlier steps, by their names.
    """

    name: str
    run: str
    inputs: Mapping[str, Sequence[Path]]
    options: Mapping[str, object] = field(default_factory=dict)
    findings: Mapping[str, Findings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step found, its gates marked with its name, and how long it took."""

    findings: StepFindings
    seconds: float

    @property
    def failures(self) -> tuple[Gate, ...]:
        """The gates that were not passed."""
        return self.findings.failures


def run_step(
    workspace: Workspace, order: StepOrder, *, environ: Mapping[str, str], log: Path, tell: Callable[[Told], None]
) -> StepResult:
    """Run a payload step with the Python of an environment, in its workspace, and give back its result.

    The step sees only harmless variables of `environ`, works in the workspace's folder, and its noise goes to `log`;
    `tell` hears what it says on the way. Raises BadInput where the step refuses its input and StepFailed where it ends
    without findings.
    """
    request = workspace.folder / f"{order.name}.request.json"
    request.write_text(json.dumps(to_json(_request(workspace, order))), encoding="utf-8")
    started = time.monotonic()
    last: Refusal | StepFindings | None = None
    with (
        log.open("wb") as noise,
        workspace.process(_command(workspace, request), workspace.variables(environ), noise, talks=True) as process,
    ):
        assert process.stdout is not None
        for event in _events(process.stdout, order.name, order.run, log):
            if isinstance(event, (Refusal, StepFindings)):
                last = event
            else:
                tell(event)
        code = process.wait()
    if code == 2 and isinstance(last, Refusal):
        raise BadInput(last.what, why=last.why, next_step=last.next or OTHER_INPUT)
    if code != 0 or not isinstance(last, StepFindings):
        how = ending(code) + (" and without a result" if code >= 0 else "")
        raise StepFailed(f"The step {order.name!r} {how}.", why=log_tail(log), next_step=f"The whole log: {log}")
    gates = tuple(replace(gate, step=order.name) for gate in last.gates)
    return StepResult(replace(last, gates=gates), time.monotonic() - started)


def _request(workspace: Workspace, order: StepOrder) -> Request:
    return Request(
        step=order.run,
        inputs={
            name: tuple(Path(workspace.path_inside(path)) for path in files) for name, files in order.inputs.items()
        },
        folder=Path(workspace.path_inside(workspace.folder)),
        options={name: to_json(value) for name, value in order.options.items()},
        findings=dict(order.findings),
    )


def _command(workspace: Workspace, request: Path) -> list[str]:
    # -I shuts out PYTHON* variables, the user's site folder and the current folder; -X utf8 makes text the same
    # everywhere; -B because the payload may lie where the user cannot write.
    python = workspace.path_inside(workspace.layout.python)
    return [python, "-I", "-B", "-X", "utf8", workspace.path_inside(PAYLOAD), workspace.path_inside(request)]


def _events(stream: IO[bytes], name: str, run: str, log: Path) -> Iterator[StepEvent]:
    """Each JSON line as what it says; a line that is no JSON object is noise and is passed over."""
    while line := stream.readline(LONGEST_EVENT):
        document: object = None
        with contextlib.suppress(ValueError):
            document = json.loads(line)
        if not isinstance(document, dict):
            continue
        values = document.get("values")
        if isinstance(values, dict) and "step" not in values:  # a step that has no type of its own yet
            values["step"] = run.rpartition(".")[2] if run.startswith("steps.") else "check"
        try:
            yield from_json(StepEvent, document)  # type: ignore[arg-type]  # a union is no class to mypy
        except Unreadable as error:
            raise StepFailed(
                f"The step {name!r} said something that this envguard does not understand.",
                why=str(error),
                next_step=f"Run again with --debug and attach `envguard report-bug`. The whole log: {log}",
            ) from error


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A private folder for one run, removed when the run ends."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)

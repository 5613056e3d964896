"""Run one payload step in an environment: a request in, events out, findings at the end."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from envguard.backends.protocol import Workspace
from envguard.backends.resources import limit_for
from envguard.catalog.model import PayloadStep
from envguard.code_files import PAYLOAD
from envguard.errors import BadInput, StepFailed
from envguard.payload.contract import (
    Findings,
    Gate,
    Note,
    Progress,
    Refusal,
    RefusedAttempt,
    Request,
    StepEvent,
    StepFindings,
    TaskStep,
    Unreadable,
    from_json,
    to_json,
)
from envguard.running.commands.outside import NOTHING, FromOutside
from envguard.running.ending import ending, log_tail, refuse_if_out_of_memory, took_too_long
from envguard.running.time_limit import time_limit

LONGEST_EVENT = 64 << 20

OTHER_INPUT = "Choose another input, or recreate this one; it was not modified."
"""For a step that says what is wrong with its input and no more."""

Told = Progress | Note
NO_OPTIONS: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class StepOrder:
    """A step, the files of its inputs as this host sees them, and the findings of the earlier steps by their names.

    For `refused` and `attempts_left` see `Request`. It may take so many seconds (`timeout`).
    """

    step: TaskStep
    files: Mapping[str, Sequence[Path]]
    findings: Mapping[str, Findings] = field(default_factory=dict)
    refused: tuple[RefusedAttempt, ...] = ()
    attempts_left: int = 0
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step found, its gates marked with its name, and how long it took.

    `outside` is what a command had that no lock pins, `notes` what the user was told on the way. One that was `reused`
    is of that date (RFC 3339, UTC).
    """

    findings: StepFindings
    seconds: float
    outside: FromOutside = NOTHING
    reused: str = ""
    notes: tuple[str, ...] = ()

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
    request = workspace.folder / f"{order.step.name}.request.json"
    request.write_text(json.dumps(to_json(_request(workspace, order))), encoding="utf-8")
    most = limit_for([file for files in order.files.values() for file in files], environ)
    started = time.monotonic()
    last: Refusal | StepFindings | None = None
    notes: list[str] = []
    with (
        log.open("wb") as noise,
        workspace.process(
            _command(workspace, request), workspace.variables(environ), noise, talks=True, memory=most
        ) as process,
        time_limit(process, order.timeout) as limit,
    ):
        assert process.stdout is not None
        for event in _events(process.stdout, order.step.name, log):
            if isinstance(event, (Refusal, StepFindings)):
                last = event
            else:
                notes += [event.text] if isinstance(event, Note) else []
                tell(event)
        code = process.wait()
    if limit.over and order.timeout is not None:
        raise took_too_long(order.step.name, order.timeout, log_tail(log), log)
    if code == 2 and isinstance(last, Refusal):
        raise BadInput(last.what, why=last.why, next_step=last.next or OTHER_INPUT)
    if code != 0 or not isinstance(last, StepFindings):
        refuse_if_out_of_memory(order.step.name, code, most, log, given="ENVGUARD_MEMORY" in environ)
        how = ending(code) + (" and without a result" if code >= 0 else "")
        raise StepFailed(f"The step {order.step.name!r} {how}.", why=log_tail(log), next_step=f"The whole log: {log}")
    gates = tuple(replace(gate, step=order.step.name) for gate in last.gates)
    return StepResult(replace(last, gates=gates), time.monotonic() - started, notes=tuple(notes))


def _request(workspace: Workspace, order: StepOrder) -> Request:
    files = {name: tuple(Path(workspace.path_inside(path)) for path in files) for name, files in order.files.items()}
    request = order.step.request(files, Path(workspace.path_inside(workspace.folder)), order.findings)
    return replace(request, refused=order.refused, attempts_left=order.attempts_left)


def task_step(step: PayloadStep, chosen: Mapping[str, object] = NO_OPTIONS) -> TaskStep:
    """A step of the catalog with the user's options, as the payload knows it."""
    inputs = {name: str(reference) for name, reference in step.inputs.items()}
    own = TaskStep(step.name, step.run, inputs, step.options)
    return own.with_chosen({name: to_json(value) for name, value in chosen.items()})


def _command(workspace: Workspace, request: Path) -> list[str]:
    # -I shuts out PYTHON* variables, the user's site folder and the current folder; -X utf8 makes text the same
    # everywhere; -B because the payload may lie where the user cannot write.
    python = workspace.path_inside(workspace.layout.python)
    return [python, "-I", "-B", "-X", "utf8", workspace.path_inside(PAYLOAD), workspace.path_inside(request)]


def _events(stream: IO[bytes], name: str, log: Path) -> Iterator[StepEvent]:
    """Each JSON line as what it says; a line that is no JSON object is noise and is passed over."""
    while line := stream.readline(LONGEST_EVENT):
        document: object = None
        with contextlib.suppress(ValueError):
            document = json.loads(line)
        if not isinstance(document, dict):
            continue
        try:
            yield from_json(StepEvent, document)  # type: ignore[arg-type]  # a union is no class to mypy
        except Unreadable as error:
            raise StepFailed(
                f"The step {name!r} said something that this envguard does not understand.",
                why=str(error),
                next_step=f"Run again with --debug and attach `envguard report-bug`. The whole log: {log}",
            ) from error

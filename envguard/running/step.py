"""Run one payload step in an environment: a request in, events out, one result."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

from envguard.backends.protocol import Workspace
from envguard.errors import BadInput, StepFailed
from envguard.payload.contract import Findings, Gate, Json, Request, StepFindings, from_json, to_json
from envguard.running.ending import ending, log_tail

PAYLOAD = Path(__file__).resolve().parents[1] / "payload" / "__main__.py"
LONGEST_EVENT = 64 << 20

# For a step that says what is wrong with its input and no more.
OTHER_INPUT = "Give another input, or make this one anew; it was only read."


@dataclass(frozen=True, slots=True)
class GateFailure:
    """A gate that a step did not pass: its name, what happened, and what the user can do."""

    step: str
    name: str
    message: str
    next_step: str

    def as_json(self) -> dict[str, str]:
        """The same failure for `--json`."""
        return {"step": self.step, "name": self.name, "message": self.message, "next": self.next_step}


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step found (`values`, plain JSON), the gates that it did not pass, and how long it took."""

    values: Mapping[str, Any]
    failures: tuple[GateFailure, ...]
    seconds: float
    findings: Findings | None = None
    gates: tuple[Gate, ...] = ()


def run_step(
    workspace: Workspace,
    step: str,
    *,
    name: str,
    inputs: Mapping[str, tuple[Path, ...]],
    options: Mapping[str, object],
    findings: Mapping[str, Findings],
    environ: Mapping[str, str],
    log: Path,
    on_event: Callable[[dict[str, Any]], None],
) -> StepResult:
    """Run a step's payload with the Python of an environment, in its workspace, and give back its result.

    The step sees only harmless variables of `environ`, works in the place's folder, and its noise goes to `log`. Raises
    BadInput where the step refuses its input and StepFailed where it ends without a result.
    """
    request = workspace.folder / f"{name}.request.json"
    document = Request(
        step=step,
        inputs={key: tuple(Path(workspace.path_inside(path)) for path in paths) for key, paths in inputs.items()},
        folder=Path(workspace.path_inside(workspace.folder)),
        options=cast("Mapping[str, Json]", options),
        findings=findings,
    )
    request.write_text(json.dumps(to_json(document)), encoding="utf-8")
    started = time.monotonic()
    last: dict[str, Any] = {}
    with (
        log.open("wb") as noise,
        workspace.process(_command(workspace, request), workspace.variables(environ), noise, talks=True) as process,
    ):
        assert process.stdout is not None
        for event in _events(process.stdout):
            if event.get("event") in ("result", "refused"):
                last = event
            else:
                on_event(event)
        code = process.wait()
    if code == 2 and last.get("event") == "refused":
        raise BadInput(str(last["what"]), why=str(last["why"]), next_step=str(last["next"]) or OTHER_INPUT)
    if code != 0 or last.get("event") != "result":
        how = ending(code) + (" and without a result" if code >= 0 else "")
        raise StepFailed(f"The step {name!r} {how}.", why=log_tail(log), next_step=f"The whole log: {log}")
    return _result(last, name, time.monotonic() - started)


def _result(event: Mapping[str, Any], name: str, seconds: float) -> StepResult:
    values = event["values"] or {}
    typed = from_json(StepFindings, {**event, "values": values if "step" in values else None})
    found = {key: value for key, value in values.items() if key != "step"}
    if typed.files:
        found["files"] = dict(typed.files)
    failures = tuple(GateFailure(name, gate.name, gate.message, gate.next) for gate in typed.failures)
    gates = tuple(replace(gate, step=name) for gate in typed.gates)
    return StepResult(found, failures, seconds, typed.values, gates)


def _command(workspace: Workspace, request: Path) -> list[str]:
    # -I shuts out PYTHON* variables, the user's site folder and the current folder; -X utf8 makes text the same
    # everywhere; -B because the payload may lie where the user cannot write.
    python = workspace.path_inside(workspace.layout.python)
    return [python, "-I", "-B", "-X", "utf8", workspace.path_inside(PAYLOAD), workspace.path_inside(request)]


def _events(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Each JSON line; what is none is not an event and is passed over."""
    while line := stream.readline(LONGEST_EVENT):
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A private folder for one run, removed when the run ends."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)

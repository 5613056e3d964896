"""Run one payload step in an environment: a request in, events out, one result."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from envguard.errors import BadInput, Interrupted, StepFailed
from envguard.host.variables import step_variables

PROTOCOL = 1
PAYLOAD = Path(__file__).resolve().parents[1] / "payload" / "__main__.py"
GRACE_SECONDS = 3.0
LONGEST_EVENT = 64 << 20
LOG_TAIL_BYTES = 4000


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


def run_step(
    python: Path,
    step: str,
    *,
    name: str,
    inputs: Mapping[str, Path],
    folder: Path,
    options: Mapping[str, object],
    results: Mapping[str, object],
    environ: Mapping[str, str],
    log: Path,
    on_event: Callable[[dict[str, Any]], None],
) -> StepResult:
    """Run a step's payload with an environment's Python and give back its result.

    The step sees only harmless variables of `environ`, works in `folder`, and writes its noise to `log`. Raises
    BadInput where the step refuses its input and StepFailed where it ends without a result.
    """
    request = folder / f"{name}.request.json"
    document = {
        "protocol": PROTOCOL,
        "step": step,
        "inputs": {key: str(path) for key, path in inputs.items()},
        "folder": str(folder),
        "options": dict(options),
        "results": dict(results),
    }
    request.write_text(json.dumps(document), encoding="utf-8")
    started = time.monotonic()
    last: dict[str, Any] = {}
    with log.open("wb") as noise, _started(python, request, folder, environ, noise) as process:
        assert process.stdout is not None
        for event in _events(process.stdout):
            if event.get("event") in ("result", "refused"):
                last = event
            else:
                on_event(event)
        code = process.wait()
    if code == 2 and last.get("event") == "refused":
        raise BadInput(str(last["what"]), why=str(last["why"]), next_step=str(last["next"]))
    if code != 0 or last.get("event") != "result":
        raise StepFailed(f"The step {name!r} {_ending(code)}.", why=_tail(log), next_step=f"The whole log: {log}")
    failures = tuple(
        GateFailure(name, str(each["name"]), str(each["message"]), str(each["next"])) for each in last["failures"]
    )
    return StepResult(last["values"], failures, time.monotonic() - started)


@contextlib.contextmanager
def _started(
    python: Path, request: Path, folder: Path, environ: Mapping[str, str], noise: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """The step's process, in a process group of its own so that one Ctrl-C reaches it once, and from us."""
    variables = step_variables(environ) | {"HOME": str(folder)}
    # -I shuts out PYTHON* variables, the user's site folder and the current folder; -X utf8 makes text the same
    # everywhere; -B because the payload may lie where the user cannot write.
    command = [str(python), "-I", "-B", "-X", "utf8", str(PAYLOAD), str(request)]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=noise,
        start_new_session=True,
    )
    try:
        yield process
    except KeyboardInterrupt as interrupt:
        _stop(process, signal.SIGINT)
        raise Interrupted(
            "Interrupted.", next_step="Run the same command again; what was built is kept."
        ) from interrupt
    finally:
        _stop(process, signal.SIGTERM)
        assert process.stdout is not None
        process.stdout.close()


def _stop(process: subprocess.Popen[bytes], first: signal.Signals) -> None:
    """End a process group: politely, then surely."""
    if process.poll() is not None:
        return
    _signal_group(process, first)
    killer = threading.Timer(GRACE_SECONDS, _signal_group, (process, getattr(signal, "SIGKILL", signal.SIGTERM)))
    killer.start()
    process.wait()
    killer.cancel()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.name == "nt":
            process.terminate()
        else:
            os.killpg(process.pid, number)


def _events(stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Each JSON line; what is none is not an event and is passed over."""
    while line := stream.readline(LONGEST_EVENT):
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code} and without a result"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return "\n".join(lines[-12:]) or "it said nothing"


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A private folder for one run, removed when the run ends."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)

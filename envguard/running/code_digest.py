"""Which code a step runs, as one hash: another hash, another tool."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from envguard.catalog.model import CommandStep, Step, Task
from envguard.catalog.scripts import script_of
from envguard.code_files import PAYLOAD, code_below, code_beside
from envguard.errors import BadInput
from envguard.files import file_facts

LATER = {"pass_env", "env_file", "tools", "network"}
"""What steps could not say when the first receipts were written, which know nothing of it."""


def code_digest(step: Step, project: Path) -> str:
    """SHA-256 in hex of the code that a step runs besides what its environment holds.

    For a payload step that is the payload. For a command it is its script and all that it can import from the project:
    sources, compiled modules, and the data of packages. A command of the environment's own has none: the text is empty.
    Raises BadInput for a file that cannot be read.
    """
    if not isinstance(step, CommandStep):
        return _digest(PAYLOAD.parent, code_below(PAYLOAD.parent, whole=True))
    script = script_of(step.command, project)
    if script is None:
        return ""
    return _digest(script.parent, set(code_beside(script, project)))


def code_digests(steps: Sequence[Step], project: Path) -> dict[str, str]:
    """The hash of each step's code by its name; the payload is read once for all."""
    payload = next((code_digest(step, project) for step in steps if not isinstance(step, CommandStep)), "")
    return {step.name: code_digest(step, project) if isinstance(step, CommandStep) else payload for step in steps}


def task_digest(task: Task) -> str:
    """SHA-256 in hex of what a task does: its steps and outputs, whatever its summary, its reports, and its folder."""
    steps = [asdict(step) for step in task.verdict_steps]
    for step, document in zip(task.verdict_steps, steps, strict=True):
        # These say what may run beside the step, what follows a gate's no, when it runs and how long, not what it does.
        for name in {"measures", "retries", "on_request", "timeout"} & set(document):
            del document[name]
        for name in LATER & set(document):
            if document[name] in (None, "", ()):
                del document[name]
        document["inputs"] = {name: str(reference) for name, reference in step.inputs.items()}
    outputs = {name: str(reference) for name, reference in task.outputs.items()}
    definition = {"steps": steps, "outputs": outputs}
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def _digest(root: Path, files: Iterable[Path]) -> str:
    """A hash over names and contents, in an order that does not depend on the file system."""
    try:
        lines = sorted(f"{file_facts(path).sha256} {path.relative_to(root).as_posix()}" for path in files)
    except OSError as error:
        raise BadInput(
            f"The code of a step in {root} cannot be read.",
            why=str(error),
            next_step="Correct the file's permissions, or move it elsewhere.",
        ) from error
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

"""Which code a step runs, as one hash: another hash, another tool."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from envguard.catalog.model import CommandStep, Step, Task
from envguard.files import file_facts
from envguard.running.command_step import script_of
from envguard.running.step import PAYLOAD

PYVENV = "pyvenv.cfg"


def code_digest(step: Step, project: Path) -> str:
    """SHA-256 in hex of the code that a step runs besides what its environment holds.

    For a payload step that is the payload. For a command it is its script and every Python file below the script's
    folder, because any of them may be imported. A command of the environment's own has none: the text is empty.
    """
    if not isinstance(step, CommandStep):
        return _digest(PAYLOAD.parent, [*_python_files(PAYLOAD.parent), *PAYLOAD.parent.glob("*/*.html")])
    script = script_of(step.command, project)
    if script is None:
        return ""
    return _digest(script.parent, {script, *_python_files(script.parent)})


def task_digest(task: Task) -> str:
    """SHA-256 in hex of what a task does: its steps and outputs, whatever its summary, its reports, and its folder."""
    steps = [asdict(step) for step in task.verdict_steps]
    for step, document in zip(task.verdict_steps, steps, strict=True):
        # These say what may run beside the step, what follows a gate's no and when it runs, not what the step does.
        for name in {"measures", "retries", "on_request"} & set(document):
            del document[name]
        document["inputs"] = {name: str(reference) for name, reference in step.inputs.items()}
    outputs = {name: str(reference) for name, reference in task.outputs.items()}
    definition = {"steps": steps, "outputs": outputs}
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def _python_files(folder: Path) -> Iterator[Path]:
    """Every Python file below a folder that could be imported; not those of virtual environments and caches."""
    for path in folder.iterdir():
        if path.is_dir():
            importable = path.name.isidentifier() and path.name != "__pycache__" and not path.is_symlink()
            if importable and not (path / PYVENV).exists():
                yield from _python_files(path)
        elif path.suffix == ".py" and path.is_file():
            yield path


def _digest(root: Path, files: Iterable[Path]) -> str:
    """A hash over names and contents, in an order that does not depend on the file system."""
    lines = sorted(f"{file_facts(path).sha256} {path.relative_to(root).as_posix()}" for path in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

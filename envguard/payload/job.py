"""Run a task without envguard: `python -I __main__.py job TASK_FILE STEP`, each step in a container of its own.

The task file is a `TaskFile` (JSON). The user's files are in `/envguard/input`, samples in `/envguard/samples/NAME`;
the steps share `/envguard/work` for the files that they make.

The last step, `publish`, copies the outputs to `/envguard/output` if every gate passed.

Exit codes: 0 done, 1 the verdict is no, 2 the input was refused; any other is the crash of a step.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from .contract import Reference, StepFailure, StepFindings, TaskFile, TaskResults, from_json, to_json
from .door.references import SAMPLE, TASK

ROOT = Path("/envguard")
PUBLISH = "publish"


def run_step(task: TaskFile, name: str, root: Path) -> int:
    """Run a step on the files and findings of earlier steps, and keep what it finds."""
    step = task.step(name)
    work = root / "work" / name
    work.mkdir()
    files = {key: _files(task, Reference.parse(each), root) for key, each in step.inputs.items()}
    earlier = {each: _result(root, each).values for each in task.before(name)}
    request = step.request(files, work, {each: found for each, found in earlier.items() if found is not None})
    file = work / "request.json"
    file.write_text(json.dumps(to_json(request)), encoding="utf-8")
    payload = Path(__file__).with_name("__main__.py")
    command = [sys.executable, "-I", "-B", "-X", "utf8", str(payload), str(file)]
    last = ""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line
    if process.returncode != 0:
        return process.returncode if process.returncode > 0 else 128 - process.returncode
    (work / "result.json").write_text(last, encoding="utf-8")
    return 0


def publish(task: TaskFile, root: Path) -> int:
    """Write what every step found and, if every gate passed, the outputs; each file appears whole or not at all."""
    results = {step.name: _result(root, step.name) for step in task.steps}
    failures = tuple(
        StepFailure(name, gate.name, gate.message, gate.next)
        for name, result in results.items()
        for gate in result.failures
    )
    for failure in failures:
        print(f"{failure.step}: {failure.name}: {failure.message}")
    for reference in () if failures else task.outputs.values():
        (made,) = _files(task, Reference.parse(reference), root)
        _appear(root / "output" / made.name, made)
    found = {name: result.values for name, result in results.items() if result.values is not None}
    report = root / "work" / "results.json"
    report.write_text(json.dumps(to_json(TaskResults(task.name, failures, found))), encoding="utf-8")
    _appear(root / "output" / f"{task.name}.results.json", report)
    return 1 if failures else 0


def _files(task: TaskFile, reference: Reference, root: Path) -> tuple[Path, ...]:
    """The files that a reference names; raises FileNotFoundError if one is missing."""
    if reference.source == TASK:
        files: tuple[Path, ...] = (root / "input" / task.inputs[reference.name],)
    elif reference.source == SAMPLE:
        files = tuple(root / "samples" / reference.name / file for file in task.samples[reference.name])
    else:
        files = (root / "work" / reference.step / _result(root, reference.step).files[reference.name],)
    for path in files:
        if not path.is_file():
            raise FileNotFoundError(f"{reference}: {path} does not exist")
    return files


def _result(root: Path, name: str) -> StepFindings:
    text = (root / "work" / name / "result.json").read_text(encoding="utf-8")
    return from_json(StepFindings, json.loads(text), name)


def _appear(target: Path, source: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)


def main(task_file: str, name: str, root: Path = ROOT) -> int:
    """Run the named step, or publish."""
    task = from_json(TaskFile, json.loads(Path(task_file).read_text(encoding="utf-8")))
    return publish(task, root) if name == PUBLISH else run_step(task, name, root)

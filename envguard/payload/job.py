"""A task where no envguard is: `python -I job.py TASK_FILE STEP`, each step in a container of its own.

The task file says what to do (JSON): `inputs` are file names by name, `steps` are `name`, `run`, `inputs` (references)
and `options`, `outputs` are references by name. Files that users give lie in `/envguard/input`, samples in
`/envguard/samples/NAME`, and what steps make in a folder that they share, `/envguard/work`.

The step `publish`, after all others, copies the outputs to `/envguard/output` if every gate was passed.

Exit codes: 0 done, 1 the verdict is no, 2 the input was refused, anything else is a step's crash.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path("/envguard")
PUBLISH = "publish"
PROTOCOL = 2


def run_step(task: dict[str, Any], name: str, root: Path) -> int:
    """Run one step's payload, with the files and results of those before it, and keep what it says."""
    (step,) = [each for each in task["steps"] if each["name"] == name]
    work = root / "work" / name
    work.mkdir()
    earlier = [each["name"] for each in task["steps"][: task["steps"].index(step)]]
    request = {
        "protocol": PROTOCOL,
        "step": step["run"],
        "inputs": {key: list(map(str, _files(task, each, root))) for key, each in step["inputs"].items()},
        "folder": str(work),
        "options": step["options"],
        "findings": {each: found for each in earlier if "step" in (found := _result(root, each)["values"] or {})},
    }
    file = work / "request.json"
    file.write_text(json.dumps(request), encoding="utf-8")
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


def publish(task: dict[str, Any], root: Path) -> int:
    """Hand over the outputs, whole, and what every step found; without outputs if a gate was not passed."""
    results = {step["name"]: _result(root, step["name"]) for step in task["steps"]}
    failures = [
        {"step": name, **{key: gate[key] for key in ("name", "message", "next")}}
        for name, result in results.items()
        for gate in result["gates"]
        if not gate["passed"]
    ]
    for failure in failures:
        print(f"{failure['step']}: {failure['name']}: {failure['message']}")
    for reference in () if failures else task["outputs"].values():
        (made,) = _files(task, reference, root)
        _appear(root / "output" / made.name, made)
    document = {name: result["values"] for name, result in results.items()}
    report = root / "work" / "results.json"
    report.write_text(json.dumps({"task": task["name"], "failures": failures, "steps": document}), encoding="utf-8")
    _appear(root / "output" / f"{task['name']}.results.json", report)
    return 1 if failures else 0


def _files(task: dict[str, Any], reference: str, root: Path) -> list[Path]:
    """The files that a reference stands for; raises FileNotFoundError where there is none."""
    kind, _, name = reference.partition(":")
    if kind == "task":
        files = [root / "input" / task["inputs"][name]]
    elif kind == "sample":
        files = [root / "samples" / name / file for file in task["samples"][name]]
    else:
        files = [root / "work" / kind / _result(root, kind)["files"][name]]
    for path in files:
        if not path.is_file():
            raise FileNotFoundError(f"{reference} should be {path}, which is not there")
    return files


def _result(root: Path, name: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((root / "work" / name / "result.json").read_text(encoding="utf-8"))
    return result


def _appear(target: Path, source: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)


def main(task_file: str, name: str, root: Path = ROOT) -> int:
    """Run the step of that name, or publish."""
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    return publish(task, root) if name == PUBLISH else run_step(task, name, root)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))

"""Give models to MediaPipe's GPU delegate for real: `ENV/bin/python -I ask_delegate.py FOLDER`, inside `verify`.

FOLDER holds models and `lints.json`, as `lint_models.py` wrote them; what the delegate says is written to `said.json`,
empty for a model that it takes. What MediaPipe runs on the CPU is not asked about. Each model has a process of its own,
forked from one that has imported MediaPipe: that takes a fifth of the time of a new one.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def main(folder: Path) -> None:
    """Ask about every model."""
    sys.path.insert(0, str(HERE))
    run: Any = importlib.import_module("run")
    run.load_payload()
    os.environ.setdefault("EGL_PLATFORM", "surfaceless")
    delegate: Any = importlib.import_module("envguard_payload.roads.delegate")
    trial: Any = importlib.import_module("envguard_payload.roads.delegate_trial")
    nothing = folder / "no inputs"
    nothing.mkdir()
    said = {}
    for file, each in json.loads((folder / "lints.json").read_text()).items():
        if each["runner"] == "PROCESSOR":
            continue
        log = folder / "said.log"
        code = in_child(partial(trial.main, str(folder / file), nothing, 0, each["runner"] == "ADVANCED"), log)
        try:
            delegate.judge(code, log.read_text(errors="replace"))
            said[file] = ""
        except delegate.DelegateRefused as refused:
            said[file] = str(refused)
    (folder / "said.json").write_text(json.dumps(said))


def in_child(work: Any, log: Path) -> int:
    """Run it in a child whose output goes to the log; its exit code, negative for a signal."""
    child = os.fork()
    if not child:
        with log.open("wb") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        try:
            work()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Run one step: `python -I __main__.py REQUEST.json [--end-with-stdin]`, or `... job TASK_FILE STEP` (see `job`).

With `--end-with-stdin`, the step ends when its standard input closes, so that it never outlives the process at the
other end, however that one ended.

Exit codes: 0 the step wrote its findings, 2 it refused the input; any other is a crash, with a traceback on standard
error.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import threading
from pathlib import Path
from types import ModuleType

PACKAGE = "envguard_payload"
ORPHANED = 130


def load_package() -> ModuleType:
    """Make this folder importable as `envguard_payload`, without adding anything to `sys.path`."""
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(PACKAGE, here / "__init__.py", submodule_search_locations=[str(here)])
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load the payload from {here}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    return package


def main(request_file: str) -> int:
    """Run the step that the request names (`steps.NAME` or `checks.NAME`)."""
    load_package()
    protocol = importlib.import_module(f"{PACKAGE}.protocol")
    events = protocol.Events()
    request = protocol.read_request(Path(request_file))
    if not re.fullmatch(r"(steps|checks)\.[a-z0-9_]+", request.step):
        raise ValueError(f"{request.step!r} is not a valid name of a step")
    step = importlib.import_module(f"{PACKAGE}.{request.step}")
    try:
        result = step.run(request, events)
    except protocol.Refused as refusal:
        events.refused(refusal)
        return 2
    events.result(result)
    return 0


def end_with_stdin() -> None:
    """End this process, whatever it is doing, when its standard input closes."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(ORPHANED)

    threading.Thread(target=watch, daemon=True).start()


def main_of_job(task_file: str, step: str) -> int:
    """Run a step of a task without envguard."""
    load_package()
    code: int = importlib.import_module(f"{PACKAGE}.job").main(task_file, step)
    return code


if __name__ == "__main__":
    if sys.argv[1] == "job":
        sys.exit(main_of_job(*sys.argv[2:]))
    if "--end-with-stdin" in sys.argv[2:]:
        end_with_stdin()
    sys.exit(main(sys.argv[1]))

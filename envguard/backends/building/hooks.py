"""Ask a project's build backend (PEP 517); runs as a file, with the Python of the environment that it builds in.

Its arguments: `requires`, `requires-editable`, `wheel` or `editable` (PEP 660), the backend, its `backend-path` as
JSON, and the folder that the answer goes to.
"""

import importlib
import json
import sys
from pathlib import Path

ANSWER = "requires.json"


def main() -> None:
    """Write what else the build requires to ANSWER, or a wheel, to the folder.

    A backend that has no editable wheels requires null for them.
    """
    what, backend, paths, folder = sys.argv[1:5]
    sys.path[0:1] = [str(Path(each).resolve()) for each in json.loads(paths)]
    module, _, attributes = backend.partition(":")
    found = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        found = getattr(found, name)
    sys.argv[1:] = []
    if what.startswith("requires"):
        kind = what.partition("-")[2] or "wheel"
        ask = getattr(found, f"get_requires_for_build_{kind}", None)
        answer = None if not hasattr(found, f"build_{kind}") else [] if ask is None else list(ask({}))
        Path(folder, ANSWER).write_text(json.dumps(answer), encoding="utf-8")
    else:
        getattr(found, f"build_{what}")(folder)


if __name__ == "__main__":
    main()

"""Ask a project's build backend (PEP 517); runs as a file, with the Python of the environment that it builds in.

Its arguments: `requires` or `wheel`, the backend, its `backend-path` as JSON, and the folder that the answer goes to.
"""

import importlib
import json
import sys
from pathlib import Path

ANSWER = "requires.json"


def main() -> None:
    """Write what else the build requires to ANSWER, or a wheel, to the folder."""
    what, backend, paths, folder = sys.argv[1:5]
    sys.path[0:1] = [str(Path(each).resolve()) for each in json.loads(paths)]
    module, _, attributes = backend.partition(":")
    found = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        found = getattr(found, name)
    sys.argv[1:] = []
    if what == "requires":
        ask = getattr(found, "get_requires_for_build_wheel", None)
        Path(folder, ANSWER).write_text(json.dumps([] if ask is None else list(ask({}))), encoding="utf-8")
    else:
        found.build_wheel(folder)


if __name__ == "__main__":
    main()

"""The proof of an environment that only has to be importable: every named module loads."""

from __future__ import annotations

import importlib

from ..protocol import Events, Failure, Request, Result


def run(request: Request, events: Events) -> Result:
    """Import each of `options["modules"]`; an import that fails is a failure that names it."""
    failures = []
    for name in request.options["modules"]:
        try:
            importlib.import_module(name)
        except Exception as error:  # what an import can raise is up to the module
            failures.append(Failure("import", f"import {name}: {type(error).__name__}: {error}"))
    return Result({"modules": list(request.options["modules"])}, tuple(failures))

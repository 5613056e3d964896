"""The proof of an environment that only has to be importable: every named module loads."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from ..contract import Request
from ..protocol import Events, Failure, Result, read_options


@dataclass(frozen=True)
class ImportsOptions:
    """Names of the modules to import."""

    modules: tuple[str, ...]


def run(request: Request, events: Events) -> Result:
    """Import each module; an import that fails is a failure that names it."""
    options = read_options(ImportsOptions, request)
    failures = []
    for name in options.modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # what an import can raise is up to the module
            failures.append(Failure("import", f"import {name}: {type(error).__name__}: {error}"))
    return Result({"modules": list(options.modules)}, tuple(failures))

"""The proof of an environment that only has to be importable: every named module loads."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from ..contract import CheckFindings, Gate, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events, read_options

IMPORT = GateDeclaration("import", "Can be imported", "import {subject}: {cause}")


@dataclass(frozen=True)
class ImportsOptions:
    """Names of the modules to import."""

    modules: tuple[str, ...]


def run(request: Request, events: Events) -> StepFindings:
    """Import each module, and judge each import."""
    options = read_options(ImportsOptions, request)
    gates = tuple(map(_imported, options.modules))
    return StepFindings(CheckFindings({"modules": list(options.modules)}), gates)


def _imported(name: str) -> Gate:
    try:
        importlib.import_module(name)
    except Exception as error:  # what an import can raise is up to the module
        return judge(IMPORT, passed=False, subject=name, words={"cause": f"{type(error).__name__}: {error}"})
    return judge(IMPORT, passed=True, subject=name)

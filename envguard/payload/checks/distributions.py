"""The proof of an environment that is known by what it requires: each distribution is there, and can be imported."""

from __future__ import annotations

import importlib
import importlib.metadata
from dataclasses import dataclass

from ..contract import CheckFindings, Gate, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events, read_options

DISTRIBUTION = GateDeclaration("distribution", "Can be imported", "{subject}: {cause}")
MODULES = (".py", ".so", ".pyd")


@dataclass(frozen=True)
class DistributionsOptions:
    """Names of the distributions, as requirements name them."""

    distributions: tuple[str, ...]


def run(request: Request, events: Events) -> StepFindings:
    """Import the modules of each distribution, and judge each distribution."""
    options = read_options(DistributionsOptions, request)
    gates = tuple(map(_judged, options.distributions))
    return StepFindings(CheckFindings({"distributions": list(options.distributions)}), gates)


def _judged(name: str) -> Gate:
    try:
        modules = modules_of(importlib.metadata.distribution(name))
        for module in modules:
            importlib.import_module(module)
    except Exception as error:  # what an import can raise is up to the module
        return judge(DISTRIBUTION, passed=False, subject=name, words={"cause": f"{type(error).__name__}: {error}"})
    return judge(DISTRIBUTION, passed=True, subject=name)


def modules_of(distribution: importlib.metadata.Distribution) -> list[str]:
    """The outermost modules of a distribution that are for others: none for one of types or of programs alone."""
    found = set()
    for file in distribution.files or ():
        parts = list(file.parts)
        if not parts[-1].endswith(MODULES) or ".." in parts:
            continue
        parts[-1] = parts[-1].split(".")[0]
        if parts[-1] == "__init__":
            parts.pop()
        elif len(parts) > 1:
            continue  # a namespace's modules are found by the __init__ below it
        if (
            parts
            and all(part.isidentifier() and not part.startswith("_") for part in parts)
            and parts[0] not in IGNORED
        ):
            found.add(".".join(parts))
    return sorted(each for each in found if not any(each.startswith(f"{other}.") for other in found))


IGNORED = ("test", "tests", "docs", "examples", "benchmarks", "scripts", "setup", "conftest")

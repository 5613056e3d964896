"""The proof of an environment that reads native modules: it reads its own, whose facts are known."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path

import lief  # noqa: F401 - what is read

from ..binaries.reading import Damaged, form_of, read_modules
from ..contract import CheckFindings, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events

READS = GateDeclaration("reads-native-modules", "LIEF's own native module is read", "{subject}: {cause}")
_OTHER_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}


def run(request: Request, events: Events) -> StepFindings:
    """Read LIEF's own module: it must be for this processor, need a library, and start as Python starts modules."""
    file = Path(sys.modules["lief._lief"].__file__ or "")
    said, needs = "", 0
    try:
        with file.open("rb") as stream:
            form = form_of(stream.read(8))
        modules = read_modules(file, form, file.name, "lief")
    except (Damaged, KeyError) as error:
        said = str(error)
    else:
        ours = _OTHER_NAMES.get(platform.machine().lower(), platform.machine())
        mine = [each for each in modules if each.machine == ours]
        needs = sum(len(each.needs) for each in mine)
        if not mine or not needs or not mine[0].for_python:
            said = f"what it says of itself is not so: {', '.join(each.machine for each in modules)}, {needs} needs"
    gate = judge(READS, passed=not said, subject=file.name, words={"cause": said})
    return StepFindings(CheckFindings({"lief": metadata.version("lief"), "needs": needs}), (gate,))

"""Read the native modules of wheels for a platform, and find what will not work there; nothing of them is run."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from ..binaries.judging import Audit
from ..binaries.platforms import Platform
from ..binaries.wheels import read_wheel
from ..contract import AuditFindings, Request, StepFindings, SystemLibraries
from ..protocol import Events, Refused, read_options


@dataclass(frozen=True)
class AuditOptions:
    """The platform, what its system brings, and the Python minor; for `oldest` see `Platform`."""

    system: Literal["linux", "macos", "windows"]
    machine: str
    python: str
    libraries: SystemLibraries
    oldest: tuple[int, ...] = ()


def run(request: Request, events: Events) -> StepFindings:
    """Read the wheels of the input `wheels`, all of which are installed together."""
    options = read_options(AuditOptions, request)
    platform = Platform(options.system, options.machine, options.python, options.oldest)
    files = request.files("wheels")
    wheels = []
    for number, file in enumerate(files):
        events.progress("read wheels", number, len(files))
        try:
            wheels.append(read_wheel(file, platform, request.folder))
        except zipfile.BadZipFile as error:
            raise Refused(f"{file.name} is not a wheel.", why=str(error)) from error
    audit = Audit(wheels, platform, options.libraries)
    events.progress("read wheels", len(files), len(files))
    reader = f"lief {metadata.version('lief')}"
    needs = platform.in_words(audit.needs())
    return StepFindings(AuditFindings(len(wheels), len(audit.modules.modules), audit.findings(), needs, reader))

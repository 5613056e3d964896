"""The proof of an environment that only carries data: every file that samples name is there, byte for byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..contract import CheckFindings, FileRecord, Json, Request, StepFindings
from ..gates import GateDeclaration, judge
from ..protocol import Events, read_options

DIFFERS = GateDeclaration(
    "sample-differs", "The sample is as recorded", "{subject} {fault}.", "Repair the environment that carries it."
)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class SamplesOptions:
    """The files that are to be there, their paths relative to the folder of the environment's packages."""

    files: tuple[FileRecord, ...] = ()


def run(request: Request, events: Events) -> StepFindings:
    """The files lie in `site-packages`."""
    folder = request.file("site-packages")
    files = read_options(SamplesOptions, request).files
    gates = []
    for number, file in enumerate(files):
        events.progress(file.path, number, len(files))
        fault = _fault(folder / file.path, file)
        gates.append(judge(DIFFERS, passed=not fault, subject=file.path, words={"fault": fault}))
    facts: dict[str, Json] = {"files": len(files), "bytes": sum(file.bytes for file in files)}
    return StepFindings(CheckFindings(facts), tuple(gates))


def _fault(path: Path, expected: FileRecord) -> str:
    """What is wrong with the file, or nothing."""
    try:
        size = path.stat().st_size
        if size != expected.bytes:
            return f"has {size:,} bytes instead of {expected.bytes:,}"
        if _sha256(path) != expected.sha256:
            return "has other content than its sha256 says"
    except OSError as cause:
        return f"cannot be read ({cause.strerror})"
    return ""


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

"""The proof of an environment that only carries data: every file that samples name is there, byte for byte."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..protocol import Events, Failure, Request, Result

_CHUNK = 1 << 20


def run(request: Request, events: Events) -> Result:
    """`inputs["site-packages"]` is where `options["files"]` lie, each given by `path`, `bytes` and `sha256`."""
    folder = request.inputs["site-packages"]
    files = request.options["files"]
    failures = []
    for number, file in enumerate(files):
        events.progress(file["path"], number, len(files))
        fault = _fault(folder / file["path"], file)
        if fault:
            failures.append(
                Failure("sample-differs", f"{file['path']} {fault}.", "Repair the environment that carries it.")
            )
    return Result({"files": len(files), "bytes": sum(file["bytes"] for file in files)}, tuple(failures))


def _fault(path: Path, expected: dict[str, Any]) -> str:
    """What is wrong with the file, or nothing."""
    try:
        size = path.stat().st_size
        if size != expected["bytes"]:
            return f"has {size:,} bytes instead of {expected['bytes']:,}"
        if _sha256(path) != expected["sha256"]:
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

"""How much memory a step may take on this machine, and whether it wanted more."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from envguard.backends.resources import memory_from

LEAST = 4 << 30
"""In bytes, for what a step takes without any input, with room to spare: TensorFlow, MediaPipe, a browser's pages."""

PER_BYTE = 64
"""Bytes for each byte of its inputs."""

_SIGNS = (
    "MemoryError", "std::bad_alloc", "Cannot allocate memory", "Out of memory", "out of memory", "ENOMEM",
    "Memory allocation still failed", "pthread_create failed", "start new thread",
)  # fmt: skip
"""What Python, C++, the C library, browsers, Node.js and OpenBLAS say."""

OUT_IN_CONTAINER = "It needed more memory than its container is allowed"

ENFORCED = sys.platform.startswith("linux")
"""macOS and Windows have no limit that counts what a process really asks for."""


def limit_for(files: Iterable[Path], environ: Mapping[str, str]) -> int:
    """Bytes that a step with these inputs may take: what ENVGUARD_MEMORY says, or a limit by their sizes."""
    given = memory_from(environ)
    if given is not None:
        return given
    return LEAST + PER_BYTE * sum(_size(file) for file in files)


def limit(process: int, most: int | None) -> None:
    """Refuse a process, which has just been started, and its children, more memory than that; None is no limit.

    Counted is what can be written to and belongs to the process alone, not what is only reserved or mapped from files.
    """
    if not ENFORCED or most is None:
        return
    import resource  # Windows has none

    with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
        _, hard = resource.prlimit(process, resource.RLIMIT_DATA)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.prlimit(process, resource.RLIMIT_DATA, (least, least))


def ran_out(code: int, said: str) -> bool:
    """Whether a process that ended so, having said that, wanted more memory than it may have."""
    if OUT_IN_CONTAINER in said:
        return True
    killed = code == -getattr(signal, "SIGKILL", 9)
    return code != 0 and not killed and any(sign in said for sign in _SIGNS)


def _size(file: Path) -> int:
    try:
        if file.is_dir():
            return sum(_size(each) for each in file.iterdir())
        return file.stat().st_size
    except OSError:
        return 0

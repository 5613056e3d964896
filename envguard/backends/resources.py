"""What a step may use of this machine: a container, or a process that is limited while it runs."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import BadInput

if sys.platform.startswith("linux"):
    import resource  # which Windows does not have

PROCESSES = 512

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


@dataclass(frozen=True, slots=True)
class Resources:
    """What a container may use: memory in bytes (without swap), processors, processes and threads.

    It has all of the engine's processors where `processors` is None, and never more.
    """

    memory: int
    processors: float | None = None
    processes: int = PROCESSES


def resources_from(environ: Mapping[str, str]) -> Resources:
    """4 GiB and every processor, or what ENVGUARD_MEMORY and ENVGUARD_CPUS say; raises BadInput if they are invalid."""
    memory = memory_from(environ)
    processors = environ.get("ENVGUARD_CPUS")
    if processors is not None and re.fullmatch(r"(?!0*\.?0*$)\d{1,4}(\.\d+)?", processors) is None:
        raise BadInput(
            f"ENVGUARD_CPUS is {processors!r}, which is not a valid number of processors.",
            next_step="Set it to a number such as 2 or 1.5, or unset it.",
        )
    return Resources(4 << 30 if memory is None else memory, None if processors is None else float(processors))


def memory_from(environ: Mapping[str, str]) -> int | None:
    """The bytes that ENVGUARD_MEMORY says; None if it is not set; raises BadInput if it is no size."""
    memory = environ.get("ENVGUARD_MEMORY")
    if memory is None:
        return None
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,12})?) ?([kMGT]?)(i)?B?", memory)
    size = int(float(match[1]) * (1024 if match[3] else 1000) ** " kMGT".index(match[2] or " ")) if match else 0
    if not 0 < size < 1 << 62:
        raise BadInput(
            f"ENVGUARD_MEMORY is {memory!r}, which is not a valid size.",
            next_step="Set it to a size such as 4GiB, or unset it.",
        )
    return size


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
    # macOS and Windows have no limit that counts what a process really asks for.
    if most is not None and sys.platform.startswith("linux"):
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

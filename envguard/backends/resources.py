"""What a container may use of this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from envguard.errors import BadInput

PROCESSES = 512


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

"""What this machine computes with: the last bits of a float sum depend on it, and so may a rounding."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from ..contract import Processor

_VECTORS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm", "sve")
_CPUINFO = Path("/proc/cpuinfo")


def features() -> Processor:
    """The architecture, the CPU's own name if the system tells, and which vector extensions it has."""
    fields = _fields()
    flags = fields.get("flags", fields.get("Features", "")).split()
    return Processor(
        architecture=platform.machine(),
        name=fields.get("model name", platform.processor()),
        vectors=tuple(name for name in _VECTORS if name in flags),
    )


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fields() -> dict[str, str]:
    """What Linux says of the first CPU; nothing elsewhere."""
    try:
        first = _CPUINFO.read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}

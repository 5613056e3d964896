"""The uv that came with envguard, never another one on PATH."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from envguard.errors import NoEnvironment

try:
    import uv
except ImportError:  # there is none for this platform
    uv = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class UvSetup:
    """How to start uv: its binary, the variables it may see, and the folder of its cache."""

    binary: Path
    variables: Mapping[str, str]
    cache: Path


@cache
def find_uv() -> Path:
    """The uv binary of the installed `uv` distribution; raises NoEnvironment if it is missing."""
    if uv is None:
        raise NoEnvironment(
            "envguard's own uv is missing.",
            why="it was not installed, as where it has no wheel for the platform",
            next_step="Reinstall envguard; its `uv` dependency brings the binary.",
        )
    try:
        return Path(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise NoEnvironment(
            "envguard's own uv is missing.",
            why=str(error),
            next_step="Reinstall envguard; its `uv` dependency brings the binary.",
        ) from error

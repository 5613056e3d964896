"""The uv that came with envguard, never another one on PATH."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from envguard.errors import NoEnvironment


@cache
def find_uv() -> Path:
    """The uv binary of the installed `uv` distribution; raises NoEnvironment where it is missing."""
    import uv

    try:
        return Path(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise NoEnvironment(
            "envguard's own uv is missing.",
            why=str(error),
            next_step="Install envguard again; its `uv` dependency brings the binary.",
        ) from error

"""Which file a command means, and which version of it that is.

Windows looks on the PATH of who starts a command, not on the one that it is started with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

PATIENCE_SECONDS = 10
LONGEST_VERSION = 200  # characters


def program_of(name: str, environ: Mapping[str, str]) -> str | None:
    """The file that a command names on the PATH of `environ`, by the endings of PATHEXT on Windows; None if none.

    The current folder, where Windows looks first, is no part of an environment: it counts only if PATH names it.
    """
    if os.path.dirname(name):  # noqa: PTH120 - "./run" and "run" are two things
        return shutil.which(name)
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    # Asked for one by one and with their folder: given a bare name, `which` looks into the current folder on Windows.
    found = (shutil.which(os.path.join(folder, name)) for folder in folders if folder)  # noqa: PTH118 - as above
    return next(filter(None, found), None)


def version_of(program: Path, variables: Mapping[str, str]) -> str:
    """The first line of what a program says to `--version`; empty if it says nothing to that. Raises OSError."""
    try:
        said = subprocess.run(
            [str(program), "--version"],
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    lines = [line.strip() for line in said.stdout.decode("utf-8", "replace").splitlines() if line.strip()]
    shown = "".join(char for char in lines[0] if char.isprintable()) if lines and said.returncode == 0 else ""
    return shown[:LONGEST_VERSION]

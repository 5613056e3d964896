"""Which file a command means: Windows looks on the PATH of who starts it, not on the one that it is started with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping


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

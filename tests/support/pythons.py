"""The real interpreters that tests look at."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envguard.host.locations import PossibleInterpreter

PYENV_VERSIONS = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"

MakeProgram = Callable[[str, str], Path]


def on_path(*paths: Path) -> list[PossibleInterpreter]:
    """The candidates that these files are when PATH leads to them."""
    return [PossibleInterpreter("PATH", path) for path in paths]


def running_python() -> Path:
    """The interpreter under this test run, not the virtual environment that it may be in."""
    return Path(os.path.realpath(sys.executable))


def pyenv_python(minor: str) -> Path:
    """A CPython that pyenv has built, active or not; skips the test if this host has none."""
    found = sorted(PYENV_VERSIONS.glob(f"{minor}.*/bin/python{minor}"))
    if not found:
        pytest.skip(f"no Python {minor} in {PYENV_VERSIONS}")
    return found[-1]


def private_copy(interpreter: Path, folder: Path, *, without: tuple[str, ...]) -> Path:
    """A Python like `interpreter` in a prefix of its own, which lacks some files of the standard library."""
    library = interpreter.parent.parent / "lib" / interpreter.name
    copy = folder / "bin" / interpreter.name
    copy.parent.mkdir(parents=True)
    shutil.copy2(interpreter, copy)
    for entry in (*library.iterdir(), *(library / "lib-dynload").iterdir()):
        target = folder / "lib" / interpreter.name / entry.relative_to(library)
        if entry.name == "lib-dynload":
            target.mkdir(parents=True)
        elif not any(entry.name == name or entry.name.startswith(f"{name}.cpython-") for name in without):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(entry)
    return copy

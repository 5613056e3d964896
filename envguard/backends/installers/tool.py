"""What every way of installing can do; there are two, and what they leave behind is the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from envguard.backends.installers.settings import Installer, Job
from envguard.backends.installers.with_pip import PipTool
from envguard.backends.installers.with_uv import UvTool
from envguard.host.interpreters import Interpreter


class Tool(Protocol):
    """Makes virtual environments and puts the wheels of a lock into them, whose hashes must match."""

    def create(self, venv: Path, interpreter: Path, job: Job) -> None:
        """An empty virtual environment of an interpreter; raises NoEnvironment."""

    def install(self, python: Path, job: Job) -> None:
        """The lock's wheels in the environment of `python`, bytecode compiled; raises NoEnvironment."""

    def lay_out(self, target: Path, interpreter: Interpreter, job: Job) -> None:
        """The lock's wheels for the platform of an image's interpreter in a plain folder; raises NoEnvironment."""

    def forget(self, names: Sequence[str], installer: Installer) -> None:
        """Remove distributions from the cache, all if none is named; raises NoEnvironment."""


def tool_of(installer: Installer) -> Tool:
    """uv if there is one, else virtualenv and pip."""
    return PipTool() if installer.uv is None else UvTool(installer.uv)

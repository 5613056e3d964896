"""Real environments to break, made with envguard's own uv on a real Python of this host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts
from envguard.host.variables import installer_variables
from envguard.locks.uv import find_uv

MINOR = "3.11"


class Scratch:
    """One environment in a folder of its own; `uv` and `run` give back the exit code and all that was printed."""

    def __init__(self, folder: Path, interpreter: Path, cache: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self._variables = {**installer_variables(os.environ), "UV_LINK_MODE": "copy"}
        self._cache = cache
        self.uv("venv", "--python", interpreter, folder)

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python3*/site-packages")
        return found

    def install(self, *requirements: str) -> None:
        """Install exactly these, without what they depend on."""
        code, said = self.uv("pip", "install", "--python", self.python, "--no-deps", *requirements)
        assert code == 0, said

    def uv(self, *arguments: str | Path) -> tuple[int, str]:
        return _run([find_uv(), *arguments, "--no-config", "--cache-dir", self._cache], self._variables)

    def run(self, code: str) -> tuple[int, str]:
        return _run([self.python, "-I", "-c", code], {"PATH": os.defpath})

    def sh(self, commands: Sequence[str]) -> None:
        """Type these commands into a shell that has uv."""
        path = os.pathsep.join((str(find_uv().parent), os.defpath))
        variables = {**self._variables, "PATH": path, "UV_CACHE_DIR": str(self._cache), "UV_NO_CONFIG": "1"}
        code, said = _run(["sh", "-ec", "\n".join(commands)], variables)
        assert code == 0, said

    def calls_itself_compatible(self) -> bool:
        return self.uv("pip", "check", "--python", self.python)[0] == 0


def scratch(folder: Path, host: HostFacts, home: Path) -> Scratch:
    """A new environment on a Python 3.11 of this host; skips the test where there is none."""
    return Scratch(folder, _interpreter(host), home / "uv-cache")


def pip_of(folder: Path, host: HostFacts, home: Path) -> Path:
    """The pip of a new environment."""
    environment = scratch(folder, host, home)
    environment.install("pip==25.3")
    return folder / "bin" / "pip"


def _interpreter(host: HostFacts) -> Path:
    found = [row for row in host.usable if ".".join(map(str, row.version[:2])) == MINOR]
    if not found:
        pytest.skip(f"no Python {MINOR} on this host")
    return found[0].real_path


def _run(command: list[str | Path], variables: dict[str, str]) -> tuple[int, str]:
    run = subprocess.run(
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return run.returncode, run.stdout

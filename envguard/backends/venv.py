"""The backend `venv`: virtual environments of this machine's own Pythons, whose processes run on it directly."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from envguard.backends.command import run_command
from envguard.backends.host_process import step_process
from envguard.backends.installers.settings import Installer
from envguard.backends.installing import build_venv
from envguard.backends.npm import install_npm_packages
from envguard.backends.protocol import Installed, Running, Surroundings
from envguard.backends.table import HOST
from envguard.host.variables import step_variables
from envguard.layout import Layout
from envguard.planning import Candidate, Pythons


class VenvBackend:
    """Environments as virtual environments; see `Backend`."""

    elsewhere: ClassVar[str] = ""
    pythons_are: ClassVar[str] = "this host's own Pythons"
    terminal: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def pythons(self, minors: Sequence[str], *, fetch: bool) -> Pythons:
        """All that were found on this machine."""
        return Pythons(HOST, self._surroundings.host())

    def install(
        self, candidate: Candidate, key: str, folder: Path, installer: Installer, descriptors: tuple[int, ...]
    ) -> Layout:
        """A virtual environment in the folder, with the packages of npm's that its lock names."""
        layout = build_venv(folder, candidate.interpreter.real_path, candidate.lock, installer, descriptors)
        install_npm_packages(layout, candidate.lock.npm, installer, descriptors)
        return layout

    def complete(self, installed: Installed) -> None:
        """A virtual environment needs nothing else."""

    def workspace(self, installed: Installed, folder: Path, reads: Sequence[Path]) -> HostWorkspace:
        """This machine, where every file can be read."""
        return HostWorkspace(installed.layout, folder)

    def discard(self, key: str) -> None:
        """Nothing was made outside the store."""

    def installed_in(self, folder: Path) -> bool:
        """Whether there is a virtual environment."""
        return (folder / "venv").is_dir()


@dataclass(frozen=True, slots=True)
class HostWorkspace:
    """This machine itself: its processes in a virtual environment, which see all files under their own names."""

    layout: Layout
    folder: Path

    def path_inside(self, path: Path) -> str:
        """The path itself."""
        return str(path)

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The host's harmless variables, the environment's programs first on PATH; HOME is the folder."""
        variables = step_variables(environ)
        path = os.pathsep.join(filter(None, (str(self.layout.programs), variables.get("PATH", os.defpath))))
        return {**variables, "PATH": path, "HOME": str(self.folder)}

    def process(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        log: IO[bytes],
        *,
        talks: bool,
        memory: int | None = None,
        network: bool = False,
    ) -> AbstractContextManager[Running]:
        """A process in a group of its own; one that talks ends when envguard does, because its input closes."""
        last = ("--end-with-stdin",) if talks else ()
        return step_process(
            (*command, *last), folder=self.folder, variables=variables, log=log, talks=talks, memory=memory
        )

    def run_command(
        self, command: Sequence[str], environ: Mapping[str, str], *, here: bool = False, keep: Sequence[int] = ()
    ) -> int:
        """The command in this terminal and in the current folder, as a shell would run it."""
        return run_command(command, str(self.layout.python), environ, here=here, keep=keep)

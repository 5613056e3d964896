"""Where a step runs: what it sees of its files there, and how its process is started."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from envguard.backends.host_process import step_process
from envguard.host.variables import step_variables
from envguard.layout import Layout


class Running(Protocol):
    """A step's process; `stdout` is there if it talks."""

    stdout: IO[bytes] | None

    def wait(self) -> int:
        """The exit code, less than zero for the signal that ended it."""


class Place(Protocol):
    """An environment, one scratch folder to write to, and files to read, as a step's process finds them."""

    @property
    def layout(self) -> Layout:
        """Where the environment lies on this host."""

    @property
    def folder(self) -> Path:
        """The scratch folder, on this host."""

    def seen(self, path: Path) -> str:
        """The name that a file of this host has for the step."""

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables that the step sees; `environ` are those of this host."""

    def process(
        self, command: Sequence[str], variables: Mapping[str, str], log: IO[bytes], *, talks: bool
    ) -> AbstractContextManager[Running]:
        """Start a command in the scratch folder; whatever of it runs when the block ends is ended.

        A payload step `talks`: its standard output comes to us. Everything else that is printed goes to `log`.
        """


@dataclass(frozen=True, slots=True)
class HostPlace:
    """This host itself: a process in a virtual environment, which sees all files under their own names."""

    layout: Layout
    folder: Path

    def seen(self, path: Path) -> str:
        """The path itself."""
        return str(path)

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """What is harmless of the host's, the environment's programs first; the home is the scratch folder."""
        variables = step_variables(environ)
        path = os.pathsep.join(filter(None, (str(self.layout.programs), variables.get("PATH", os.defpath))))
        return {**variables, "PATH": path, "HOME": str(self.folder)}

    def process(
        self, command: Sequence[str], variables: Mapping[str, str], log: IO[bytes], *, talks: bool
    ) -> AbstractContextManager[Running]:
        """A process in a group of its own; one that talks ends by itself when we do, because its input does."""
        last = ("--end-with-stdin",) if talks else ()
        return step_process((*command, *last), folder=self.folder, variables=variables, log=log, talks=talks)

"""What a backend is: it makes a plan's environment ready, and starts processes in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar, Protocol

from envguard.backends.installers.settings import Installer
from envguard.host.interpreters import HostFacts
from envguard.layout import Layout
from envguard.planning import Candidate, Pythons


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a backend may use of this machine and of the store.

    `environ` are the user's variables, `base` is the base image's name (`{python}` in it stands for the minor), and
    with `offline` no network is used. `payload` is the folder of envguard's own steps, `cache` keeps what interpreters
    answered, `scratch` is for temporary folders. `process_mark` yields a mark for what may outlive a killed process,
    and `has_ended` tells whether the process of a mark has ended. `host` finds the Pythons of this machine. `announce`
    is told the environment, the thing and the reason before something that takes long is built.
    """

    environ: Mapping[str, str]
    base: str
    offline: bool
    payload: Path
    cache: Path
    scratch: Path
    process_mark: Callable[[], AbstractContextManager[str]]
    has_ended: Callable[[str], bool]
    host: Callable[[], HostFacts]
    announce: Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class Installed:
    """A candidate whose environment is installed on this machine: where it lies, and its key in the store."""

    candidate: Candidate
    layout: Layout
    key: str


class Running(Protocol):
    """A step's process; `stdout` is there if it talks."""

    stdout: IO[bytes] | None

    def wait(self) -> int:
        """The exit code, or minus n if signal n ended it."""

    def end(self) -> None:
        """End it, and all that it started; another thread may be waiting for it."""


class Workspace(Protocol):
    """An environment, one folder to write to and files to read, as the processes that run in it find them."""

    @property
    def layout(self) -> Layout:
        """Where the environment lies on this machine."""

    @property
    def folder(self) -> Path:
        """The folder to write to, on this machine."""

    def path_inside(self, path: Path) -> str:
        """The name that a file of this machine has for a process that runs here."""

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The variables that a step sees; `environ` are those of this machine."""

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
        """Start a command in the folder; it is ended with the block.

        A payload step `talks`: its standard output can be read. Everything else that it prints goes to `log`.
        It may have so many bytes of `memory`; a container has a limit of its own, and only with `network` one of those.
        """

    def run_command(
        self, command: Sequence[str], environ: Mapping[str, str], *, here: bool = False, keep: Sequence[int] = ()
    ) -> int:
        """Run a user's own command in the foreground and return its exit code, 128 + n if signal n ended it.

        With `here`, Python imports modules of the current folder too. `keep` are descriptors that mark the environment
        as in use for as long as they are open.
        """


class Backend(Protocol):
    """One way to make environments runnable; the table of `envguard.backends.table` names them all.

    `elsewhere` completes "it runs …" where that is not this machine itself, such as "in a container"; `pythons_are`
    names the interpreters that it chooses from. Where there is `terminal`, a user's command can be interactive.
    """

    elsewhere: ClassVar[str]
    pythons_are: ClassVar[str]
    terminal: ClassVar[bool]

    def __init__(self, surroundings: Surroundings) -> None: ...

    def pythons(self, minors: Sequence[str], *, fetch: bool) -> Pythons:
        """The interpreters to plan with, of these minors if it must choose; the preferred minor comes first.

        What is missing is only downloaded with `fetch`. Raises NoEnvironment where the backend cannot be used here.
        """

    def install(
        self, candidate: Candidate, key: str, folder: Path, installer: Installer, descriptors: tuple[int, ...]
    ) -> Layout:
        """Install a candidate's environment into a new folder; `key` is its key in the store.

        Children inherit the `descriptors`. Raises NoEnvironment.
        """

    def complete(self, installed: Installed) -> None:
        """Make whatever else a first process needs, so that several that start at once do not each make it."""

    def workspace(self, installed: Installed, folder: Path, reads: Sequence[Path]) -> Workspace:
        """Where processes run: they may write to `folder`, and see what is in `reads`."""

    def discard(self, key: str) -> None:
        """Remove what was made outside the store for an environment that failed its check."""

    def installed_in(self, folder: Path) -> bool:
        """Whether this backend installed the environment of that folder, damaged as it may be."""

"""What holds for a whole command: the folder it was typed in, its variables, and the options before its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from envguard.errors import BadInput

PROJECT_VARIABLE = "ENVGUARD_PROJECT"
DEBUG_VARIABLE = "ENVGUARD_DEBUG"
FETCH_VARIABLE = "ENVGUARD_PYTHON_DOWNLOADS"


@dataclass(frozen=True, slots=True)
class Session:
    """Where a command runs and with which variables; its child processes get these, not the process's own.

    `trust` says that the user allowed the project for this command.
    """

    cwd: Path
    environ: Mapping[str, str] = field(repr=False)
    trust: bool = False

    @property
    def debug(self) -> bool:
        """Whether errors show their traceback."""
        return bool(self.environ.get(DEBUG_VARIABLE))


def session_of(context: typer.Context) -> Session:
    """The session of a command; where none was started, as for completion in a shell, that of this process."""
    return context.obj if isinstance(context.obj, Session) else start_session()


def start_session(
    project: str | None = None, *, debug: bool = False, trust: bool = False, fetch_python: bool = False
) -> Session:
    """The session of this process; the options before the command's name stand in for their variables."""
    environ = dict(os.environ)
    if project:
        environ[PROJECT_VARIABLE] = project
    if debug:
        environ[DEBUG_VARIABLE] = "1"
    if fetch_python:
        environ[FETCH_VARIABLE] = "auto"
    try:
        here = Path.cwd()
    except OSError as error:
        raise BadInput(
            "The current folder is not there any more.", why=str(error), next_step="Change to one that is: cd"
        ) from error
    return Session(here, environ, trust)

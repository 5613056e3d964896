"""A shell as somebody has it who has just come: an empty home, none of our variables, perhaps no rights."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.support.command import Ended

PLAIN_PATH = "/usr/local/bin:/usr/bin:/bin"

# What the test run itself, and the project that it belongs to, have set.
_OURS = ("ENVGUARD_", "PYTEST_", "PYTHON", "XDG_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "GIT_", "HOME")


@dataclass(frozen=True)
class Newcomer:
    """A user: their home, and for somebody else than who runs the tests, their user and group id."""

    home: Path
    user: int | None = None

    @property
    def environ(self) -> dict[str, str]:
        """Proxy, certificates and package index as they are; of everything else what a login gives."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        if self.user is not None:
            kept = {name: value for name, value in kept.items() if not name.startswith("PYENV_")} | {"PATH": PLAIN_PATH}
        return {**kept, "HOME": str(self.home), "LANG": "C.UTF-8"}

    def can(self, *command: str) -> bool:
        """Whether a command succeeds for this user."""
        run = subprocess.run(
            command, env=self.environ, user=self.user, group=self.user, capture_output=True, stdin=subprocess.DEVNULL
        )
        return run.returncode == 0


class Prompt:
    """One shell in which line after line is typed: what a line sets, the next ones have."""

    def __init__(self, shell: subprocess.Popen[str], out: IO[bytes], err: IO[bytes]) -> None:
        self._shell = shell
        self._out, self._err = out, err

    def type(self, line: str) -> Ended:
        """Have the shell run a line to its end; nothing can be answered to what it asks."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        for file in (self._out, self._err):  # the shell has the same place in them
            file.seek(0)
            file.truncate()
        self._shell.stdin.write(f"{{ {line}\n}} </dev/null >&{self._out.fileno()} 2>&{self._err.fileno()}; echo $?\n")
        self._shell.stdin.flush()
        code = self._shell.stdout.readline()
        out, err = (Path(file.name).read_text(encoding="utf-8", errors="replace") for file in (self._out, self._err))
        return Ended(int(code) if code else self._shell.wait(), out, err)  # the line may have ended the shell itself


@contextlib.contextmanager
def prompt(newcomer: Newcomer, cwd: Path) -> Iterator[Prompt]:
    """A shell of theirs in `cwd`, with everything that it started ended after the block."""
    with (
        tempfile.NamedTemporaryFile() as out,
        tempfile.NamedTemporaryFile() as err,
        subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=newcomer.environ,
            user=newcomer.user,
            group=newcomer.user,
            extra_groups=None if newcomer.user is None else [],
            pass_fds=(out.fileno(), err.fileno()),
            start_new_session=True,
        ) as shell,
    ):
        try:
            yield Prompt(shell, out, err)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)

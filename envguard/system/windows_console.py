"""Run a user's command in the same console on Windows, which has no signals to pass on, and no exec that waits."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence

from envguard.system.exit_codes import as_ours
from envguard.system.programs import program_of
from envguard.system.shell_words import NOT_EXECUTABLE, NOT_FOUND, not_executable, not_found

assert sys.platform == "win32", "envguard.backends.becoming is for all others"

from envguard.system.windows_jobs import CREATE_SUSPENDED, Job  # noqa: E402 - nothing of it is there elsewhere


def supervise_there(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command in the foreground and return its exit code; if this process is killed, so is the command.

    Ctrl-C and Ctrl-Break reach it from the console, as they reach everything that runs there.
    """
    program = program_of(command[0], environ)
    if program is None:
        os.write(2, not_found(command[0]))
        return NOT_FOUND
    with _left_to_the_child():
        try:
            return _run([program, *command[1:]], environ)
        except (OSError, ValueError) as error:
            os.write(2, not_executable(command[0], error))
            return NOT_EXECUTABLE


def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    with subprocess.Popen(list(command), env=dict(environ), creationflags=CREATE_SUSPENDED) as process:
        try:
            job = Job(process.pid, children=False)
        except OSError:
            process.kill()
            raise
        code = as_ours(process.wait())
        job.close()
        return code


@contextlib.contextmanager
def _left_to_the_child() -> Iterator[None]:
    """Let this process outlive what the console sends to all in it, so that it can tell how the command ended."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGBREAK)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""A process and all that it starts as one thing that ends together: a session on POSIX, a job object on Windows."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

if sys.platform == "win32":
    from envguard.system.windows_jobs import CREATE_SUSPENDED, Job

    FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | CREATE_SUSPENDED
else:
    FLAGS = 0
"""`creationflags` for the process of a group, which on POSIX is started with `start_new_session=True`."""


class Group:
    """The group that a process, which was just started for that, leads. On Windows, it ends with this process, too."""

    def __init__(self, process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
        self._process = process
        if sys.platform == "win32":
            try:
                self._job = Job(process.pid)
            except OSError:
                process.kill()
                raise

    def ask(self, number: signal.Signals) -> None:
        """Ask the group to end, by a signal; Windows has Ctrl-Break for that, in a console."""
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                os.kill(self._process.pid, signal.CTRL_BREAK_EVENT)
        else:
            _signal(self._process.pid, number)

    def kill(self) -> None:
        """End the group at once."""
        if sys.platform == "win32":
            self._job.kill()
        else:
            _signal(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Forget the group, whose process has ended; on Windows, what it left behind ends now."""
        if sys.platform == "win32":
            self._job.close()


def _signal(group: int, number: signal.Signals) -> None:
    if sys.platform != "win32":
        # Nobody is left in it; macOS says EPERM of a group in which all have ended and nobody was waited for.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)

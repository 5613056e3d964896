"""Run a command as the first process of a container: `python -I launch.py COMMAND…`.

The kernel shields the first process from every signal that it does not handle, even from its own abort(), so a step
must not be that process. The exit code is the command's, or 128 + n if signal n ended it. When standard input closes,
because envguard has gone, everything in the container ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

assert sys.platform != "win32", "containers run Linux"

ORPHANED = 130


def launch(command: list[str]) -> int:
    """Run a command to its end and return its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    while True:
        ended, status = os.wait()  # reaps orphans, too
        if ended == child.pid:
            return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _end_with_stdin() -> None:
    while os.read(0, 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(launch(sys.argv[1:]))

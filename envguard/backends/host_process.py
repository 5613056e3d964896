"""A step's process: in a group of its own, with its output in a log, and certain to end with its run."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from envguard.backends.resources import limit
from envguard.errors import Interrupted
from envguard.system.groups import FLAGS, Group

GRACE_SECONDS = 3.0
PR_SET_PDEATHSIG = 1  # of prctl(2)


class HostProcess:
    """A step's process on this machine, and the group that it leads; `stdout` is its standard output if it talks."""

    def __init__(self, process: subprocess.Popen[bytes], group: Group) -> None:
        self._process, self._group = process, group
        self.stdout: IO[bytes] | None = process.stdout

    def wait(self) -> int:
        """The exit code, or minus n if signal n ended it."""
        return self._process.wait()

    def end(self) -> None:
        """End it with all that it started, first with a request and then by force."""
        _stop(self._process, self._group, signal.SIGTERM)
        self._group.kill()


@contextlib.contextmanager
def step_process(
    command: Sequence[str | Path],
    *,
    folder: Path,
    variables: Mapping[str, str],
    log: IO[bytes],
    talks: bool,
    memory: int | None = None,
) -> Iterator[HostProcess]:
    """Start a step in `folder`, in a process group of its own so that Ctrl-C reaches it once, from envguard.

    A step that `talks` has pipes for its standard output and for its standard input, which is never written to and
    closes when this process ends; any other reads nothing and prints to `log`. The group is ended with the block. For
    `memory` see `envguard.backends.resources`.
    """
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
        stdout=subprocess.PIPE if talks else log,
        stderr=log,
        start_new_session=True,
        creationflags=FLAGS,
        preexec_fn=None if talks else _dying_with(os.getpid()),
    )
    group = Group(process)
    limit(process.pid, memory)
    try:
        yield HostProcess(process, group)
    except KeyboardInterrupt as interrupt:
        _stop(process, group, signal.SIGINT)
        raise Interrupted(
            "Interrupted.", next_step="Run the same command again; what has been built is kept."
        ) from interrupt
    finally:
        _stop(process, group, signal.SIGTERM)
        _close(process, group)


def _close(process: subprocess.Popen[bytes], group: Group) -> None:
    group.close()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _dying_with(parent: int) -> Callable[[], None] | None:
    """A function that makes Linux kill a child with its parent; on macOS, only a step that talks notices.

    On Windows, a group ends with this process.
    """
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: between fork and exec nothing may be imported.
    prctl = ctypes.CDLL(None).prctl

    def die_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:
            os._exit(128 + signal.SIGKILL)

    return die_with_parent


def _stop(process: subprocess.Popen[bytes], group: Group, first: signal.Signals) -> None:
    """End a process group: first with a request, then by force."""
    if process.poll() is not None:
        return
    group.ask(first)
    killer = threading.Timer(GRACE_SECONDS, group.kill)
    killer.start()
    process.wait()
    killer.cancel()

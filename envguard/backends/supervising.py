"""Run a user's command as a shell would: in the same terminal, with each signal passed on once (not on Windows)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType

from envguard.creation import as_the_user_has_it
from envguard.system.shell_words import NOT_EXECUTABLE, NOT_FOUND, not_executable, not_found

assert sys.platform != "win32", "envguard.system.windows_console is for Windows"

GRACE_SECONDS = 3.0


def supervise(command: Sequence[str], environ: Mapping[str, str], *, keep: Sequence[int] = ()) -> int:
    """Run a command in the foreground and return its exit code, 128 + n if signal n ended it.

    `keep` are descriptors that it inherits. Ctrl-C in a terminal reaches it from the terminal, and only from there; any
    other SIGINT, SIGTERM, SIGHUP or SIGQUIT that this process receives is passed on. SIGKILL follows three seconds
    after a SIGTERM. If this process is killed, so is the command (on Linux).
    """
    for descriptor in keep:
        os.set_inheritable(descriptor, True)
    parent = os.getpid()
    forwarded = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    # Signals are held until the handlers are in place; the child starts without either.
    signal.pthread_sigmask(signal.SIG_BLOCK, forwarded)
    child = os.fork()
    if child == 0:
        _become(command, environ, parent, forwarded)
    handing_on = _HandingOn(child)
    for number in forwarded:
        signal.signal(number, handing_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, forwarded)
    return handing_on.wait()


def _become(
    command: Sequence[str], environ: Mapping[str, str], parent: int, forwarded: Sequence[signal.Signals]
) -> None:
    """The child: become the command, or exit with the codes that shells use if that fails."""
    code = NOT_EXECUTABLE
    try:
        _die_with(parent)
        as_the_user_has_it()
        for number in forwarded:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, forwarded)
        os.execvpe(command[0], list(command), dict(environ))
    except FileNotFoundError:
        os.write(2, not_found(command[0]))
        code = NOT_FOUND
    except (OSError, ValueError) as error:
        os.write(2, not_executable(command[0], error))
    finally:
        os._exit(code)


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies; on other systems, a killed envguard leaves it running."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # here, where only the child pays for it

    set_parent_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGKILL)


class _HandingOn:
    """Passes signals on to the child, and waits for it to end."""

    def __init__(self, child: int) -> None:
        self._child = child
        self._terminating = False
        self._from_terminal = _is_foreground()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self._from_terminal:
            return  # the terminal has sent it to the whole group, including the child
        if number == signal.SIGTERM and not self._terminating:
            self._terminating = True
            signal.signal(signal.SIGALRM, self)
            signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)
        if number == signal.SIGALRM:
            number = signal.SIGKILL
        try:  # noqa: SIM105 - contextlib is not worth importing on the warm path
            os.kill(self._child, number)
        except ProcessLookupError:
            pass

    def wait(self) -> int:
        """The child's exit code; waiting goes on after each signal (PEP 475)."""
        _, status = os.waitpid(self._child, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if os.WIFSIGNALED(status):
            return 128 + os.WTERMSIG(status)
        return os.waitstatus_to_exitcode(status)


def _is_foreground() -> bool:
    """Whether this process is in the foreground of a terminal, which then sends Ctrl-C to it."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)

"""Start envguard: nothing of the host's Python configuration reaches it, and a warm start imports next to nothing."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` wraps, which takes a millisecond to import

if __name__ == "__main__" and _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
    # Before there is anything to clear up, Ctrl-C ends this process as it ends any other: with no traceback.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os
import sys

# With one of these the interpreter may import other people's modules before or instead of ours.
_LEAKS = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PYTHONINSPECT")


def _end_interrupted(_number: int, _frame: object) -> None:
    """Say so and end: nothing has begun yet."""
    os.write(2, b"envguard: Interrupted.\n")
    os._exit(130)


def main() -> int:
    """Run the command line, in an isolated interpreter if this one may be poisoned."""
    if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _end_interrupted)
    if hasattr(_signal, "pthread_sigmask"):  # the launcher held it back until now
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))
    if not sys.flags.isolated and any(os.environ.get(name) for name in _LEAKS):
        return _start_isolated([sys.executable, "-I", "-m", "envguard", *sys.argv[1:]])
    if sys.argv[1:2] == ["exec"]:
        # A warm start of a ready environment needs this module alone.
        from envguard.cli.environments.warm import execute_warm

        code = execute_warm(sys.argv[2:])
        if code is not None:
            return code
    if sys.flags.no_site:
        _find_dependencies()  # the warm path does without
    if sys.argv[1:2] == ["explain"]:
        # The command line itself takes longer to import than the answer does.
        from envguard.cli.diagnosis.known_causes import tell_at_once

        code = tell_at_once(sys.argv[2:])
        if code is not None:
            return code
    # Not before the interpreter is isolated and has found our dependencies.
    from envguard.cli.app import run
    from envguard.commands import COMMANDS

    code = run(sys.argv[1:], COMMANDS)
    _signal.signal(_signal.SIGINT, _signal.SIG_IGN)  # all is done, and Python's own end would show a traceback
    return code


def _start_isolated(command: list[str]) -> int:
    if os.name != "nt":
        os.execv(command[0], command)
    # There, exec returns to the shell at once: what started us would not wait for the end, and never know the code.
    import subprocess

    _signal.signal(_signal.SIGINT, lambda *_: None)  # the console sends it to the child, too
    return subprocess.run(command).returncode


def _find_dependencies() -> None:
    """Do what Python was told to leave out with -S, at most once."""
    import site

    if not any(path.endswith("site-packages") for path in sys.path):
        site.main()


if __name__ == "__main__":
    if sys.flags.isolated and __package__ is None:
        # Started by path, as a checkout's launcher does: isolated, Python leaves even this folder out.
        sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    sys.exit(main())

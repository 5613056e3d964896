"""Start envguard so that nothing of the host's Python configuration reaches it."""

from __future__ import annotations

import os
import sys

# With one of these the interpreter may import other people's modules before or instead of ours.
_LEAKS = ("PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PYTHONINSPECT")


def main() -> int:
    """Run the command line, in an isolated interpreter if this one may be poisoned."""
    if not sys.flags.isolated and any(os.environ.get(name) for name in _LEAKS):
        os.execv(sys.executable, [sys.executable, "-I", "-m", "envguard", *sys.argv[1:]])
    if sys.argv[1:2] == ["exec"]:
        from envguard.cli.warm import execute_warm

        code = execute_warm(sys.argv[2:])
        if code is not None:
            return code
    from envguard.cli.app import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

"""Become a user's command, as a shell's `exec` does: its terminal, signals and exit code are its own (not on Windows).

Every start of a ready environment imports this module, so it only imports what Python has already loaded.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # what `signal` wraps, which takes milliseconds to import
import os
import sys

from envguard.creation import as_the_user_has_it
from envguard.system.shell_words import NOT_EXECUTABLE, NOT_FOUND, not_executable, not_found

TYPE_CHECKING = False  # as collections.abc, typing costs milliseconds to import
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

assert sys.platform != "win32", "envguard.system.windows_console is for Windows"

_IGNORED_BY_PYTHON = (_signal.SIGPIPE, _signal.SIGXFSZ)


def become(command: Sequence[str], environ: Mapping[str, str], *, keep: Sequence[int] = ()) -> int:
    """Replace this process by a command that inherits the descriptors `keep`.

    Returns only if that fails: the exit code that shells have for it, after saying why.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in keep:
        os.set_inheritable(descriptor, True)
    before = {number: _signal.signal(number, _signal.SIG_DFL) for number in _IGNORED_BY_PYTHON}
    as_the_user_has_it()
    try:
        os.execvpe(command[0], list(command), dict(environ))
    except FileNotFoundError:
        os.write(2, not_found(command[0]))
        code = NOT_FOUND
    except (OSError, ValueError) as error:
        os.write(2, not_executable(command[0], error))
        code = NOT_EXECUTABLE
    for number, handler in before.items():
        _signal.signal(number, handler)
    return code

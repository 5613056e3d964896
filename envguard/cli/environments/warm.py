"""`envguard exec` for an environment that is ready: no more than needed is imported; nothing is resolved or built."""

from __future__ import annotations

import os

from envguard.backends.table import HOST
from envguard.creation import keep_others_from_writing
from envguard.missing_streams import open_missing_streams
from envguard.running.ready_record import recorded_as_ready


def execute_warm(arguments: list[str]) -> int | None:
    """Run `[--edition NAME] [--here] ENV [--here] [--] CMD…` and give back its exit code.

    None if the environment is not known to be ready, or if there are other arguments: the whole command line decides.
    """
    open_missing_streams()
    keep_others_from_writing()
    if os.environ.get("ENVGUARD_BACKEND", HOST) != HOST:
        return None
    edition, here, rest = "", False, list(arguments)
    while rest and rest[0].startswith("--"):
        option = rest.pop(0)
        if option == "--here":
            here = True
        elif option == "--edition" and rest:
            edition = rest.pop(0)
        else:
            return None
    if not rest or not _is_plain(rest[0]) or (edition and not _is_plain(edition)):
        return None
    name, *command = rest
    if command[:1] == ["--here"]:
        here, command = True, command[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    elif command and command[0].startswith("-"):
        return None
    if not command:
        return None
    return _run(name, edition, command, here=here)


def _run(name: str, edition: str, command: list[str], *, here: bool) -> int | None:
    home = os.environ.get("ENVGUARD_HOME")
    if not home or not os.path.isabs(home):  # noqa: PTH117 - pathlib is not worth importing here
        # With ENVGUARD_HOME, a warm start needs neither this nor pathlib.
        from envguard.store.home import envguard_home

        home = str(envguard_home())
    found = recorded_as_ready(home, name, edition, os.environ)
    if found is None:
        return None
    # Not before it is known that there is something to run.
    from envguard.backends.command import run_command

    python, descriptor = found
    return run_command(command, python, os.environ, here=here, keep=() if descriptor is None else (descriptor,))


def _is_plain(name: str) -> bool:
    """Whether this can be a name of the catalog, and so part of a file name."""
    return name.replace(".", "").replace("_", "").replace("-", "").isalnum() and not name.startswith((".", "-"))

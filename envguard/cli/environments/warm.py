"""`envguard exec` for an environment that is ready: no more than needed is imported; nothing is resolved or built."""

from __future__ import annotations

import os
import sys

from envguard.backends.table import HOST
from envguard.creation import keep_others_from_writing
from envguard.missing_streams import open_missing_streams
from envguard.running.ready_record import recorded_as_ready

TYPE_CHECKING = False  # as collections.abc, typing costs milliseconds to import
if TYPE_CHECKING:
    from collections.abc import Mapping


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
    home = store_known_at_once(os.environ)
    found = recorded_as_ready(home, name, edition, os.environ) if home else None
    if found is None:
        return None
    # Not before it is known that there is something to run.
    from envguard.backends.command import run_command

    python, descriptor = found
    return run_command(command, python, os.environ, here=here, keep=() if descriptor is None else (descriptor,))


def store_known_at_once(environ: Mapping[str, str]) -> str:
    """The store, where it takes neither platformdirs nor pathlib to know it; empty elsewhere.

    It is `envguard_home` that says where it is; a test compares the two.
    """
    named, cache, mine = (environ.get(name, "") for name in ("ENVGUARD_HOME", "XDG_CACHE_HOME", "HOME"))
    if named:
        return named if os.path.isabs(named) else ""  # noqa: PTH117 - pathlib costs 4 ms to import
    if not sys.platform.startswith("linux"):
        return ""
    if cache.startswith("/"):
        return os.path.join(cache, "envguard")  # noqa: PTH118 - as above
    return os.path.join(mine, ".cache", "envguard") if mine.startswith("/") else ""  # noqa: PTH118 - as above


def _is_plain(name: str) -> bool:
    """Whether this can be a name of the catalog, and so part of a file name."""
    return name.replace(".", "").replace("_", "").replace("-", "").isalnum() and not name.startswith((".", "-"))

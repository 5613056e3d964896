"""Whether a command may use the network, and what this system does to see to it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from dataclasses import dataclass

from envguard.backends.protocol import Workspace
from envguard.catalog.model import CommandStep

ON, ENFORCED, NOT_ENFORCED = "on", "off, enforced", "off, not enforced"
PATIENCE_SECONDS = 10
SYSTEM_PROGRAMS = "/usr/bin:/bin:/usr/sbin:/sbin"
# As the user itself, which util-linux 2.34 and later can; as the root of a namespace; by the right of the real root.
WAYS = ("-cn", "-rn", "-n")


@dataclass(frozen=True, slots=True)
class Network:
    """What stands before a step's command, and what a receipt says; both are empty where the step declares nothing."""

    before: tuple[str, ...] = ()
    said: str = ""


def is_container(workspace: Workspace) -> bool:
    """Whether processes of this workspace run in a container."""
    return workspace.path_inside(workspace.layout.python) != str(workspace.layout.python)


def network_of(step: CommandStep, workspace: Workspace) -> Network:
    """The network of a step, which a container only has if its step declares it."""
    if step.network is None:
        return Network()
    if step.network:
        return Network(said=ON)
    if is_container(workspace):
        return Network(said=ENFORCED)
    before = without_network()
    return Network(before, ENFORCED if before else NOT_ENFORCED)


@functools.cache
def without_network() -> tuple[str, ...]:
    """The words that start a command without network on this host; none where that is not possible."""
    unshare = shutil.which("unshare", path=SYSTEM_PROGRAMS) if sys.platform.startswith("linux") else None
    if unshare is None:
        return ()
    # The kernel forgets, where a process gets a namespace of its own, that it is to end with its parent.
    setpriv = shutil.which("setpriv", path=SYSTEM_PROGRAMS)
    ending = (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
    for way in WAYS:
        for words in ((unshare, way, "--", *ending), (unshare, way, "--")):
            if _works((*words, sys.executable, "-I", "-S", "-c", "")):
                return words
    return ()


def _works(command: tuple[str, ...]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0

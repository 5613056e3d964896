"""An index of sdists, and environments that are locked and built from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.catalog.model import Catalog, Edition, Environment
from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import Lock, LockRequest, lock_path
from envguard.planning import minor_of
from envguard.running.environments.building import builder_of
from envguard.running.environments.preparing import Workshop
from tests.support.environments import Events
from tests.support.local_index import Authority, Index

CUT_OFF = "2026-06-01T00:00:00Z"


@dataclass(frozen=True)
class Sources:
    """An index of sdists and of what they need, the variables that lead to it, and the Python to lock for."""

    folder: Path
    port: int
    environ: Mapping[str, str]
    python: str

    def request(self, *requires: str) -> LockRequest:
        """For those requirements, all of which have to be built."""
        names = tuple(each.partition("=")[0] for each in requires)
        return LockRequest("tools", "1", self.python, requires, build=names)

    def locked(self, home: Path, *requires: str) -> Lock:
        """Locked, and built in the store at `home`."""
        return builder_of(self.environ, home).locked(self.request(*requires), cut_off=CUT_OFF)


def sources_in(folder: Path, index: Index, authority: Authority, host: HostFacts) -> Sources:
    """What a running index serves from a folder."""
    environ = {
        "UV_DEFAULT_INDEX": index.url(),
        "SSL_CERT_FILE": str(authority.certificate),
        "PATH": os.environ["PATH"],
        "SECRET": "s3cr3t",
    }
    return Sources(folder, int(index.host.rpartition(":")[2]), environ, minor_of(host.usable[0]))


def shop_of(
    home: Path, sources: Sources, lock: Lock, *links: Path, folder: Path = Path(), **variables: str
) -> Workshop:
    """A workshop whose environment `tools` has that lock."""
    tools = Environment(
        name="tools",
        summary="tools",
        check="checks.imports",
        check_options={"modules": [package.name for package in lock.packages]},
        lockfiles=home / "lockfiles",
        folder=folder,
        editions=(Edition("1", (lock.python,), lock.requires, build=lock.build),),
    )
    path = lock_path(tools.lockfiles, "tools", "1", lock.python)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lock.text(), encoding="utf-8")
    return Workshop(
        home=home,
        user_home=Path.home(),
        environ={**sources.environ, **variables},
        catalog=Catalog({"tools": tools}, {}, {}),
        receive=Events(),
        find_links=links,
        offline=bool(links),
        backend="venv",
    )

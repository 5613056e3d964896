"""Get an environment that is ready, or build it: under a lock, audited, proved, marked ready last."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from envguard.errors import NoEnvironment
from envguard.files import sync_folder, write_whole
from envguard.layout import Layout
from envguard.locks.proofs import Proof
from envguard.store.home import environments_folder
from envguard.store.locking import build_lock
from envguard.store.records import audit

SCHEMA = 1
MARKER = "ready.json"
DAMAGES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """All that makes an environment what it is; two that agree in it are the same environment.

    `interpreter` is the real path, `python_version` the full version, `python_build` what `sys.version` says of the
    build, `lock` the lock's SHA-256. Where and when it is built, and from which mirror, is not part of it.
    """

    environment: str
    edition: str
    lock: str
    interpreter: str
    python_version: str
    python_build: str
    platform: str
    backend: str
    schema: int = SCHEMA

    @property
    def key(self) -> str:
        """SHA-256 over all fields, in hex."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def folder_name(self) -> str:
        """A name that says what it is and that no other identity has."""
        python = "".join(self.python_version.split(".")[:2])
        return f"{self.environment}-{self.edition}-cp{python}-{self.key[:16]}"


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """A ready environment on disk; `fresh` if this very call built it."""

    identity: Identity
    folder: Path
    layout: Layout
    proof: Proof
    fresh: bool


class Watcher(Protocol):
    """Who is told what the store does; each text is one line for a user."""

    def building(self, environment: str, why: str) -> None:
        """An environment is being built, and why it was not there."""

    def waiting(self, environment: str, holder: str) -> None:
        """Another process builds the same environment."""


def ensure(
    home: Path,
    identity: Identity,
    *,
    build: Callable[[Path, tuple[int, ...]], Layout],
    prove: Callable[[Layout], Proof],
    watcher: Watcher,
) -> BuiltEnvironment:
    """The environment of that identity, built now unless it is ready.

    `build` fills a folder and inherits the given descriptors to its children; `prove` runs the check. What they raise
    passes through, and nothing is left that could be taken for an environment.
    """
    folder = environments_folder(home) / identity.folder_name
    found, why = read_ready(folder, identity)
    if found is not None:
        return found
    _make_folder(folder.parent)
    waiting = lambda holder: watcher.waiting(identity.environment, holder)  # noqa: E731
    with build_lock(folder.with_name(folder.name + ".lock"), waiting=waiting) as descriptors:
        found, why = read_ready(folder, identity)
        if found is not None:
            return found
        watcher.building(identity.environment, why)
        _clear(folder)
        try:
            layout = build(folder, descriptors)
            _refuse_damage(layout, identity)
            proof = prove(layout)
            _mark_ready(folder, identity, layout, proof)
        except BaseException:
            _clear(folder)
            raise
    return BuiltEnvironment(identity, folder, layout, proof, fresh=True)


def read_ready(folder: Path, identity: Identity) -> tuple[BuiltEnvironment | None, str]:
    """The ready environment in a folder, or None and the reason why there is none."""
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        if marker["identity"] != asdict(identity):
            return None, "it was made of other parts"
        layout = Layout(folder / marker["python"], folder / marker["site_packages"])
        proof = Proof(**marker["proof"])
    except FileNotFoundError:
        return None, "an earlier build did not finish" if folder.exists() else "it is not built yet"
    except (OSError, ValueError, KeyError, TypeError):
        return None, "its marker is damaged"
    if not layout.python.exists():
        return None, "its interpreter is gone"
    return BuiltEnvironment(identity, folder, layout, proof, fresh=False), ""


def _mark_ready(folder: Path, identity: Identity, layout: Layout, proof: Proof) -> None:
    marker = {
        "identity": asdict(identity),
        "python": str(layout.python.relative_to(folder)),
        "site_packages": str(layout.site_packages.relative_to(folder)),
        "proof": proof.as_json(),
    }
    sync_folder(folder)
    write_whole(folder / MARKER, json.dumps(marker, indent=1, sort_keys=True).encode())


def _refuse_damage(layout: Layout, identity: Identity) -> None:
    damages = audit(layout.site_packages)
    if damages:
        shown = "; ".join(f"{damage.distribution}: {damage.path} is {damage.why}" for damage in damages[:DAMAGES_SHOWN])
        raise NoEnvironment(
            f"The installed files of {identity.environment} {identity.edition} are not those of its distributions.",
            why=f"{len(damages)} differ: {shown}",
            next_step="Check the disk, empty envguard's `uv-cache` folder, and run again.",
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoEnvironment(
            f"The store {folder} cannot be made.",
            why=str(error),
            next_step="Set ENVGUARD_HOME to a folder that you may write to.",
        ) from error


def _clear(folder: Path) -> None:
    """Take an unready folder out of the way under a name that nothing looks for, then delete it."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.broken")
        folder.replace(aside)
        shutil.rmtree(aside, ignore_errors=True)

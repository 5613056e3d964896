"""Return a ready environment, or build it: under a lock, audited, proved, and marked ready last."""

from __future__ import annotations

import contextlib
import os
import posixpath
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from envguard.errors import NoEnvironment
from envguard.files import write_whole
from envguard.layout import Layout
from envguard.locks.proofs import Proof
from envguard.ownership import owners, stranger
from envguard.store.durability import make_durable
from envguard.store.fingerprint import FINGERPRINT, MARKER, SOURCES, take_fingerprints, why_changed
from envguard.store.home import environments_folder
from envguard.store.identity import Identity
from envguard.store.locking import build_lock, in_use
from envguard.store.manifest import MANIFEST, digest, manifest_bytes, scan
from envguard.store.marker import ReadyMarker, read_marker, write_marker
from envguard.store.overlaps import OverlappingPackages, overlaps_in
from envguard.store.records import Damage, audit_entries, listing_of
from envguard.system.long_paths import ALLOW, longest_path, why_too_long
from envguard.system.moving import remove_tree, replace

DAMAGES_SHOWN = 3
OWN_FILES = frozenset({MARKER, MANIFEST, FINGERPRINT, SOURCES})


class DamagedInstall(NoEnvironment):
    """The files just installed are not those the distributions list: the installer's cache or the disk is damaged."""

    def __init__(self, identity: Identity, damages: Sequence[Damage]) -> None:
        shown = "; ".join(f"{damage.distribution}: {damage.path} is {damage.why}" for damage in damages[:DAMAGES_SHOWN])
        super().__init__(
            f"The installed files of {identity.environment} {identity.edition} do not match its distributions.",
            why=f"{len(damages)} differ: {shown}",
            next_step="Check the disk, empty envguard's `uv-cache` folder, and run the command again.",
        )
        self.distributions = tuple(dict.fromkeys(damage.distribution.partition("-")[0] for damage in damages))


@dataclass(frozen=True, slots=True)
class BuiltEnvironment:
    """A ready environment on disk; `fresh` if this call built it."""

    identity: Identity
    folder: Path
    layout: Layout
    proof: Proof
    fresh: bool


class Watcher(Protocol):
    """Receives what the store does; each text is one line for a user."""

    def building(self, environment: str, why: str) -> None:
        """An environment is being built, because of `why`."""

    def waiting(self, environment: str, holder: str) -> None:
        """Another process is building the same environment."""


def ensure(
    home: Path,
    identity: Identity,
    *,
    build: Callable[[Path, tuple[int, ...]], Layout],
    prove: Callable[[Layout], Proof],
    watcher: Watcher,
    overlaps: bool = False,
) -> BuiltEnvironment:
    """The environment with that identity, built now unless it is ready.

    `build` fills a folder and passes the given descriptors on to its children; `prove` runs the check. What they raise
    passes through, and nothing remains that could be mistaken for an environment.
    With `overlaps`, distributions may install the same files; else that is an error too.
    """
    folder = environments_folder(home) / identity.folder_name
    found, why = read_ready(folder, identity)
    if found is not None:
        return found
    _refuse_long_paths(home)
    make_folder(folder.parent)
    waiting = lambda holder: watcher.waiting(identity.environment, holder)  # noqa: E731
    with build_lock(folder.with_name(folder.name + ".lock"), waiting=waiting) as descriptors:
        found, why = read_ready(folder, identity)
        if found is not None:
            return found
        watcher.building(identity.environment, why)
        _clear(folder)
        try:
            layout = build(folder, descriptors)
            marker = _recorded(folder, layout, identity, prove, overlaps=overlaps)
            _mark_ready(folder, marker)
        except OSError as error:
            _clear(folder)
            raise _cannot_write(folder, error) from error
        except BaseException:
            _clear(folder)
            raise
    return BuiltEnvironment(identity, folder, layout, marker.proof, fresh=True)


def read_ready(folder: Path, identity: Identity) -> tuple[BuiltEnvironment | None, str]:
    """The ready environment in a folder, or None and why there is none."""
    try:
        marker = read_marker(folder)
    except FileNotFoundError:
        return None, "an earlier build did not finish" if folder.exists() else "it is not built yet"
    except (OSError, ValueError):
        return None, "its marker is damaged"
    if marker.identity != identity:
        return None, "it was made of other parts"
    why = stranger(str(folder), owners(os.environ)) or why_changed(str(folder), marker.python, marker.interpreter)
    if why:
        return None, why
    return BuiltEnvironment(identity, folder, marker.layout(folder), marker.proof, fresh=False), ""


def _recorded(
    folder: Path, layout: Layout, identity: Identity, prove: Callable[[Layout], Proof], *, overlaps: bool
) -> ReadyMarker:
    """Read every installed file once, refuse what differs from a RECORD, write down what is there, and prove it."""
    entries = scan(folder)
    below = layout.site_packages.relative_to(folder).as_posix()
    listing = listing_of(layout.site_packages)
    shared = overlaps_in(listing.files, entries, below, layout.site_packages)
    whole = {each.path for each in shared if each.kept}
    damages = [
        each
        for each in audit_entries(listing, entries, below, layout.site_packages)
        if posixpath.normpath(each.path) not in whole
    ]
    if damages:
        raise DamagedInstall(identity, damages)
    if shared and not overlaps:
        raise OverlappingPackages(identity, shared)
    manifest = manifest_bytes(entries)
    interpreter = "" if layout.in_image else str(layout.python.resolve())
    write_whole(folder / MANIFEST, manifest)
    names = filter(None, [*entries, MANIFEST, interpreter])
    for name, fingerprint in take_fingerprints(str(folder), names).items():
        write_whole(folder / name, fingerprint)
    python = layout.python if layout.in_image else layout.python.relative_to(folder)
    return ReadyMarker(
        identity=identity,
        proof=prove(layout),
        python=python.as_posix(),
        site_packages=below,
        interpreter=interpreter,
        manifest=digest(manifest),
        overlaps=shared,
    )


def _mark_ready(folder: Path, marker: ReadyMarker) -> None:
    why = why_changed(str(folder), marker.python, marker.interpreter)
    if why:
        identity = marker.identity
        raise NoEnvironment(
            f"The check of {identity.environment} {identity.edition} changed the environment it was meant to prove.",
            why=why,
            next_step="Run the same command again; if it fails again, report it.",
        )
    make_durable(folder)
    with in_use(folder):  # from now on there is a time of last use
        write_marker(folder, marker)


def make_folder(folder: Path) -> None:
    """Create a folder of the store; raises NoEnvironment if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoEnvironment(
            f"The store {folder} cannot be created.",
            why=str(error),
            next_step="Set ENVGUARD_HOME to a folder that you can write to.",
        ) from error


def _refuse_long_paths(home: Path) -> None:
    why = why_too_long(str(home), longest_path())
    if why:
        raise NoEnvironment(
            f"The store {home} is too deep in its disk.",
            why=why,
            next_step=f"Set ENVGUARD_HOME to a short folder such as C:\\envguard, or allow long paths: {ALLOW}",
        )


def _cannot_write(folder: Path, error: OSError) -> NoEnvironment:
    free = ""
    with contextlib.suppress(OSError):
        free = f"; {shutil.disk_usage(folder.parent).free / 1e6:,.1f} MB are free there"
    return NoEnvironment(
        f"The environment {folder.name} cannot be written.",
        why=f"{error}{free}",
        next_step="Free some space, for example with `envguard store prune`, or set ENVGUARD_HOME to another folder.",
    )


def move_aside(folder: Path) -> Path | None:
    """Rename a folder to a name that nothing looks for, and return that; a link is removed instead."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        return replace(folder, folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.broken"))
    return None


def _clear(folder: Path) -> None:
    aside = move_aside(folder)
    if aside is not None:
        remove_tree(aside, ignore_errors=True)

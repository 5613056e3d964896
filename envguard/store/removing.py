"""Free disk space: never remove what is in use or being built, nor anything outside the store."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import time
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envguard.errors import NoEnvironment
from envguard.store.built import KeptFile, built_wheels_folder, kept_files, sdists_folder, useless_builds
from envguard.store.environments import move_aside
from envguard.store.home import environments_folder, installer_cache
from envguard.store.identity import Identity
from envguard.store.inventory import StoredEnvironment, disk_bytes, environment_folders, inventory
from envguard.store.links import forget_lost_links, linked_folders
from envguard.store.locking import build_lock_if_free, unused
from envguard.store.marker import read_marker
from envguard.store.pythons import useless_pythons
from envguard.store.results.kept import DOCUMENT, KeptFolder, kept_results, unfinished_results
from envguard.store.scratch import logs_folder, runs_folder
from envguard.store.usage import last_used
from envguard.system.moving import remove_tree

MOVED_ASIDE = re.compile(r"\..+\.[0-9a-f]{8}\.broken")
RUN_FOLDER = re.compile(r"run-[A-Za-z0-9_]+")
RUN_AGE = 24 * 3600.0
KEPT_OF_EARLIER_CODE = 2
LOG_AGE = 30 * 24 * 3600.0
KEPT_AGE = 30 * 24 * 3600.0
IN_USE_AGE = 3600.0  # a build may be about to install what it took from the store


@dataclass(frozen=True, slots=True)
class Removal:
    """Something that was removed, or would be: its path, why, and its size on disk in bytes."""

    path: Path
    why: str
    bytes: int

    def as_json(self) -> dict[str, object]:
        """The removal for `--json`."""
        return {"path": str(self.path), "why": self.why, "bytes": self.bytes}


@dataclass(frozen=True, slots=True)
class Sweep:
    """What was removed, what was spared and why, and the remaining size of the store on disk in bytes."""

    removed: tuple[Removal, ...]
    spared: tuple[Removal, ...]
    bytes_left: int

    def as_json(self) -> dict[str, object]:
        """The sweep for `--json`."""
        return {
            "removed": [each.as_json() for each in self.removed],
            "spared": [each.as_json() for each in self.spared],
            "bytes_removed": sum(each.bytes for each in self.removed),
            "bytes_left": self.bytes_left,
        }


def prune(
    home: Path,
    locks: Mapping[str, frozenset[str]],
    *,
    needed: Container[str] = frozenset(),
    dry_run: bool = False,
) -> Sweep:
    """Remove what no run will use again: unfinished and damaged builds, outdated environments, old scratch and logs.

    `locks` are the digests of each known environment's locks. Environments that are not among them may belong to
    another project and stay. Built wheels go if nobody has used them for long, but not those that an environment of the
    store was made of, nor those whose SHA-256 is `needed`; sdists of that age go, since an index has them.
    """
    before = disk_bytes([home])
    outdated = [(stored, why) for stored in inventory(home) if (why := _why_useless(stored, locks))]
    done = _Sweeper(home, dry_run)
    for stored, why in outdated:
        done.remove_environment(stored, why)
    for path, why in list(_leftovers(home)):
        done.remove_leftover(path, why)
    for kept in _long_unused(home, needed):
        done.remove_leftover(kept.path.parent, "nobody has used it for 30 days, and it can be had again")
    for result in kept_results(home):
        if _age(result.folder / DOCUMENT) > KEPT_AGE:
            done.remove_leftover(result.folder, "no run has used it for 30 days")
    for path in useless_builds(home):
        done.remove_leftover(path, "its wheel is not kept")
    return done.sweep(before)


def collect(home: Path, limit: int, *, clear_cache: Callable[[], None], dry_run: bool = False) -> Sweep:
    """Reduce the store to `limit` bytes on disk.

    First removes what failed builds left behind. If the installer's cache is then enough, only that goes, because
    environments work without it; otherwise environments, built wheels and sdists go, environments that are not ready
    first, then what was least recently used, and the cache goes last.
    """
    before = disk_bytes([home])
    cache = Removal(installer_cache(home), "it only saves downloads", disk_bytes([installer_cache(home)]))
    done = _Sweeper(home, dry_run)
    for path, why in _moved_aside(home):
        done.remove_leftover(path, why)
    if before - done.freed > limit and before - done.freed - cache.bytes > limit:
        things: list[StoredEnvironment | KeptFile | KeptFolder]
        things = [*inventory(home), *kept_files(home), *kept_results(home)]
        for each in sorted(things, key=lambda each: (not getattr(each, "why_not", ""), each.used)):
            if before - done.freed <= limit:
                break
            done.remove_least_used(each)
    if before - done.freed > limit and cache.bytes:
        if not dry_run:
            clear_cache()
        done.removed.append(cache)
    return done.sweep(before)


def remove_superseded(home: Path, identity: Identity) -> None:
    """Remove environments that differ from this one in the project's own code alone, but for the last that were used.

    What is in use, being built or linked to stays; so does what cannot be removed, for `prune` to tell of.
    """
    linked = linked_folders(home)
    kin = [each for each in environment_folders(home) if each not in linked and _is_superseded(each, identity)]
    for folder in sorted(kin, key=lambda each: last_used(each) or 0.0, reverse=True)[KEPT_OF_EARLIER_CODE:]:
        with contextlib.suppress(OSError):
            aside, _ = move_aside_if_idle(folder)
            if aside is not None:
                remove_tree(aside)


def _is_superseded(folder: Path, by: Identity) -> bool:
    try:
        found = read_marker(folder).identity
    except (OSError, ValueError):
        return False
    kind, _, _ = by.own.partition(": ")
    return found != by and found.own.startswith(f"{kind}: ") and dataclasses.replace(found, own=by.own) == by


def move_aside_if_idle(folder: Path, *, dry_run: bool = False) -> tuple[Path | None, str]:
    """Move an environment aside unless somebody builds or uses it; returns where it is now, or why it stays."""
    with build_lock_if_free(folder.with_name(folder.name + ".lock")) as free:
        if not free:
            return None, "it is being built"
        with unused(folder) as idle:
            if not idle:
                return None, "it is in use"
            return (None if dry_run else move_aside(folder)), ""


class _Sweeper:
    """Removes one thing after another and records what it did."""

    def __init__(self, home: Path, dry_run: bool) -> None:
        if not dry_run:
            forget_lost_links(home)
        self._linked = linked_folders(home)
        self.removed: list[Removal] = []
        self.spared: list[Removal] = []
        self._dry_run = dry_run

    @property
    def freed(self) -> int:
        """Bytes removed so far."""
        return sum(each.bytes for each in self.removed)

    def remove_environment(self, stored: StoredEnvironment, why: str) -> None:
        """Remove an environment, or spare it because a link leads to it, or it is in use or being built."""
        if stored.folder in self._linked:
            link = self._linked[stored.folder]
            self.spared.append(Removal(stored.folder, f"{link} links to it", stored.bytes))
            return
        try:
            aside, spared = move_aside_if_idle(stored.folder, dry_run=self._dry_run)
            if aside is not None:
                remove_tree(aside)
        except OSError as error:
            raise _cannot_remove(stored.folder, error) from error
        if spared:
            self.spared.append(Removal(stored.folder, spared, stored.bytes))
        else:
            self.removed.append(Removal(stored.folder, why, stored.bytes))

    def remove_least_used(self, each: StoredEnvironment | KeptFile | KeptFolder) -> None:
        """Remove an environment, a kept file or a step's result, or spare it because it is in use."""
        if isinstance(each, StoredEnvironment):
            self.remove_environment(each, each.why_not or "it is the least recently used")
        elif isinstance(each, KeptFolder):
            self.remove_leftover(each.folder, "it is the least recently used")
        elif _age(each.path) < IN_USE_AGE:
            self.spared.append(Removal(each.path.parent, "it was used within the hour", each.bytes))
        else:
            self.remove_leftover(each.path.parent, "it is the least recently used")

    def remove_leftover(self, path: Path, why: str) -> None:
        """Remove a file or folder that no process looks for."""
        size = disk_bytes([path])
        if not self._dry_run:
            try:
                if path.is_dir() and not path.is_symlink():
                    remove_tree(path)
                else:
                    path.unlink()
            except FileNotFoundError:
                return  # its own process removed it in the meantime
            except OSError as error:
                raise _cannot_remove(path, error) from error
        self.removed.append(Removal(path, why, size))

    def sweep(self, before: int) -> Sweep:
        """The record, given the size of the store before."""
        return Sweep(tuple(self.removed), tuple(self.spared), max(0, before - self.freed))


def _why_useless(stored: StoredEnvironment, locks: Mapping[str, frozenset[str]]) -> str:
    if stored.why_not:
        return stored.why_not
    assert stored.identity is not None
    known = locks.get(stored.identity.environment)
    if known is not None and stored.identity.lock not in known:
        return "its lock is no longer in the catalog"
    return ""


def _long_unused(home: Path, needed: Container[str]) -> list[KeptFile]:
    old = [each for each in kept_files(home) if _age(each.path) > KEPT_AGE and each.sha256 not in needed]
    locks = [_text(folder / "lock.txt") for folder in environment_folders(home)] if old else []
    return [each for each in old if each.kind == "sdist" or not any(each.sha256 in lock for lock in locks)]


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _moved_aside(home: Path) -> Iterator[tuple[Path, str]]:
    for path in _entries(environments_folder(home)):
        if MOVED_ASIDE.fullmatch(path.name):
            yield path, "it was moved aside by a later build"


def _leftovers(home: Path) -> Iterator[tuple[Path, str]]:
    yield from _moved_aside(home)
    yield from useless_pythons(home)
    for path in _entries(runs_folder(home)):
        if RUN_FOLDER.fullmatch(path.name) and _age(path) > RUN_AGE:
            yield path, "its run ended long ago"
    for path in unfinished_results(home):
        if _age(path) > RUN_AGE:
            yield path, "the run that was keeping it ended long ago"
    for path in _entries(logs_folder(home)):
        if path.suffix == ".log" and _age(path) > LOG_AGE:
            yield path, "it is older than 30 days"
    for folder in (built_wheels_folder(home), sdists_folder(home)):
        for path in _entries(folder):
            if path.suffix == ".part" and _age(path) > RUN_AGE:
                yield path, "its download ended long ago"


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _age(path: Path) -> float:
    try:
        return time.time() - path.lstat().st_mtime
    except OSError:
        return 0.0


def _cannot_remove(path: Path, error: OSError) -> NoEnvironment:
    return NoEnvironment(
        f"{path} cannot be removed.",
        why=str(error),
        next_step="Check its permissions, and that its disk is writable.",
    )

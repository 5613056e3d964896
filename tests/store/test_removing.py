"""Only what nobody needs is removed: never what is in use, never anything outside the store."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.store.built import BuildRecord, builds_folder, read_build, write_build
from envguard.store.environments import ensure
from envguard.store.fingerprint import MARKER
from envguard.store.identity import Identity
from envguard.store.inventory import disk_bytes, inventory
from envguard.store.locking import build_lock, in_use
from envguard.store.removing import collect, prune
from envguard.store.usage import hold
from tests.support.built import IDENTITY, Builder

CURRENT = {"tools": frozenset({IDENTITY.lock})}
PADDING = 1_000_000


def build(home: Path, used: float = 0.0, **change: str) -> Path:
    """An environment of about a megabyte, last used at `used` seconds after the epoch."""
    builder = Builder()
    plain = builder.build

    def padded(folder: Path, descriptors: tuple[int, ...]):  # type: ignore[no-untyped-def]
        layout = plain(folder, descriptors)
        (layout.site_packages / "padding").write_bytes(os.urandom(PADDING))
        return layout

    identity: Identity = replace(IDENTITY, **change)  # type: ignore[arg-type]
    folder = ensure(home, identity, build=padded, prove=builder.prove, watcher=builder).folder
    os.utime(folder.with_name(folder.name + ".use"), (used, used))
    return folder


def refuse() -> None:
    raise AssertionError("the cache was to stay")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """An environment that a process runs in, which inherited its lock from a parent that has ended."""
    folder = build(tmp_path)
    descriptor = hold(str(folder))
    assert descriptor is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(descriptor,))
    os.close(descriptor)
    yield folder
    child.communicate(b"\n")


def test_what_is_ready_and_current_stays(tmp_path: Path) -> None:
    folder = build(tmp_path)
    sweep = prune(tmp_path, CURRENT)
    assert (sweep.removed, sweep.spared) == ((), ())
    assert folder.exists()
    (row,) = inventory(tmp_path)
    assert (row.name, row.why_not, row.used) == ("tools", "", 0.0)
    assert row.bytes > PADDING


def test_outdated_damaged_and_unfinished_environments_go_each_for_its_reason(tmp_path: Path) -> None:
    outdated, damaged, unfinished = (build(tmp_path, lock="b" * 64), build(tmp_path), build(tmp_path, edition="2"))
    (damaged / "site" / "stray").write_text("")
    (unfinished / MARKER).unlink()
    other = build(tmp_path, environment="another-projects")
    rehearsed = prune(tmp_path, CURRENT, dry_run=True)
    assert all(folder.exists() for folder in (outdated, damaged, unfinished))
    sweep = prune(tmp_path, CURRENT)
    assert sweep.removed == rehearsed.removed
    assert {each.path: each.why for each in sweep.removed} == {
        outdated: "its lock is no longer in the catalog",
        damaged: "site has changed",
        unfinished: "an earlier build did not finish",
    }
    assert [row.folder for row in inventory(tmp_path)] == [other]
    assert not list((tmp_path / "environments").glob(".*"))


def test_what_runs_is_spared_until_it_ends(tmp_path: Path, running: Path) -> None:
    (running / MARKER).unlink()
    for sweep in (
        prune(tmp_path, CURRENT),
        prune(tmp_path, CURRENT, dry_run=True),
        collect(tmp_path, 0, clear_cache=refuse),
    ):
        assert [(each.path, each.why) for each in sweep.spared] == [(running, "it is in use")]
        assert running.exists()


def test_the_end_of_the_process_ends_the_use(tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / MARKER).unlink()
    with in_use(folder) as descriptors:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=descriptors)
    assert prune(tmp_path, CURRENT).spared
    child.kill()
    child.communicate()
    assert prune(tmp_path, CURRENT).removed


def test_what_is_being_built_is_spared(tmp_path: Path) -> None:
    folder = build(tmp_path)
    (folder / MARKER).unlink()
    with build_lock(folder.with_name(folder.name + ".lock"), waiting=print):
        (spared,) = prune(tmp_path, CURRENT).spared
    assert spared.why == "it is being built"
    assert prune(tmp_path, CURRENT).removed


def test_links_are_neither_followed_nor_removed(tmp_path: Path) -> None:
    home, treasure = tmp_path / "home", tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("")
    folder = build(home)
    (folder / "site" / "out").symlink_to(treasure)
    link = folder.with_name("x-1-cp311-0123456789abcdef")
    link.symlink_to(treasure)
    (home / "runs").mkdir()
    (home / "runs" / "run-link").symlink_to(treasure)
    assert [each.path for each in prune(home, CURRENT).removed] == [folder]
    collect(home, 0, clear_cache=refuse)
    assert (treasure / "gold").exists()
    assert link.is_symlink()


def test_old_scratch_and_what_was_moved_aside_go(tmp_path: Path) -> None:
    old, new = tmp_path / "runs" / "run-old", tmp_path / "runs" / "run-new"
    log, strange = tmp_path / "logs" / "old.log", tmp_path / "environments" / "of the user's own"
    aside = tmp_path / "environments" / ".tools-1-cp311-0123456789abcdef.01234567.broken"
    for folder in (old, new, log.parent, strange, aside):
        folder.mkdir(parents=True)
    log.write_text("")
    for path, age in ((old, 2), (log, 31)):
        os.utime(path, (time.time() - age * 86400,) * 2)
    assert {each.path for each in prune(tmp_path, CURRENT).removed} == {old, log, aside}
    assert new.exists()
    assert strange.exists()


def test_the_least_recently_used_goes_first_and_no_more_than_needed(tmp_path: Path) -> None:
    oldest, newest, middle = (build(tmp_path, used, edition=str(used)) for used in (10.0, 30.0, 20.0))
    limit = disk_bytes([tmp_path]) - PADDING - PADDING // 2
    sweep = collect(tmp_path, limit, clear_cache=refuse)
    assert [each.path for each in sweep.removed] == [oldest, middle]
    assert newest.exists()
    assert disk_bytes([tmp_path]) <= limit
    assert sweep.bytes_left <= limit
    assert collect(tmp_path, limit, clear_cache=refuse).removed == ()


def test_the_installers_cache_goes_first_if_that_is_enough(tmp_path: Path) -> None:
    folder = build(tmp_path)
    cache = tmp_path / "uv-cache"
    cache.mkdir()
    (cache / "archive").write_bytes(os.urandom(3 * PADDING))
    cleared: list[bool] = []
    sweep = collect(tmp_path, 2 * PADDING, clear_cache=lambda: cleared.append(True))
    assert [each.path for each in sweep.removed] == [cache]
    assert cleared == [True]
    assert folder.exists()
    assert [each.path for each in collect(tmp_path, 0, clear_cache=refuse, dry_run=True).removed] == [folder, cache]


def keep(home: Path, kind: str, name: str, days: float) -> Path:
    """The folder of a kept file that was last used that many days ago."""
    path = home / kind / hashlib.sha256(name.encode()).hexdigest() / name
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(PADDING))
    os.utime(path, (time.time() - days * 86400,) * 2)
    return path.parent


def test_wheels_and_sdists_go_after_a_month_but_not_a_wheel_that_a_lock_needs(tmp_path: Path) -> None:
    here, elsewhere = (keep(tmp_path, "wheels", f"{name}-1-py3-none-any.whl", 31) for name in ("here", "elsewhere"))
    old, new = (
        keep(tmp_path, "wheels", f"{name}-1-py3-none-any.whl", days) for name, days in (("old", 31), ("new", 1))
    )
    sdist = keep(tmp_path, "sdists", "old-1.tar.gz", 31)
    part, under_way = (tmp_path / "sdists" / f"{name}.part" for name in ("0a1b2c", "3d4e5f"))
    for download in (part, under_way):
        download.write_bytes(b"half a fi")
    os.utime(part, (time.time() - 2 * 86400,) * 2)
    for wheel in (old, new):
        write_build(tmp_path, wheel.name, BuildRecord((), "", next(wheel.iterdir()).name, wheel.name))
    (build(tmp_path) / "lock.txt").write_text(f"    --hash=sha256:{elsewhere.name}\n")
    sweep = prune(tmp_path, CURRENT, needed={here.name})
    assert {each.path for each in sweep.removed} == {old, sdist, part, builds_folder(tmp_path) / f"{old.name}.json"}
    assert all(path.exists() for path in (here, elsewhere, new, under_way))
    assert read_build(tmp_path, new.name)


def test_wheels_and_sdists_go_with_what_was_least_recently_used_and_not_within_the_hour(tmp_path: Path) -> None:
    wheel, fresh = (keep(tmp_path, "wheels", f"tools-{days}-py3-none-any.whl", days) for days in (2, 0))
    oldest, newest = build(tmp_path, 10.0, edition="1"), build(tmp_path, time.time(), edition="2")
    sweep = collect(tmp_path, disk_bytes([tmp_path]) - 2 * PADDING, clear_cache=refuse)
    assert [each.path for each in sweep.removed] == [oldest, wheel]
    assert newest.exists()
    assert [each.path for each in collect(tmp_path, 0, clear_cache=refuse).spared] == [fresh]


def test_hard_links_are_counted_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(os.urandom(PADDING))
    once = disk_bytes([tmp_path])
    os.link(tmp_path / "one", tmp_path / "two")
    assert disk_bytes([tmp_path]) == once
    assert disk_bytes([tmp_path / "one", tmp_path / "two"]) == disk_bytes([tmp_path / "one"]) >= PADDING


def test_a_use_is_remembered(tmp_path: Path) -> None:
    folder = build(tmp_path)
    before = time.time() - 1
    with in_use(folder):
        pass
    (row,) = inventory(tmp_path)
    assert row.used >= before

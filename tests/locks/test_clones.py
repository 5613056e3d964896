"""A clone has the same bytes on every system, whatever its Git does to the ends of lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from envguard.catalog import shipped_lockfiles
from envguard.locks.lockfile import read_lock

CHECKOUT = Path(__file__).parents[2]


def git(*arguments: str | Path) -> str:
    ran = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip(f"this is no clone, or Git is not here: {ran.stderr.strip()[-200:]}")
    return ran.stdout


def test_a_clone_that_converts_line_ends_has_every_file_as_it_is(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git("clone", "--quiet", "--no-hardlinks", "-c", "core.autocrlf=true", CHECKOUT, clone)
    locks = sorted(clone.glob("lockfiles/*/*/cp3*.txt"))
    assert len(locks) > 50
    for path in locks:
        assert b"\r" not in path.read_bytes(), path
        read_lock(path)
    changed = [line for line in git("-C", clone, "ls-files", "--eol").splitlines() if "w/crlf" in line]
    assert changed == []


def test_git_would_convert_them_without_our_attributes(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    git("init", "--quiet", tmp_path / "plain")
    lock = next(shipped_lockfiles().glob("*/*/cp3*.txt"))
    (tmp_path / "plain" / "lock.txt").write_bytes(lock.read_bytes())
    git("-C", tmp_path / "plain", "add", "lock.txt")
    git("-C", tmp_path / "plain", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-qm", "a lock")
    git("clone", "--quiet", "-c", "core.autocrlf=true", tmp_path / "plain", tmp_path / "clone")
    cloned = tmp_path / "clone" / "lock.txt"
    assert b"\r\n" in cloned.read_bytes()
    assert read_lock(cloned) == read_lock(lock)

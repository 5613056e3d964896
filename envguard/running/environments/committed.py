"""Locks as a commit of Git has them; only Git's stored content is read, and none of its filters runs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from envguard.errors import BadInput
from envguard.locks.lockfile import Lock, lock_of

# What Git reads as a commit, and never as an option.
COMMIT = re.compile(r"[A-Za-z0-9@][A-Za-z0-9@._/~^{}-]*")
LOCK = re.compile(r"[^/]+/[^/]+/cp3[0-9]{1,2}\.txt")


def committed_locks(lockfiles: Path, commit: str) -> dict[str, Lock]:
    """The locks in a folder as of a commit, by their paths from there; none if it did not have that folder.

    Raises BadInput if there is no Git, no repository, or no such commit.
    """
    if not COMMIT.fullmatch(commit):
        raise BadInput(f"{commit!r} is no commit.", next_step="Name one as Git does: HEAD~1, main, v1.2.")
    where = lockfiles if lockfiles.is_dir() else lockfiles.parent
    _git(where, ["rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"], commit)
    listed = _git(where, ["ls-tree", "-r", "-z", "--name-only", commit, "--", "."], commit).decode("utf-8", "replace")
    inside = "" if where == lockfiles else f"{lockfiles.name}/"
    found = {}
    for path in listed.split("\0"):
        name = path.removeprefix(inside)
        if path.startswith(inside) and LOCK.fullmatch(name):
            found[name] = lock_of(_git(where, ["cat-file", "blob", f"{commit}:./{path}"], commit), lockfiles / name)
    return found


def _git(folder: Path, arguments: Sequence[str], commit: str) -> bytes:
    try:
        run = subprocess.run(
            ["git", "--no-pager", "-C", folder, *arguments], stdin=subprocess.DEVNULL, capture_output=True
        )
    except OSError as error:
        raise BadInput(
            "Git cannot be started.", why=str(error), next_step="Install it, or compare with --upgrade instead."
        ) from error
    if run.returncode != 0:
        raise BadInput(
            f"Git cannot show the locks in {folder} as of {commit}.",
            why=run.stderr.decode("utf-8", "replace").strip() or "there is no such commit",
            next_step="Name another commit with --against, or see what a new resolution would change: "
            "envguard lock --diff --upgrade.",
        )
    return run.stdout

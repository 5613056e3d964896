"""`envguard lock --diff`: how locks differ from a commit's, or from what a new resolution would make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import typer
from packaging.utils import canonicalize_name

from envguard.catalog.model import Edition, Environment
from envguard.cli.printing import document_text
from envguard.errors import BadInput, NoEnvironment
from envguard.locks.lockfile import lock_path, read_lock
from envguard.report.lock_changes import LockChange, changes_json, changes_text
from envguard.running.environments.committed import committed_locks
from envguard.running.environments.locking import Relocked

Chosen = Sequence[tuple[Environment, Edition]]


def since_commit(chosen: Chosen, commit: str) -> Iterator[LockChange]:
    """Each lock of these editions, in the commit or now; those of Pythons that an edition no longer has, too."""
    known = {folder: committed_locks(folder, commit) for folder in {each.lockfiles for each, _ in chosen}}
    for environment, edition in chosen:
        then = {
            lock.python: lock
            for name, lock in known[environment.lockfiles].items()
            if _is_of(name, environment, edition)
        }
        for python in dict.fromkeys((*edition.pythons, *then)):
            path = lock_path(environment.lockfiles, environment.name, edition.name, python)
            now = read_lock(path) if path.is_file() else None
            if now or python in then:
                yield LockChange(environment.name, edition.name, python, then.get(python), now)


def _is_of(name: str, environment: Environment, edition: Edition) -> bool:
    return name.startswith(f"{environment.name}/{edition.name}/")


def show_resolved(found: Iterable[Relocked], *, as_json: bool) -> None:
    """Print how locks would be after a new resolution; exits with 3 if one cannot be resolved any more."""
    changes = [_resolved(each) for each in found if each.before or each.state == "cannot be resolved"]
    show_changes(changes, "the locks with a new resolution", as_json=as_json)
    if any(each.why for each in changes):
        raise typer.Exit(NoEnvironment.exit_code)


def _resolved(relocked: Relocked) -> LockChange:
    environment, edition, name = relocked.path.parts[-3:]
    python = f"3.{name.removesuffix('.txt').removeprefix('cp3')}"
    why = "" if relocked.after else relocked.why
    return LockChange(environment, edition, python, relocked.before, relocked.after, why)


def show_changes(changes: Iterable[LockChange], compared: str, *, as_json: bool) -> None:
    """Print them, as text or as one JSON document; `compared` says what with what."""
    found = list(changes)
    typer.echo(document_text(changes_json(found, compared)) if as_json else changes_text(found))


def refuse_unknown(names: Collection[str], chosen: Chosen) -> None:
    """Raise BadInput for a package that none of the locks has."""
    locked = {
        canonicalize_name(package.name)
        for environment, edition in chosen
        for python in edition.pythons
        if names and (path := lock_path(environment.lockfiles, environment.name, edition.name, python)).is_file()
        for package in read_lock(path).packages
    }
    for name in names:
        if name not in locked:
            raise BadInput(
                f"No lock has the package {name!r}.",
                why="--upgrade-package moves what is locked already",
                next_step="Correct the name, or add it to the requirements and run `envguard lock`.",
            )

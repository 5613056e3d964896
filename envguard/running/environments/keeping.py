"""Write what a renewal found: an edition with its locks and proofs, whole or not at all.

A new edition exists when the catalog names it, so the catalog is written last. What a run that was killed leaves is a
folder that nothing names; the next one replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from envguard.catalog.model import Catalog, Edition, Environment
from envguard.catalog.projects import PROJECT_FILE
from envguard.catalog.reading import NOTHING, catalog_from
from envguard.catalog.renewal import lines_of
from envguard.catalog.shipped import BUILTIN, builtin_catalog, is_checkout
from envguard.catalog.writing import NewEdition, editions_in, with_edition, written_edition
from envguard.errors import BadInput, BrokenData
from envguard.files import sync_folder, write_record
from envguard.locks.lockfile import lock_path
from envguard.locks.proofs import proofs_path, read_proofs, with_proof, write_proofs
from envguard.running.environments.proving import check_writable
from envguard.running.environments.renewing import Renewed, Tried
from envguard.system.moving import remove_tree, replace
from envguard.toml import parse_toml
from envguard.trust.allowing import allow_written, is_allowed

FOUND = "Found, locked and proved by `envguard renew` on {date}."
FAILED = "Found by `envguard renew` on {date} and known not to work; proofs.json beside its locks says why."


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """The file that an environment is written in, whether its project's or envguard's own, and its text."""

    path: Path
    text: str

    @classmethod
    def of(cls, environment: Environment, catalog: Catalog) -> CatalogFile:
        """Read the file; raises BrokenData if it cannot be read."""
        path = environment.folder / PROJECT_FILE if environment.folder == catalog.project else BUILTIN
        try:
            with path.open(encoding="utf-8", newline="") as file:
                return cls(path.resolve(), file.read())
        except (OSError, UnicodeDecodeError) as error:
            raise BrokenData(
                f"The catalog {path} cannot be read.", why=str(error), next_step=f"Correct {path}."
            ) from error


def check_keeping(catalog: Catalog, environment: Environment, *, writes: bool) -> None:
    """Refuse, before hours are spent, what could not be written; raises BadInput."""
    if environment.folder != catalog.project and not is_checkout():
        raise BadInput(
            f"The environment {environment.name} belongs to envguard itself, which is installed here.",
            why="its editions and locks are part of the installed package",
            next_step="Install a newer envguard, or work in a checkout of envguard or in a project.",
        )
    if writes:
        check_writable(environment)
    text = CatalogFile.of(environment, catalog).text
    for line in lines_of(environment):
        written_edition(text, environment.name, line.newest.name)


def keep(catalog: Catalog, renewed: Renewed, date: str) -> Iterator[Path]:
    """Write what is worth keeping of a renewal, edition by edition; the files that were written.

    `date` (RFC 3339) is told in the catalog. Where a project is trusted, what is written is trusted with it.
    """
    environment, project = renewed.environment, catalog.project
    own = environment.folder == project
    trusted = own and not catalog.allowed and is_allowed(catalog)
    for each in renewed.kept:
        written = _replace_locks(environment, each) if each.replaces else _add(catalog, environment, each, date)
        if trusted and project is not None:
            for path in (each for each in written if each.suffix in (".txt", ".toml")):
                allow_written(project, path if path.suffix == ".txt" else project / PROJECT_FILE)
        yield from written


def _add(catalog: Catalog, environment: Environment, tried: Tried, date: str) -> list[Path]:
    """Write a new edition: its locks and proofs, then the catalog."""
    file = CatalogFile.of(environment, catalog)
    text = _with(file, environment, tried, date)
    _refuse_other(text, catalog, environment, tried.edition)
    written = _write_locks(environment, tried)
    mode = file.path.stat().st_mode
    write_record(file.path, text.encode())
    file.path.chmod(mode)
    return [*written, file.path]


def _replace_locks(environment: Environment, tried: Tried) -> list[Path]:
    """Put an edition's new locks in the place of its own; wherever that ends, each is one whose proof is there."""
    name = tried.edition.name
    path = proofs_path(environment.lockfiles, environment.name, name)
    old, new = read_proofs(path), tried.proofs[name]
    write_proofs(path, (*old, *new))
    written = []
    for lock in tried.locks.values():
        written.append(lock_path(environment.lockfiles, environment.name, name, lock.python))
        write_record(written[-1], lock.text().encode())
    write_proofs(path, reduce(with_proof, new, old))
    return [*written, path]


def _with(file: CatalogFile, environment: Environment, tried: Tried, date: str) -> str:
    edition = tried.edition
    if edition.name in editions_in(file.text, environment.name):
        raise _changed(environment)
    values = written_edition(file.text, environment.name, tried.beside)
    values.pop("offered", None)
    if not edition.offered:
        values = {"offered": False, **values}
    values["requirements"] = list(edition.requirements)
    if edition.overrides:
        values["overrides"] = list(edition.overrides)
    comment = (FOUND if edition.offered else FAILED).format(date=date[:10])
    return with_edition(
        file.text, NewEdition(environment.name, edition.name, values, comment, tried.beside, tried.before)
    )


def _refuse_other(text: str, catalog: Catalog, environment: Environment, edition: Edition) -> None:
    """Refuse to write a catalog in which the edition is not the one that was tried."""
    own = environment.folder == catalog.project
    read = catalog_from(
        parse_toml(text),
        source=PROJECT_FILE if own else BUILTIN.name,
        lockfiles=environment.lockfiles,
        folder=environment.folder,
        base=builtin_catalog() if own else NOTHING,
    )
    if read.environments[environment.name].edition(edition.name) != edition:
        raise _changed(environment)


def _changed(environment: Environment) -> BadInput:
    return BadInput(
        f"The catalog changed while {environment.name} was renewed; it was left as it is now.",
        next_step="Run `envguard renew` again.",
    )


def _write_locks(environment: Environment, tried: Tried) -> list[Path]:
    """Put the folder of an edition's locks and proofs in its place, in one step; the files in it."""
    name = tried.edition.name
    folder = environment.lockfiles / environment.name / name
    part = f".{name}.part"
    remove_tree(folder.with_name(part), ignore_errors=True)
    for lock in tried.locks.values():
        path = lock_path(environment.lockfiles, environment.name, part, lock.python)
        write_record(path, lock.text().encode())
    write_proofs(proofs_path(environment.lockfiles, environment.name, part), tried.proofs[name])
    remove_tree(folder, ignore_errors=True)
    replace(folder.with_name(part), folder)
    sync_folder(folder.parent)
    return sorted(folder.iterdir())

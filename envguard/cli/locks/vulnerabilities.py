"""`envguard vulnerabilities`: compare a lock with advisories that the user names."""

from __future__ import annotations

from typing import Annotated

import typer

from envguard.cli.locks.export import lock_of_choice
from envguard.cli.options import (
    EditionOption,
    EnvironmentArgument,
    FrozenOption,
    JsonOption,
    OfflineOption,
    PythonOption,
)
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of, chosen_environments, for_each
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.locks.lockfile import Lock
from envguard.running.advisories.matching import Comparison, compare
from envguard.running.advisories.reading import advisories_from


def vulnerabilities(
    ctx: typer.Context,
    name: EnvironmentArgument,
    advisories: Annotated[
        str,
        typer.Option(
            metavar="FILE|URL",
            help="Advisories as OSV writes them (one, a list, or an answer of its service), or a report of "
            "pip-audit --format json.",
        ),
    ],
    edition: EditionOption = None,
    python: PythonOption = None,
    offline: OfflineOption = False,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the packages of an environment's lock with advisories that you name; nothing is built or sent.

    Exit codes: 0 none is known; 1 some are, or the advisories do not judge every package; 2 they cannot be read.
    """
    catalog = catalog_of(ctx.obj)
    (environment,) = chosen_environments(catalog, [name])
    with screen() as receive:
        selection = Selection(name, for_each([name], edition), offline=offline, frozen=frozen)
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        lock = lock_of_choice(workshop, environment, edition, python)
    raw = advisories_from(advisories, ctx.obj.environ, offline=offline)
    try:
        compared = compare(raw, [(package.name, package.version) for package in lock.packages])
    except ValueError as error:
        raise BadInput(
            "The advisories cannot be used.",
            why=f"the document {error}",
            next_step="Name a document of OSV's, or a report of `pip-audit --format json`.",
        ) from error
    typer.echo(document_text(_document(lock, compared)) if as_json else printable(_text(lock, compared)))
    if compared.found or compared.unjudged:
        raise typer.Exit(1)


def _document(lock: Lock, compared: Comparison) -> dict[str, object]:
    return {
        "environment": lock.environment,
        "edition": lock.edition,
        "python": lock.python,
        "lock": lock.digest,
        "packages": len(lock.packages),
        "advisories": compared.advisories,
        "vulnerabilities": [each.as_json() for each in compared.found],
        "unjudged": [{"package": package, "why": why} for package, why in compared.unjudged],
    }


def _text(lock: Lock, compared: Comparison) -> str:
    lines = []
    for each in compared.found:
        also = f" ({', '.join(each.aliases)})" if each.aliases else ""
        mended = f"; mended in {', '.join(each.mended)}" if each.mended else "; no version that mends it is named"
        lines += [
            f"{each.package} {each.version}: {each.advisory}{also}{mended}",
            *([f"  {each.summary}"] if each.summary else []),
        ]
    lines += [f"{package}: not judged, {why}" for package, why in compared.unjudged]
    what = f"{lock.environment} {lock.edition} on Python {lock.python}: {len(lock.packages)} packages"
    lines.append(f"{what}, {len(compared.found)} vulnerabilities known to {compared.advisories} advisories")
    return "\n".join(lines)

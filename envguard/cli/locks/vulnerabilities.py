"""`envguard vulnerabilities`: compare a lock with advisories, or ask a service; the user names either."""

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
from envguard.running.advisories.services import Service, compare_with


def vulnerabilities(
    ctx: typer.Context,
    name: EnvironmentArgument,
    advisories: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL",
            help="Advisories as OSV writes them (one, a list, or an answer of its service), or a report of "
            "pip-audit --format json.",
        ),
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(
            metavar="osv=URL|pypi=URL",
            help="Ask a service that answers as OSV's (POST URL/v1/query) or as PyPI's JSON API (GET "
            "URL/NAME/VERSION/json). It is sent the names and versions of the packages.",
        ),
    ] = None,
    edition: EditionOption = None,
    python: PythonOption = None,
    offline: OfflineOption = False,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the packages of an environment's lock with advisories or by a service that you name; nothing is built.

    Nothing is sent to anybody unless you name a service. It is not asked about wheels of the project's own, or about
    packages that come from an index of their own.

    Exit codes: 0 none is known; 1 some are, or the advisories do not judge every package; 2 they cannot be read.
    """
    if (advisories is None) == (service is None):
        raise BadInput("Name either advisories or a service.", next_step="--advisories FILE, or --service osv=URL")
    named = Service.parse(service) if service else None
    catalog = catalog_of(ctx.obj)
    (environment,) = chosen_environments(catalog, [name])
    with screen() as receive:
        selection = Selection(name, for_each([name], edition), offline=offline, frozen=frozen)
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        lock = lock_of_choice(workshop, environment, edition, python)
        variables = ctx.obj.environ
        if named:
            compared, by = compare_with(named, lock.packages, variables, offline=offline), "that service"
        else:
            compared = _with_document(lock, advisories_from(str(advisories), variables, offline=offline))
            by = f"{compared.advisories} advisories"
    typer.echo(document_text(_document(lock, compared)) if as_json else printable(_text(lock, compared, by)))
    if compared.found or compared.unjudged:
        raise typer.Exit(1)


def _with_document(lock: Lock, raw: bytes) -> Comparison:
    try:
        return compare(raw, [(package.name, package.version) for package in lock.packages])
    except ValueError as error:
        raise BadInput(
            "The advisories cannot be used.",
            why=f"the document {error}",
            next_step="Name a document of OSV's, or a report of `pip-audit --format json`.",
        ) from error


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


def _text(lock: Lock, compared: Comparison, by: str) -> str:
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
    lines.append(f"{what}, {len(compared.found)} vulnerabilities known to {by}")
    return "\n".join(lines)

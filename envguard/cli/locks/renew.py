"""`envguard renew`: newer releases of what environments lead with become editions, if they work here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from envguard.catalog import Environment
from envguard.cli.options import EnvironmentsArgument, JsonOption
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import catalog_of, environments_to_write_to
from envguard.cli.session import Session
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.clock import utc_now
from envguard.errors import NoEnvironment
from envguard.planning import platform_of
from envguard.report.renewal import RenewalReport, renewal_report, renewal_text, renewals_json
from envguard.running.environments.keeping import check_keeping, keep
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.proving import lead_links_on
from envguard.running.environments.renewing import before_and_after
from envguard.running.environments.renewing import renew as try_newer
from envguard.trust.allowing import require_allowed


def renew(
    ctx: typer.Context,
    names: EnvironmentsArgument = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Lock and prove newer releases as always, but write nothing.")
    ] = False,
    prereleases: Annotated[bool, typer.Option("--pre", help="Consider pre-releases too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the package index for newer releases of what environments lead with; make editions of those that work.

    An environment leads with the first package that its editions pin. A newer release is locked and proved on every
    Python that this host has. If it works, it is written as an edition, before the one that it was made from unless it
    lacks a Python of that; if its check fails, it is put on record, and never chosen. An edition without pins gets new
    locks, if they work wherever the present ones do.

    Exit codes: 0 done, or nothing is newer; 1 a newer release does not work; 3 the package index cannot be reached.
    """
    session: Session = ctx.obj
    catalog = catalog_of(session)
    chosen = environments_to_write_to(catalog, names)
    require_allowed(catalog)
    for environment in chosen:
        check_keeping(catalog, environment, writes=not dry_run)
    reports = []
    for name in dict.fromkeys(environment.name for environment in chosen):
        reports.append(_renewed(session, name, dry_run=dry_run, prereleases=prereleases))
        if not as_json:
            typer.echo(printable(renewal_text(reports[-1])))
    if dry_run and not as_json and any(report.renewed.kept for report in reports):
        typer.echo("Nothing was written, because of --dry-run.")
    if as_json:
        typer.echo(document_text(renewals_json(reports, dry_run=dry_run)))
    tried = [each for report in reports for each in report.renewed.tried]
    raise typer.Exit(0 if all(each.works and each.is_kept for each in tried) else 1)


def _renewed(session: Session, name: str, *, dry_run: bool, prereleases: bool) -> RenewalReport:
    """One environment: of the catalog as it is now, because the one before may have written to it."""
    catalog = catalog_of(session)
    environment: Environment = catalog.environments[name]
    with screen() as receive:
        workshop = open_workshop(session, catalog, receive)
        _require_python(workshop)
        renewed = try_newer(workshop, environment, prereleases=prereleases)
        states, now = before_and_after(renewed), utc_now()
        written = [] if dry_run else list(keep(catalog, renewed, now))
        lead_links_on(open_workshop(session, catalog_of(session), receive), name)
    platform = platform_of(workshop.host.usable[0])
    return renewal_report(renewed, states, platform, now, [_shown(path, session.cwd) for path in written])


def _require_python(workshop: Workshop) -> None:
    if not workshop.host.usable:
        raise NoEnvironment(
            "This host has no usable Python to prove anything on.",
            next_step="`envguard probe` shows which Pythons it has, and why none is usable.",
        )


def _shown(path: Path, cwd: Path) -> str:
    return Path(os.path.relpath(path, cwd)).as_posix()

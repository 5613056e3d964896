"""`envguard doctor` and `envguard report-bug`: what is wrong with this host or an environment, and what to send."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from envguard.catalog import builtin_catalog
from envguard.cli.event_lines import line_for
from envguard.cli.hiding import hidden, hidden_document
from envguard.cli.options import JsonOption
from envguard.cli.printing import document_text
from envguard.cli.selection import catalog_of
from envguard.cli.session import Session
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.doctor.bug_report import bug_report, plans_as_text
from envguard.doctor.environments.curing import Surroundings
from envguard.doctor.environments.examining import examine_environment
from envguard.doctor.examination import Examined, examine_host
from envguard.doctor.finding import Finding
from envguard.errors import BadInput, EnvguardError
from envguard.files import check_place, write_output
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.recorded import prune_unneeded
from envguard.running.environments.repairing import repair
from envguard.running.events import Event
from envguard.store.home import envguard_home
from envguard.store.inventory import inventory
from envguard.store.locking import is_being_built


def doctor(
    ctx: typer.Context,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python", metavar="PATH", help="Examine this environment instead of the host: its Python or its folder."
        ),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="List what envguard can repair in its own store, then repair it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask for confirmation.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not contact the package index.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find what stops things from working on this host or in an environment, with evidence and a remedy.

    Changes nothing without --fix. Exit codes: 0 healthy, perhaps with notes; 1 something was found.
    """
    if python is not None and fix:
        raise BadInput(
            "--fix repairs only envguard's own store.", next_step="Leave out --fix; each finding names its remedy."
        )
    findings = _of_environment(ctx.obj, python) if python is not None else _of_host(ctx.obj, offline=offline)
    if as_json:
        healthy = not any(each.level == "finding" for each in findings)
        typer.echo(
            document_text(
                {
                    "healthy": healthy,
                    "findings": hidden_document([each.as_json() for each in findings]),
                }
            )
        )
    else:
        _show(findings)
    if fix:
        _fix(ctx.obj, yes=yes)
        findings = _of_host(ctx.obj, offline=offline)
    raise typer.Exit(1 if any(each.level == "finding" for each in findings) else 0)


def report_bug(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", metavar="FILE", help="The file to write.")] = Path(
        "envguard-report.md"
    ),
) -> None:
    """Write one file to attach to a bug report: versions, host, plans, recent logs; secrets and home folder masked."""
    check_place(output.absolute())
    workshop = _workshop(ctx.obj)
    plans: dict[str, object] = {}
    for name in workshop.catalog.environments:
        try:
            plans[name] = str(workshop.plan(name).candidates[0])
        except EnvguardError as error:
            plans[name] = {"error": error.what, "why": error.why}
    text = bug_report(
        store=workshop.home,
        home=Path.home(),
        environ=ctx.obj.environ,
        host=workshop.host,
        findings=_of_host(ctx.obj, offline=False),
        plans=plans_as_text(plans),
    )
    try:
        write_output(output.absolute(), text.encode())
    except OSError as error:
        raise BadInput(f"{output} cannot be written.", why=str(error), next_step="Name another --output.") from error
    typer.echo(f"{output}: read it before you send it: it contains names of files and packages.")


def _of_host(session: Session, *, offline: bool) -> tuple[Finding, ...]:
    environments = tuple(builtin_catalog().environments.values())
    return examine_host(Examined(envguard_home(), Path.home(), session.environ, environments), index=not offline)


def _of_environment(session: Session, python: Path) -> tuple[Finding, ...]:
    return examine_environment(python.expanduser(), Surroundings(session.cwd, Path.home(), session.environ))


def _show(findings: Sequence[Finding]) -> None:
    ordered = sorted(findings, key=lambda each: each.level)  # findings stand before notes, roots before what follows
    for check, group in groupby(ordered, key=lambda each: each.check):
        typer.echo(f"{check}")
        for each in group:
            mark = "!" if each.level == "finding" else "-"
            typer.echo(printable(hidden(f"  {mark} {each.what}\n      {each.evidence}")))
            if each.remedy:
                typer.echo(printable(hidden(f"      → {each.remedy}")))
            for command in each.commands:
                typer.echo(printable(hidden(f"        $ {command}")))
    found = sum(each.level == "finding" for each in findings)
    notes = len(findings) - found
    typer.echo(f"{found} findings, {notes} notes." if found else f"Healthy; {notes} notes.")


def _fix(session: Session, *, yes: bool) -> None:
    """Repair the store: list everything first, then rebuild what is damaged and remove what no run will use again."""
    workshop = _workshop(session)
    damaged = [row.folder for row in inventory(workshop.home) if row.why_not and not is_being_built(row.folder)]
    for folder in damaged:
        typer.echo(printable(f"would rebuild {folder.name}, or remove it if nothing leads to it any more"), err=True)
    for each in prune_unneeded(workshop.home, workshop.catalog, dry_run=True).removed:
        typer.echo(printable(f"would remove {each.path} ({each.bytes / 1e6:,.1f} MB): {each.why}"), err=True)
    if not yes and not (sys.stdin.isatty() and typer.confirm("Do this?", err=True)):
        typer.echo("Nothing was changed; `envguard doctor --fix --yes` does it without asking.", err=True)
        return
    for folder in damaged:
        done = repair(folder, workshop)
        typer.echo(printable(f"{folder.name}: {done.why or 'rebuilt and proved'}"), err=True)
    for each in prune_unneeded(workshop.home, workshop.catalog, dry_run=False).removed:
        typer.echo(printable(f"removed {each.path}"), err=True)


def _workshop(session: Session) -> Workshop:
    def receive(event: Event) -> None:
        line = line_for(event)
        if line:
            typer.echo(line, err=True)

    return open_workshop(session, catalog_of(session), receive)

"""`envguard trust`: allow a project to run, by its content; see and take back what was allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envguard.catalog.projects import PROJECT_FILE, PROJECT_VARIABLE, load_catalog
from envguard.cli.options import JsonOption
from envguard.cli.printing import document_text
from envguard.cli.session import Session
from envguard.cli.text import printable
from envguard.errors import BadInput, EnvguardError
from envguard.trust.allowing import Standing, allow, standing_of
from envguard.trust.changes import shortened
from envguard.trust.records import Record, all_records, delete_record


def trust(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The project's folder. Default: the nearest one upwards.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Only print what the project does, or what changed since you trusted it.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Trust the project no longer.")] = False,
    every: Annotated[bool, typer.Option("--list", help="List the projects that you trust.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Allow the project here to run its steps and checks, until something of it changes.

    What counts is the content of envguard.toml, of its locks, and of the files that steps and checks name or can
    import. What envguard itself writes there stays trusted.

    Exit codes: 0 done, or with --show: it is trusted; 1 with --show: it is not; 2 there is no project.
    """
    if sum((show, revoke, every)) > 1 or (every and folder is not None):
        raise BadInput(
            "--show, --revoke and --list exclude each other, and --list takes no folder.", next_step="Keep one of them."
        )
    if every:
        _list(as_json=as_json)
    elif revoke:
        _revoke(ctx.obj, folder, as_json=as_json)
    else:
        standing = _standing(ctx.obj, folder)
        if not show:
            allow(standing)
        _tell(standing, show=show, as_json=as_json)
        raise typer.Exit(1 if show and not standing.allowed else 0)


def _tell(standing: Standing, *, show: bool, as_json: bool) -> None:
    if as_json:
        changed = [{"file": each.file, "change": each.kind} for each in standing.changed]
        document = {
            "project": str(standing.project),
            "trusted": standing.allowed or not show,
            "files": len(standing.content),
            "changes": changed,
        }
        typer.echo(document_text(document))
        return
    if not standing.allowed:
        typer.echo(printable(standing.text() if show else shortened(standing.text())))
    state = "trusted" if standing.allowed or not show else "not trusted"
    typer.echo(printable(f"{standing.project}: {state}, {len(standing.content)} files"))


def _list(*, as_json: bool) -> None:
    rows = [(record, _state(record)) for record in all_records()]
    if as_json:
        listed = [{"project": str(each.project), "date": each.date, "state": state} for each, state in rows]
        typer.echo(document_text({"projects": listed}))
        return
    for each, state in rows:
        typer.echo(printable(f"{each.project}: {state}, since {each.date}"))
    if not rows:
        typer.echo("You trust no project yet; `envguard trust` in its folder does.")


def _state(record: Record) -> str:
    """Whether what was allowed is still what is there."""
    if not (record.project / PROJECT_FILE).is_file():
        return "gone"
    try:
        standing = standing_of(load_catalog(record.project, {PROJECT_VARIABLE: str(record.project)}))
    except EnvguardError:
        return "changed"
    return "trusted" if standing is not None and standing.allowed else "changed"


def _revoke(session: Session, folder: Path | None, *, as_json: bool) -> None:
    project = folder.expanduser().absolute() if folder is not None else _standing(session, None).project
    known = delete_record(project)
    if as_json:
        document = {"project": str(project), "trusted": False, "was_trusted": known}
        typer.echo(document_text(document))
        return
    typer.echo(printable(f"{project}: {'no longer trusted' if known else 'was not trusted'}"))


def _standing(session: Session, folder: Path | None) -> Standing:
    environ = dict(session.environ)
    if folder is not None:
        environ[PROJECT_VARIABLE] = str(folder)
    standing = standing_of(load_catalog(session.cwd, environ))
    if standing is None:
        raise BadInput(
            "There is no project here to trust.",
            why=f"neither {session.cwd} nor a folder above it has an {PROJECT_FILE}; the built-in catalog is trusted",
            next_step="Go to the project's folder, or name it: envguard trust DIR.",
        )
    return standing

"""`envguard setup`: from a fresh clone to the first command in one go."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from envguard.catalog import Catalog
from envguard.cli.failure import show_error
from envguard.cli.options import BackendOption, BaseOption, FindLinksOption, FrozenOption, JsonOption, OfflineOption
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of
from envguard.cli.text import printable, width_of
from envguard.cli.wing import wing
from envguard.cli.workshop import open_workshop
from envguard.report.setup import SetupReport, setup_text
from envguard.running.environments.setting_up import needed_here, next_command, set_up


def setup(
    ctx: typer.Context,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    backend: BackendOption = None,
    base: BaseOption = None,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make this machine ready for the project here, or for the built-in tasks if there is none; say what to type next.

    Finds Pythons, then builds and proves each environment that is not ready. If all are ready, nothing changes.

    Exit codes: 0 all are ready; 2 bad input; 3 at least one is not available here.
    """
    start = time.perf_counter()
    catalog = catalog_of(ctx.obj)
    names = needed_here(catalog)
    selection = Selection(find_links=find_links, offline=offline, backend=backend, base=base, frozen=frozen)
    with screen() as receive:
        workshop = open_workshop(ctx.obj, catalog, receive, selection)
        found = set_up(names, workshop)
        seconds = time.perf_counter() - start
    command = _next(catalog, names)
    report = SetupReport(tuple(found), seconds, workshop.host, catalog.project, workshop.home, command)
    typer.echo(document_text(report.as_json()) if as_json else printable(setup_text(report, width_of(sys.stdout))))
    for error in report.errors:
        show_error(error)
    raise typer.Exit(max((error.exit_code for error in report.errors), default=0))


def _next(catalog: Catalog, names: Sequence[str]) -> tuple[str, ...]:
    """The command line to type next, with the name that starts envguard from here."""
    models: list[str] = []
    with contextlib.suppress(OSError):  # an unreadable folder has none to offer
        models = wing().offered_models(Path.cwd())
    return (_own_name(), *next_command(catalog, names, models))


def _own_name() -> str:
    """`envguard` where a shell finds that, else the path of the command beside this Python."""
    beside = Path(sys.executable).with_name("envguard")
    if shutil.which("envguard") or not beside.exists():
        return "envguard"
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)

"""`envguard matrix`: what is known to work here, what is known to fail and why, and what nobody knows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from envguard.catalog import Catalog
from envguard.cli.diagnosis.known_causes import cause_of
from envguard.cli.options import EnvironmentsArgument, JsonOption
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import catalog_of, chosen_environments
from envguard.cli.session import Session
from envguard.cli.text import printable, width_of
from envguard.cli.workshop import open_workshop
from envguard.clock import utc_now
from envguard.errors import NoEnvironment
from envguard.locks.audited_platforms import PLATFORMS, audited_platform
from envguard.locks.platforms import Platform
from envguard.planning import platform_of
from envguard.report.matrix import Recorded, matrix_of, matrix_text
from envguard.report.story import story_markdown
from envguard.running.environments.recorded import recorded_audits, recorded_locks, recorded_proofs
from envguard.table_reader import unknown_name


def matrix(
    ctx: typer.Context,
    names: EnvironmentsArgument = None,
    platform: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What is known of another platform, such as macos-arm64 or windows-x86_64."),
    ] = None,
    as_json: JsonOption = False,
    story: Annotated[
        bool, typer.Option("--story", help="Print a page in Markdown: what works, and why the rest does not.")
    ] = False,
) -> None:
    """Show each edition on each Python of this platform: works, fails (with the reason), audited, or not tried.

    Only recorded trials of exactly the present lock count; `envguard prove` makes them. One of more than 90 days ago is
    shown as old. *Audited* is what nobody tried, but whose wheels `envguard audit` has read.
    """
    catalog = catalog_of(ctx.obj)
    chosen = chosen_environments(catalog, names)
    environments = [(each, recorded_locks(each), recorded_proofs(each)) for each in chosen]
    audits = {each.name: recorded_audits(each) for each in chosen}
    place = _elsewhere(platform, environments) if platform else _here(ctx.obj, catalog)
    known = matrix_of(environments, place, utc_now(), audits)
    if story:
        typer.echo(printable(story_markdown(known, cause_of)), nl=False)
        return
    width = width_of(sys.stdout) if sys.stdout.isatty() else None
    typer.echo(document_text(known.as_json()) if as_json else printable(matrix_text(known, width)))


def _here(session: Session, catalog: Catalog) -> Platform:
    with screen() as receive:
        usable = open_workshop(session, catalog, receive).host.usable
    if not usable:
        raise NoEnvironment(
            "This host has no usable Python.",
            next_step="`envguard probe` shows which Pythons it has, and why none is usable.",
        )
    return platform_of(usable[0])


def _elsewhere(name: str, environments: Sequence[Recorded]) -> Platform:
    """A platform that this host need not be: with glibc, or the newest system that something was proved on."""
    place = audited_platform(name)
    if not place.recorded:
        raise unknown_name("There is no platform", name, PLATFORMS)
    proved = (proof for _, _, proofs in environments for each in proofs.values() for proof in each)
    versions = [proof.os_version for proof in proved if proof.platform == name]
    newest = max(versions, key=lambda each: [int(part) for part in each.split(".") if part.isdigit()], default="")
    return Platform(name, "glibc" if place.system == "linux" else "", newest)

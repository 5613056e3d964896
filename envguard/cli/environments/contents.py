"""`envguard tree|licenses`: what is in an environment, from the metadata of what is installed."""

from __future__ import annotations

from typing import Annotated

import typer
from packaging.utils import canonicalize_name

from envguard.cli.environments.ready import prepare
from envguard.cli.options import EditionOption, EnvironmentArgument, FrozenOption, JsonOption, PythonOption
from envguard.cli.printing import document_text
from envguard.cli.selection import Selection, for_each
from envguard.cli.session import session_of
from envguard.cli.text import printable
from envguard.errors import BadInput
from envguard.host.platform import marker_environment
from envguard.report.contents import chains_text, licenses_json, licenses_text, tree_json, tree_text
from envguard.running.contents.packages import dependency_graph, read_packages
from envguard.running.environments.prepared import Prepared


def tree(
    ctx: typer.Context,
    name: EnvironmentArgument,
    why: Annotated[
        str | None, typer.Option("--why", metavar="PACKAGE", help="Show only the ways that lead to this package.")
    ] = None,
    edition: EditionOption = None,
    python: PythonOption = None,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show which package of an environment requires which, or why one is there; build it first if it is not ready.

    It is read from the metadata of what is installed on this host, so markers count as they do here.
    """
    prepared = _prepared(ctx, name, edition, python, frozen=frozen)
    chosen = prepared.candidate
    packages = read_packages(prepared.built.layout.site_packages)
    asked = (*chosen.edition.requirements, *(each.name for each in chosen.lock.own))
    graph = dependency_graph(packages, asked, marker_environment(chosen.interpreter))
    wanted = canonicalize_name(why or "")
    if wanted and wanted not in packages:
        raise BadInput(
            f"{chosen} has no package {why!r}.", next_step=f"`envguard tree {name}` shows those that it has."
        )
    if as_json:
        typer.echo(document_text({**_which(prepared), **tree_json(graph, wanted)}))
    else:
        typer.echo(printable(chains_text(graph, wanted) if wanted else tree_text(graph)))


def licenses(
    ctx: typer.Context,
    name: EnvironmentArgument,
    edition: EditionOption = None,
    python: PythonOption = None,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the licenses of an environment's packages, as their metadata names them; build it first if it is not ready.

    The first of these fields counts: License-Expression, classifiers, License. What none of them names is unknown.
    """
    prepared = _prepared(ctx, name, edition, python, frozen=frozen)
    packages = read_packages(prepared.built.layout.site_packages)
    if as_json:
        typer.echo(document_text({**_which(prepared), **licenses_json(packages)}))
    else:
        typer.echo(printable(licenses_text(packages)))


def _prepared(ctx: typer.Context, name: str, edition: str | None, python: str | None, *, frozen: bool) -> Prepared:
    selection = Selection(name, for_each([name], edition), for_each([name], python), frozen=frozen, editable=True)
    return prepare(session_of(ctx), selection)[1]


def _which(prepared: Prepared) -> dict[str, object]:
    chosen = prepared.candidate
    return {
        "environment": chosen.environment.name,
        "edition": chosen.edition.name,
        "python": chosen.interpreter.version_text,
        "lock": chosen.lock.digest,
    }

"""`envguard audit`: what the wheels of locks say of themselves, for platforms that one does not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from envguard.catalog import Edition, Environment, builtin_catalog
from envguard.cli.options import EditionOption, EnvironmentsArgument, JsonOption, PythonOption
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import catalog_of, chosen_editions, environments_to_write_to, require_python_of
from envguard.cli.text import printable
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.locks.audited_platforms import USUAL, audited_platform
from envguard.payload.contract import to_json
from envguard.planning import platform_of
from envguard.running.environments.auditing import Auditor, AuditTrial
from envguard.running.environments.preparing import Workshop


def audit(
    ctx: typer.Context,
    names: EnvironmentsArgument = None,
    edition: EditionOption = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="macos-arm64, macos-x86_64, windows-x86_64, windows-arm64, linux-x86_64 or linux-aarch64; several if "
            "it is repeated. A wheel platform tag, such as manylinux_2_28_aarch64, asks about that version of the "
            "system, and nothing is recorded. Default: the usual platforms that this host is not.",
        ),
    ] = None,
    python: PythonOption = None,
    all_pythons: Annotated[
        bool, typer.Option("--all-pythons", help="Audit for every Python of the edition, not only the preferred one.")
    ] = False,
    all_editions: Annotated[
        bool, typer.Option("--all-editions", help="Audit every edition, not only the preferred one.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch a lock's wheels for another platform, read their native modules, and record what keeps them from loading.

    Nothing of the wheels is installed or run. Errors are what no machine of that platform can load; notes depend on the
    machine. Results are in audits.json beside the locks; `envguard matrix --platform NAME` shows them.

    Exit codes: 0 nothing was found that keeps modules from loading; 1 something was, or a package has no wheel for the
    platform; 3 the package index cannot be reached.
    """
    if python and all_pythons:
        raise BadInput("--python and --all-pythons contradict each other.", next_step="Leave one of them out.")
    asked = [audited_platform(name) for name in platform or ()]
    catalog = catalog_of(ctx.obj)
    wanted = [
        (environment, each)
        for environment in environments_to_write_to(catalog, names)
        for each in chosen_editions(environment, edition, every=all_editions)
    ]
    trials: list[AuditTrial] = []
    with screen() as receive:
        auditor = Auditor(open_workshop(ctx.obj, catalog, receive), open_workshop(ctx.obj, builtin_catalog(), receive))
        places = asked or [audited_platform(name) for name in _elsewhere(auditor.workshop)]
        for environment, each in wanted:
            for minor in _pythons(environment, each, python, all_pythons):
                for place in places:
                    trials.append(auditor.audit(environment, each, minor, place))
                    if not as_json:
                        typer.echo(printable(_text(trials[-1])))
    if as_json:
        document = {"audits": [_document(each) for each in trials]}
        typer.echo(document_text(document))
    raise typer.Exit(0 if all(each.audit and each.audit.good for each in trials) else 1)


def _elsewhere(workshop: Workshop) -> list[str]:
    """The usual platforms, without this host's."""
    here = {platform_of(each).name for each in workshop.host.usable[:1]}
    return [name for name in USUAL if name not in here]


def _pythons(environment: Environment, edition: Edition, python: str | None, every: bool) -> Iterator[str]:
    require_python_of(environment, edition, python)
    yield from [python] if python else edition.pythons if every else edition.pythons[:1]


def _text(trial: AuditTrial) -> str:
    what = f"{trial.environment} {trial.edition} on Python {trial.python}, {trial.platform}"
    if trial.audit is None:
        return f"{what}: cannot be audited, {trial.why_not}"
    verdict = "audited, nothing wrong" if trial.audit.good else "audited, and it cannot work"
    where = "" if trial.kept else "; not recorded"
    lines = [f"{what}: {verdict} ({trial.audit.modules} native modules, {trial.audit.reader}{where})"]
    for each in trial.findings:
        lines.append(f"  {'!' if each.level == 'error' else '-'} {each.text}")
        if each.level == "error":
            lines.append(f"      {_some(each.modules)}")
    return "\n".join(lines)


def _some(modules: Sequence[str], most: int = 3) -> str:
    more = f" and {len(modules) - most} more" if len(modules) > most else ""
    return ", ".join(modules[:most]) + more


def _document(trial: AuditTrial) -> dict[str, object]:
    return {
        "environment": trial.environment,
        "edition": trial.edition,
        "python": trial.python,
        "platform": trial.platform,
        "why_not": trial.why_not,
        "recorded": trial.kept,
        "audit": trial.audit and trial.audit.as_json(),
        "findings": [to_json(each) for each in trial.findings],
    }

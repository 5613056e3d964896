"""`envguard prove`: try locks for real on this host and record what came of it beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from envguard.catalog import Edition, Environment
from envguard.cli.options import EditionOption, EnvironmentsArgument, JsonOption, PythonOption
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import catalog_of, chosen_editions, environments_to_write_to, require_python_of
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput
from envguard.planning import best_interpreter
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.proving import LockTrial, check_writable, lead_links_on
from envguard.running.environments.proving import prove as try_for_real


def prove(
    ctx: typer.Context,
    names: EnvironmentsArgument = None,
    edition: EditionOption = None,
    python: PythonOption = None,
    all_pythons: Annotated[
        bool, typer.Option("--all-pythons", help="Try every Python of the edition, not only the preferred one here.")
    ] = False,
    all_editions: Annotated[
        bool, typer.Option("--all-editions", help="Try every edition, including those known to be bad.")
    ] = False,
    emulated: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Record that NAME ('qemu 10.0') stands in for this host's processor; failed checks are not recorded, "
            "unless a module is missing.",
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Build environments from their locks, run their checks, and record the results in proofs.json.

    Exit codes: 0 all work; 1 at least one does not; 3 the package index cannot be reached.
    """
    if python and all_pythons:
        raise BadInput("--python and --all-pythons contradict each other.", next_step="Leave one of them out.")
    if not emulated.isprintable():
        raise BadInput(
            "--emulated takes a name of printable characters.", next_step="Give one, such as --emulated 'qemu 10.0'."
        )
    catalog = catalog_of(ctx.obj)
    wanted = [
        (environment, each)
        for environment in environments_to_write_to(catalog, names)
        for each in chosen_editions(environment, edition, every=all_editions)
    ]
    trials: list[LockTrial] = []
    with screen() as receive:
        workshop = open_workshop(ctx.obj, catalog, receive)
        for environment, each in wanted:
            check_writable(environment)
            for minor in _pythons(workshop, environment, each, python, all_pythons):
                trials.append(try_for_real(workshop, environment, each, minor, emulated=emulated))
                if not as_json:
                    typer.echo(_line(trials[-1]))
        for each_name in {environment.name for environment, _ in wanted}:
            lead_links_on(workshop, each_name)
    if as_json:
        typer.echo(document_text({"trials": [_document(trial) for trial in trials]}))
    raise typer.Exit(0 if all(trial.proof and trial.proof.works for trial in trials) else 1)


def _pythons(
    workshop: Workshop, environment: Environment, edition: Edition, python: str | None, every: bool
) -> Iterator[str]:
    """The minors to try: the one asked for, all, or the first that this host has."""
    require_python_of(environment, edition, python)
    here = [minor for minor in edition.pythons if best_interpreter(workshop.host.interpreters, minor)]
    yield from [python] if python else edition.pythons if every else (here or edition.pythons)[:1]


def _line(trial: LockTrial) -> str:
    what = f"{trial.environment} {trial.edition} on Python {trial.python}"
    if trial.proof is None:
        return f"{what}: not tried, {trial.why_not}"
    if trial.proof.works:
        emulated = f" under emulation by {trial.proof.emulated}" if trial.proof.emulated else ""
        return f"{what}: works{emulated} ({trial.proof.check} on {trial.proof.python}, {trial.proof.seconds:.1f} s)"
    return f"{what}: {trial.proof.result}: {trial.proof.reason}"


def _document(trial: LockTrial) -> dict[str, object]:
    return {
        "environment": trial.environment,
        "edition": trial.edition,
        "python": trial.python,
        "why_not": trial.why_not,
        "proof": trial.proof and trial.proof.as_json(),
    }

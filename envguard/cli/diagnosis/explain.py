"""`envguard explain`: the causes and cures of what a tool printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from envguard.cli.diagnosis.known_causes import tell
from envguard.cli.options import JsonOption
from envguard.errors import BadInput


def explain(
    log: Annotated[
        str, typer.Argument(metavar="[LOG|-]", help="A file with what a tool printed, or - for standard input.")
    ] = "-",
    as_json: JsonOption = False,
) -> None:
    """Explain the known errors in a log: cause, evidence and cure. Exit code 1: nothing is known."""
    if log == "-":
        raise typer.Exit(tell(sys.stdin.buffer, as_json=as_json))
    try:
        stream = Path(log).open("rb")  # noqa: SIM115 - closed below; only opening may fail so
    except OSError as error:
        raise BadInput(
            f"The log {log} cannot be read.", why=error.strerror or str(error), next_step="Name another file, or -."
        ) from error
    with stream:
        raise typer.Exit(tell(stream, as_json=as_json))

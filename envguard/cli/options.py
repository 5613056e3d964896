"""The options and arguments that recur, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envguard.backends.table import BACKENDS
from envguard.cli.completing import complete_editions, complete_environments

# Output
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Print the plan and why the alternatives lost; run nothing.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")]
ReceiptOption = Annotated[
    bool, typer.Option(help="Also write OUT.receipt.json, which records all it takes to make OUT again.")
]
FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Run every step, also those whose result for the same inputs is in the store.")
]
AllowSlowerOption = Annotated[
    bool,
    typer.Option("--allow-slower", help="Write the output even if it is slower than the original on this host."),
]
AllowUnverifiedOption = Annotated[
    bool,
    typer.Option("--allow-unverified", help="Write the output even if it could not be compared with the original."),
]

# Which environments
EnvironmentArgument = Annotated[
    str, typer.Argument(metavar="ENV", help="The environment's name.", autocompletion=complete_environments)
]
EnvironmentsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ENV]...", help="Environments. Default: all.", autocompletion=complete_environments),
]

# Which edition and Python: of one environment, or of each that a task uses
EditionOption = Annotated[
    str | None,
    typer.Option(
        "--edition",
        metavar="NAME",
        help="Use this edition instead of the preferred one.",
        autocompletion=complete_editions,
    ),
]
PythonOption = Annotated[
    str | None, typer.Option("--python", metavar="3.X", help="Use this Python instead of the preferred one.")
]
EditionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--edition",
        metavar="[ENV=]NAME",
        autocompletion=complete_editions,
        help="Use this edition instead of the preferred one: 0.9, or verify=1.2 for another of the "
        "task's environments.",
    ),
]
PythonsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--python", metavar="[ENV=]3.X", help="Use this Python instead of the preferred one; ENV as for --edition."
    ),
]

# Where packages come from and where steps run
FindLinksOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--find-links",
        metavar="FOLDER",
        help="Install from this folder of wheels instead of a package index; can be given several times.",
    ),
]
FrozenOption = Annotated[
    bool,
    typer.Option("--frozen", help="Use locks as they are, even if the catalog now asks for something else."),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Do not use the network.")]
BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="|".join(BACKENDS),
        help="Where steps run. Default: ENVGUARD_BACKEND, else on this host, or in containers if no Python here fits.",
    ),
]
BaseOption = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="IMAGE",
        help="The image with a Python to build on; {python} in its name stands for the minor version. "
        "Default: ENVGUARD_BASE_IMAGE, else the catalog's.",
    ),
]

"""`envguard init`: a first envguard.toml, with every part of one in it, explained."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from envguard.adopting.found import Wanted
from envguard.catalog.projects import PROJECT_FILE
from envguard.catalog.shipped import builtin_catalog
from envguard.cli.projects.adopting import adopt
from envguard.errors import BadInput
from envguard.files import write_output
from envguard.trust.allowing import allow_new

# Prose starts with "# "; a part that is only shown starts with "#" alone, so that taking that away makes it count.
TEMPLATE = """\
# The environments and tasks of this project. `envguard list` shows them, `envguard setup` makes them ready.
schema = 1

# The Pythons that environments may run on, the preferred one first; one may name its own.
pythons = [PYTHONS]

# An environment: a set of packages that gets along, apart from every other set and from your own Python.
[environments.pages]
summary = "Turns source files into pages"
# What proves that it works, after each build. Importing is the least; a script that does the real thing proves more:
#   check = { command = ["python", "checks/pages_work.py"] }
check = "checks.imports"
check-options = { modules = ["pygments"] }

# An edition: one version line of it. The first is taken; if its check fails here, the next one is tried.
[environments.pages.editions.2]
requirements = ["pygments>=2.17,<3"]

# Requirements that a package brings and you can do without, or want at another version:
#overrides = ["colorama ; python_version < '0'"]

# Another version line, for when the first cannot be had.
#[environments.pages.editions."2.16"]
#requirements = ["pygments==2.16.*"]

# A task: steps in order, each in an environment, files handed on from step to step.
# `envguard run page envguard.toml -o page.html` runs this one.
[tasks.page]
summary = "Make a page of a source file"
output = "highlight:page"

[[tasks.page.steps]]
name = "highlight"
environment = "pages"
# {input.NAME} and {output.NAME} stand for paths; no shell reads this. A script of the project: "steps/highlight.py".
command = ["python", "-m", "pygments", "-O", "full", "-o", "{output.page}", "{input.source}"]
# task:NAME is a file that the user names; STEP:NAME one that an earlier step made; file:PATH one of the project.
inputs = { source = "task:source" }
outputs = { page = "page.html" }

# Variables that the step needs; of the machine's own it sees next to none.
#[tasks.page.steps.env]
#LC_ALL = "C.UTF-8"

# Where packages come from, for those who have set no index in variables. Never write a password here.
#[index]
#url = "https://mirror.example/simple"
#certificates = "certificates/ca.pem"
#proxy = "http://proxy.example:3128"
"""


def init(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project's folder. Default: the current one.")
    ] = Path(),
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Make the environment of what there is: requirements.txt, pyproject.toml, pylock.toml, uv.lock "
            "or environment.yml.",
        ),
    ] = None,
    extras: Annotated[
        list[str] | None, typer.Option("--extra", metavar="NAME", help="With --from: include this extra as well.")
    ] = None,
    groups: Annotated[
        list[str] | None,
        typer.Option("--group", metavar="NAME", help="With --from: include this dependency group as well."),
    ] = None,
) -> None:
    """Write a commented envguard.toml to start a project from; never overwrite one.

    With --from, the file that is named is read as data, and nothing of it is run; what was left out is said.

    Exit codes: 0 done; 2 there already is one, the folder is not writable, or the file to start from cannot be used.
    """
    file = folder.expanduser() / PROJECT_FILE
    if os.path.lexists(file):
        raise BadInput(
            f"{file} already exists.",
            why="it is never overwritten",
            next_step="Edit it, or name another folder: envguard init DIR.",
        )
    if source is None and (extras or groups):
        raise BadInput("--extra and --group are for --from.", next_step="Name the file with --from FILE.")
    wanted = Wanted(tuple(extras or ()), tuple(groups or ()))
    adopted = adopt(source.expanduser(), wanted, file.absolute().parent, ctx.obj) if source else None
    _write(file, adopted.text if adopted else template())
    with contextlib.suppress(BadInput):  # then the first command that runs something asks
        allow_new(file.absolute().parent)
    where = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    said = "\n".join(f"- {note}" for note in adopted.notes) + "\n" * bool(adopted.notes) if adopted else ""
    explained = f"made from {source}" if adopted else "its comments explain each part"
    trust = "envguard trust && " if adopted and adopted.own else ""
    typer.echo(f"{said}{file} written; {explained}. Next:\n  {where}{trust}envguard lock && envguard setup")


def _write(file: Path, text: str) -> None:
    try:
        write_output(file, text.encode())
    except OSError as error:
        raise BadInput(
            f"The file {file} cannot be written.",
            why=error.strerror or str(error),
            next_step="Name a folder that exists and that you may write to: envguard init DIR.",
        ) from error


def template() -> str:
    """The file, for the Pythons that envguard's own environments are for."""
    return TEMPLATE.replace("PYTHONS", ", ".join(f'"{python}"' for python in builtin_catalog().pythons))

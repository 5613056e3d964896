"""`envguard link`: a path in the project that always leads to the current build, for editors and notebooks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from envguard.cli.environments.ready import prepare
from envguard.cli.options import EditionOption, EnvironmentArgument
from envguard.cli.selection import Selection, catalog_of, for_each
from envguard.cli.session import Session, session_of
from envguard.cli.text import printable
from envguard.errors import BadInput
from envguard.files import write_whole
from envguard.host.jupyter import kernels_folder
from envguard.running.environments.prepared import Prepared
from envguard.store.home import envguard_home
from envguard.store.links import LINKS, Link, make_link, remove_link
from envguard.table_reader import NAME


def link(
    ctx: typer.Context,
    name: EnvironmentArgument,
    called: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The link's name. Default: the environment's.")
    ] = None,
    edition: EditionOption = None,
    kernel: Annotated[
        bool, typer.Option("--kernel", help="Also install a Jupyter kernel of it, if it has ipykernel.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the link, and its kernel.")] = False,
) -> None:
    """Keep .envguard/ENV pointing at the environment's current build, for editors; build it first if need be.

    A symbolic link, on Windows a junction. Every command in the project that builds the environment anew renews it, and
    the store does not remove what it leads to.
    """
    session = session_of(ctx)
    if called is not None and not NAME.fullmatch(called):
        raise BadInput(f"A link cannot be called {called!r}.", next_step="Use a-z, 0-9, '.', '_' and '-'.")
    base = catalog_of(session).project or session.cwd
    path = base / LINKS / (called or name)
    spec = kernels_folder(session.environ) / f"envguard-{base.name}-{called or name}".lower()
    if remove:
        _remove(path, spec)
        return
    prepared = _linked(session, Link(str(path), name, edition or ""), kernel=kernel)
    typer.echo(printable(f"{path}: {prepared.candidate}"))
    if kernel:
        _install_kernel(spec, path, prepared, f"{name} ({base.name})")
        typer.echo(printable(f"{spec}: the kernel that Jupyter shows as {name} ({base.name})"))


def _linked(session: Session, link: Link, *, kernel: bool) -> Prepared:
    selection = Selection(link.environment, for_each([link.environment], link.edition or None), editable=True)
    workshop, prepared = prepare(session, selection)
    if prepared.built.layout.in_image:
        raise BadInput(
            f"{link.environment} is built for containers here, where no editor of this host can use it.",
            next_step="`envguard probe` shows which Pythons this host has.",
        )
    if kernel and not any(package.name == "ipykernel" for package in prepared.candidate.lock.packages):
        raise BadInput(
            f"{link.environment} cannot be a Jupyter kernel, because ipykernel is not in it.",
            next_step=f"Add ipykernel to its requirements, then: envguard lock {link.environment}",
        )
    make_link(workshop.home, link, prepared.built.layout.root)
    return prepared


def _install_kernel(spec: Path, path: Path, prepared: Prepared, shown: str) -> None:
    """A kernel that starts the link's Python, so that it needs no renewing."""
    layout = prepared.built.layout
    python = path / layout.python.relative_to(layout.root)
    command = [str(python), "-I", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    document = {"argv": command, "display_name": shown, "language": "python"}
    try:
        spec.mkdir(parents=True, exist_ok=True)
        write_whole(spec / "kernel.json", (json.dumps(document, indent=1) + "\n").encode())
    except OSError as error:
        raise BadInput(
            f"The kernel {spec} cannot be written.", why=str(error), next_step="Name another folder: JUPYTER_DATA_DIR"
        ) from error


def _remove(path: Path, spec: Path) -> None:
    known = remove_link(envguard_home(), path)
    if (spec / "kernel.json").is_file():
        shutil.rmtree(spec)
        typer.echo(printable(f"{spec}: removed"))
    typer.echo(printable(f"{path}: {'removed' if known else 'there was no link'}"))

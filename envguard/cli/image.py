"""`envguard image build|list|save|load|prune|export`: environments as container images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from envguard.backends.engine import find_engine
from envguard.backends.image import Image, images, load_images, remove_image, save_images
from envguard.backends.inside import CONTAINER
from envguard.backends.resources import resources_from
from envguard.catalog import Task
from envguard.cli.options import (
    BaseOption,
    DryRunOption,
    EditionOption,
    FindLinksOption,
    FrozenOption,
    JsonOption,
    OfflineOption,
    PythonOption,
)
from envguard.cli.printing import document_text
from envguard.cli.screen import screen
from envguard.cli.selection import Selection, catalog_of, for_each
from envguard.cli.session import Session
from envguard.cli.workshop import open_workshop
from envguard.errors import BadInput, NoEnvironment
from envguard.files import check_place, write_output
from envguard.report.kubernetes import manifest
from envguard.running.environments.exporting import export_image, export_task
from envguard.running.environments.images import build_image, containers_of, image_of
from envguard.running.environments.preparing import Workshop
from envguard.running.environments.recorded import recorded_locks
from envguard.running.events import Receiver
from envguard.table_reader import unknown_name

NamesArgument = Annotated[list[str], typer.Argument(metavar="ENV...", help="Environments.")]


def build(
    ctx: typer.Context,
    names: NamesArgument,
    edition: EditionOption = None,
    python: PythonOption = None,
    base: BaseOption = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild existing images, without a cache.")] = False,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    frozen: FrozenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build and prove the images of environments; existing images are kept.

    A build fetches nothing: wheels are unpacked on this host, checked against the lock's hashes, and copied in.
    """
    selection = _selection(names, edition, python, base=base, find_links=find_links, offline=offline, frozen=frozen)
    with screen() as receive:
        workshop = _workshop(ctx.obj, receive, selection)
        found = []
        for name in names:
            prepared = workshop.prepare(name)
            image = build_image(workshop, prepared) if rebuild else image_of(workshop, prepared)
            found.append((prepared, image))
    if as_json:
        rows = [{**image.as_json(), "base": str(prepared.candidate.interpreter.base)} for prepared, image in found]
        typer.echo(document_text({"images": rows}))
        return
    for prepared, image in found:
        typer.echo(f"{_row(image)}, on {prepared.candidate.interpreter.base}")


def list_images(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the images of environments that the engine has."""
    found = images(find_engine(ctx.obj.environ))
    if as_json:
        typer.echo(document_text({"images": [image.as_json() for image in found]}))
        return
    for image in found:
        typer.echo(_row(image))


def save(
    ctx: typer.Context,
    names: NamesArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The tar to write.")],
    edition: EditionOption = None,
    python: PythonOption = None,
    base: BaseOption = None,
    offline: OfflineOption = False,
    frozen: FrozenOption = False,
) -> None:
    """Write images and their base images into one file, for a machine without network."""
    check_place(output.absolute())
    selection = _selection(names, edition, python, base=base, offline=offline, frozen=frozen)
    with screen() as receive:
        workshop = _workshop(ctx.obj, receive, selection)
        prepared = [workshop.prepare(name) for name in names]
        tags = [image_of(workshop, each).tags[0] for each in prepared]
        bases = dict.fromkeys(str(each.candidate.interpreter.base) for each in prepared)
        save_images(containers_of(workshop).engine, [*bases, *tags], output.absolute())
    typer.echo(f"{output}: {', '.join([*bases, *tags])}, {output.stat().st_size / 1e6:,.1f} MB")


def load(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `envguard image save` wrote.")],
) -> None:
    """Load images saved elsewhere; the first run checks each, without network."""
    for tag in load_images(find_engine(ctx.obj.environ), file):
        typer.echo(tag)


def prune(
    ctx: typer.Context,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Remove images whose lock is no longer in the catalog, and images that a newer build has replaced.

    Images of environments that are not in this catalog may belong to another project and are kept.
    """
    catalog, engine = catalog_of(ctx.obj), find_engine(ctx.obj.environ)
    locks = {
        name: {lock.digest for lock in recorded_locks(each).values()} for name, each in catalog.environments.items()
    }
    removed, spared = [], []
    for image in images(engine):
        if image.tags and image.lock in locks.get(image.environment, {image.lock}):
            continue
        try:
            if not dry_run:
                remove_image(engine, image)
            removed.append(image)
        except NoEnvironment as error:
            spared.append((image, error.why))
    if as_json:
        rows: dict[str, object] = {
            "removed": [image.as_json() for image in removed],
            "spared": [{**image.as_json(), "why": why} for image, why in spared],
        }
        typer.echo(document_text({"dry_run": dry_run, **rows}))
        return
    for image in removed:
        typer.echo(f"{'would remove' if dry_run else 'removed'} {_row(image)}")
    for image, why in spared:
        typer.echo(f"left {_row(image)}: {why}")


def export(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[ENV]", help="The environment; leave it out for a task.")
    ] = None,
    dockerfile: Annotated[
        Path | None, typer.Option("--dockerfile", metavar="DIR", help="The folder to write for `docker build DIR`.")
    ] = None,
    kubernetes: Annotated[
        str | None,
        typer.Option(metavar="TASK", help="Write a Job that runs this task, and the build files of its images."),
    ] = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME=FILE", help="The name of a task's input in the cluster's volume."),
    ] = None,
    registry: Annotated[
        str, typer.Option(metavar="NAME", help="The prefix of the names of a task's images, with its slash.")
    ] = "",
    edition: EditionOption = None,
    python: PythonOption = None,
    base: BaseOption = None,
    find_links: FindLinksOption = None,
    offline: OfflineOption = False,
    frozen: FrozenOption = False,
) -> None:
    """Write an image's build files for another builder, or everything a cluster needs to run a task.

    Builds and proves the environments here first.
    """
    if dockerfile is None or (name is None) == (kubernetes is None):
        raise BadInput(
            "It is not clear what to export, or where to.",
            next_step="envguard image export ENV --dockerfile DIR, or "
            "envguard image export --kubernetes TASK --dockerfile DIR",
        )
    if not dockerfile.is_dir():
        check_place(dockerfile.absolute())
    named = [] if name is None else [name]
    selection = _selection(named, edition, python, base=base, find_links=find_links, offline=offline, frozen=frozen)
    with screen() as receive:
        workshop = _workshop(ctx.obj, receive, selection)
        if name is not None:
            export_image(workshop.prepare(name), dockerfile.absolute())
            typer.echo(f"docker build {dockerfile}")
            return
        task = _task(workshop, kubernetes)
        files = _files(task, inputs or ())
        exported = export_task(task, workshop, dockerfile.absolute(), registry)
    write_output(
        dockerfile.absolute() / "job.yaml", manifest(task, exported, resources_from(workshop.environ), files).encode()
    )
    for environment, image in exported.images.items():
        typer.echo(f"docker build -t {image} {dockerfile / environment}")
    typer.echo(f"kubectl apply -f {dockerfile / 'job.yaml'}")


def _task(workshop: Workshop, name: str | None) -> Task:
    tasks = workshop.catalog.tasks
    if name is None or name not in tasks:
        raise unknown_name("There is no task", name or "", tasks)
    return tasks[name]


def _files(task: Task, named: Sequence[str]) -> dict[str, str]:
    """The file name of each of the task's inputs; a step may tell from it what kind of file it is."""
    files = dict(each.partition("=")[::2] for each in named)
    wrong = sorted(files.keys() ^ set(task.inputs)) or [name for name, file in files.items() if "/" in file or not file]
    if wrong:
        raise BadInput(
            f"The file name for the input {wrong[0]!r} is missing or wrong.",
            why=f"the inputs of {task.name} are {', '.join(task.inputs) or 'none'}",
            next_step="Write --input NAME=FILE for each, for example --input input=model.task.",
        )
    return files


def _selection(names: Sequence[str], edition: str | None, python: str | None, **options: Any) -> Selection:
    """What the options select; environments for images are made by the container backend."""
    return Selection("", for_each(names, edition), for_each(names, python), backend=CONTAINER, **options)


def _workshop(session: Session, receive: Receiver, selection: Selection) -> Workshop:
    return open_workshop(session, catalog_of(session), receive, selection)


def _row(image: Image) -> str:
    name = ", ".join(image.tags) or image.id.removeprefix("sha256:")[:12]
    return f"{name}: {image.environment} {image.edition}, lock {image.lock[:12]}, {image.bytes / 1e6:,.1f} MB"

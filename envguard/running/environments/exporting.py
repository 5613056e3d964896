"""Build files of images for other machines, and for clusters with the payload and the samples of a task."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from envguard.backends.image_context import tag_of, write_context, write_files
from envguard.backends.inside import PAYLOAD_INSIDE, SAMPLES_INSIDE, architecture_of
from envguard.catalog.model import CommandStep, PayloadStep, Task
from envguard.code_files import PAYLOAD
from envguard.errors import BadInput
from envguard.payload.door.references import FILE, SAMPLE
from envguard.running.environments.prepared import Prepared
from envguard.running.environments.preparing import Workshop

PAYLOAD_TAR = "payload.tar"


@dataclass(frozen=True, slots=True)
class ExportedTask:
    """A task as a cluster runs it: the image of each environment by name, and the samples' file names by sample.

    `architecture` is that of the images, as clusters name it: `amd64`, `arm64`.
    """

    images: dict[str, str]
    samples: dict[str, tuple[str, ...]]
    architecture: str


def export_image(prepared: Prepared, folder: Path) -> None:
    """Write the Dockerfile of an environment's image, and what it needs, to a new folder."""
    _new(folder)
    write_context(folder, prepared.installed, elsewhere=True)


def export_task(task: Task, workshop: Workshop, folder: Path, registry: str) -> ExportedTask:
    """Write build files for each image that a task's steps need to a folder of its own in a new folder.

    These images hold the payload and the task's samples, because a cluster has no host to mount them from. `registry`
    is the prefix of their names. Raises BadInput if a step needs files of its project.
    """
    for step in task.steps:
        if isinstance(step, CommandStep) or any(ref.source == FILE for ref in step.inputs.values()):
            raise BadInput(
                f"The task {task.name!r} cannot be exported.",
                why=f"the step {step.name!r} needs files of its project, which the images of environments do not hold",
                next_step="Export its environments with `envguard image export ENV`, and add the files yourself.",
            )
    prepared = {step.environment: workshop.prepare(step.environment) for step in task.steps}
    names = sorted({name for step in task.steps for name in _samples(step)})
    samples = {name: workshop.sample(name) for name in names}
    files = {PAYLOAD_INSIDE / path.relative_to(PAYLOAD.parent).as_posix(): path for path in _payload_files()}
    for name, found in samples.items():
        files |= {SAMPLES_INSIDE / name / file: path for file, path in found.items()}
    _new(folder)
    images = {}
    for name, each in prepared.items():
        (folder / name).mkdir()
        write_context(folder / name, each.installed, elsewhere=True)
        write_files(folder / name / PAYLOAD_TAR, files)
        with (folder / name / "Dockerfile").open("a", encoding="utf-8") as file:
            file.write(f"# What runs there: envguard's own steps, and the samples of the task {task.name}.\n")
            file.write(f"ADD {PAYLOAD_TAR} /\n")
        digest = hashlib.sha256((folder / name / PAYLOAD_TAR).read_bytes()).hexdigest()
        images[name] = f"{registry}{tag_of(each.installed)}-{digest[:12]}"
    architecture = architecture_of(next(iter(prepared.values())).candidate.interpreter)
    return ExportedTask(images, {name: tuple(found) for name, found in samples.items()}, architecture)


def _samples(step: PayloadStep | CommandStep) -> list[str]:
    return [ref.name for ref in step.inputs.values() if ref.source == SAMPLE]


def _payload_files() -> list[Path]:
    return sorted(PAYLOAD.parent.rglob("*.py"))


def _new(folder: Path) -> None:
    try:
        folder.mkdir()
    except OSError as error:
        raise BadInput(
            f"The folder {folder} cannot be created.",
            why=str(error),
            next_step="Name a folder that does not exist yet.",
        ) from error

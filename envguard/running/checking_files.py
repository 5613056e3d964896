"""Check that inputs can be read and outputs can be written, before any work is done."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from envguard.catalog.model import CommandStep, PayloadStep
from envguard.errors import BadInput
from envguard.files import check_folder_place, check_place
from envguard.running.task_order import TaskOrder


def check_input(path: Path, *, folders: bool = False) -> None:
    """Refuse an input that is missing, unreadable, or not a regular file, nor with `folders` a folder."""
    try:
        found = path.stat()
        if folders and stat.S_ISDIR(found.st_mode):
            return
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "not a regular file"
            raise BadInput(f"The input {path} is {kind}.", next_step="Name a file.")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise BadInput(
            f"The input {path} does not exist.",
            next_step="Check the path; `sample:NAME` stands for a sample of the catalog.",
        ) from error
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The input {path} cannot be read.", why=str(error), next_step="Check its permissions."
        ) from error


def check_output(path: Path, source: Path | None) -> None:
    """Refuse an output that is the input, is a folder, or is where no file can be created."""
    folder = path.parent
    try:
        if source is not None and path.exists() and path.samefile(source):
            raise BadInput(
                f"The output {path} is the input itself.",
                why="envguard never overwrites an input",
                next_step="Name another file with -o.",
            )
        if path.is_dir():
            raise BadInput(f"The output {path} is a folder.", next_step="Name a file in it with -o.")
        check_place(path)
        if not folder.is_dir():
            raise BadInput(
                f"The output's folder {folder} does not exist.", next_step="Create it, or name another folder with -o."
            )
        _try_writing(folder)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The output {path} cannot be written.", why=str(error), next_step="Name a file in another folder with -o."
        ) from error


def check_places(order: TaskOrder) -> None:
    """Refuse an order whose output, receipt or a report may not be written where it is to go.

    Of several outputs, only what command steps call theirs is known before they are made.
    """
    places = [*order.reports.values(), *([order.receipt] if order.receipt else [])]
    steps = {step.name: step for step in order.task.steps}
    for reference in order.task.outputs.values():
        step, place = steps.get(reference.source), order.target
        if place is None:
            break
        if len(order.task.outputs) > 1:
            if not isinstance(step, CommandStep):
                continue
            place /= Path(step.outputs[reference.name]).name
        if order.task.makes_folder(reference):
            check_folder_place(place, order.replaceable)
        else:
            places.append(place)
    for place in places:
        check_place(place)


def check_output_folder(path: Path) -> None:
    """Refuse an output folder that is not a folder, or cannot be created or written to."""
    try:
        if path.exists() and not path.is_dir():
            raise BadInput(
                f"The output {path} is not a folder.",
                next_step="Name a folder with -o, because there are several outputs.",
            )
        if not path.parent.is_dir():
            raise BadInput(
                f"The output's folder {path.parent} does not exist.",
                next_step="Create it, or name another folder with -o.",
            )
        _try_writing(path if path.is_dir() else path.parent)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"The output folder {path} cannot be written to.", why=str(error), next_step="Name another folder with -o."
        ) from error


def refuse_folders(step: PayloadStep, given: Mapping[str, tuple[Path, ...]]) -> None:
    """Only commands are given folders."""
    for name, paths in given.items():
        if any(path.is_dir() for path in paths):
            raise BadInput(
                f"The input {name!r} of the step {step.name!r} is a folder.",
                why="steps of envguard's own read files",
                next_step="Name a file.",
            )


def _try_writing(folder: Path) -> None:
    """Create a file and remove it: on a read-only file system, permissions tell root that it may write."""
    descriptor, name = tempfile.mkstemp(prefix=".envguard-", dir=folder)
    os.close(descriptor)
    Path(name).unlink()

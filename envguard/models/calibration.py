"""`--calibration`: a task whose calibrate step is given other files than the catalog's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from envguard.catalog.model import Catalog, PayloadStep, Task
from envguard.errors import BadInput
from envguard.payload.door.references import FILE, Reference

STEP = "calibrate"
SAMPLE = "sample:"
PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
ARRAYS = (".npy", ".npz")
MOST_FILES = 1_000


def calibrated_with(task: Task, value: str, catalog: Catalog) -> Task:
    """The task with `sample:NAME`, or every picture and array file of a folder, in place of its own pictures.

    Raises BadInput as `files_for`.
    """
    kinds = {**dict.fromkeys(PICTURES, "picture"), **dict.fromkeys(ARRAYS, "arrays")}
    inputs, folder = files_for("calibrate with", value, kinds, catalog)
    return _with_inputs(task, inputs, folder or task.folder)


def files_for(
    purpose: str, value: str, kinds: Mapping[str, str], catalog: Catalog
) -> tuple[dict[str, Reference], Path | None]:
    """References by input for `sample:NAME`, or for the files of a folder, and that folder.

    `kinds` says by suffix which input a file is. Raises BadInput for an unknown sample, and for a folder without such
    files or with more than a thousand; it names the `purpose`.
    """
    if value.startswith(SAMPLE):
        if value.removeprefix(SAMPLE) not in catalog.samples:
            known = ", ".join(catalog.samples)
            raise BadInput(f"There is no {value!r} to {purpose}.", next_step=f"Choose one of: {known}.")
        return {"picture": Reference.parse(value)}, None
    folder = Path(value).expanduser().absolute()
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise BadInput(
            f"The folder {folder} cannot be read.",
            why=error.strerror or str(error),
            next_step="Name a folder of pictures, or a sample such as `sample:faces`.",
        ) from error
    files = {name: kinds.get(Path(name).suffix.lower(), "") for name in names}
    inputs = {f"{kind}:{name}": Reference(FILE, name) for name, kind in files.items() if kind}
    if not 0 < len(inputs) <= MOST_FILES:
        raise BadInput(
            f"The folder {folder} has {len(inputs):,} files to {purpose}.",
            why=f"1 to {MOST_FILES:,} files ending in {', '.join(kinds)} are taken",
            next_step="Name a folder with some of them; those in folders below it are not counted.",
        )
    return inputs, folder


def _with_inputs(task: Task, inputs: Mapping[str, Reference], folder: Path) -> Task:
    steps = tuple(
        replace(step, inputs={"model": step.inputs["model"], **inputs}, options={**step.options, "own": True})
        if isinstance(step, PayloadStep) and step.name == STEP
        else step
        for step in task.steps
    )
    return replace(task, steps=steps, folder=folder)

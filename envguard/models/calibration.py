"""`--calibration` and `--images`: the files of a folder, a single file, or a sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envguard.errors import BadInput
from envguard.running.environments.preparing import Workshop

CALIBRATION = "calibration"
"""What the tasks call the input."""

SAMPLE = "sample:"
PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
ARRAYS = (".npy", ".npz")
MOST_FILES = 1_000

APPLE_DOUBLE = "._"
"""How macOS starts the name of a file with another one's attributes, whatever its suffix."""


def calibration_files(value: str, workshop: Workshop) -> tuple[Path, ...]:
    """The pictures and arrays that `sample:NAME`, a file, or a folder stands for; raises BadInput as `files_for`."""
    return files_for("calibrate with", value, (*PICTURES, *ARRAYS), workshop)


def files_for(purpose: str, value: str, suffixes: Sequence[str], workshop: Workshop) -> tuple[Path, ...]:
    """The files of `sample:NAME`, of a folder, or the one file.

    Raises BadInput for an unknown sample, for a file of another kind, and for a folder without files of these kinds or
    with more than a thousand; it names the `purpose`.
    """
    if value.startswith(SAMPLE):
        name = value.removeprefix(SAMPLE)
        if name not in workshop.catalog.samples:
            known = ", ".join(workshop.catalog.samples)
            raise BadInput(f"There is no {value!r} to {purpose}.", next_step=f"Choose one of: {known}.")
        return tuple(workshop.sample(name).values())
    path = Path(value).expanduser().absolute()
    found = [path] if path.is_file() else _files_in(path)
    fitting = tuple(each for each in found if each.suffix.lower() in suffixes)
    if not 0 < len(fitting) <= MOST_FILES:
        folder = f"The folder {path} has {len(fitting):,} files to {purpose}."
        raise BadInput(
            f"The file {path} cannot be used to {purpose}." if path.is_file() else folder,
            why=f"1 to {MOST_FILES:,} files ending in {', '.join(suffixes)} are taken",
            next_step="Name such a file or a folder of them; subfolders are not searched.",
        )
    return fitting


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(APPLE_DOUBLE))
    except OSError as error:
        raise BadInput(
            f"The folder {folder} cannot be read.",
            why=error.strerror or str(error),
            next_step="Name a folder of pictures, or a sample such as `sample:faces`.",
        ) from error

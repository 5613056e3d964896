"""What TensorFlow's converter starts from: a Keras file, or a SavedModel's folder as one file for a step."""

from __future__ import annotations

import itertools
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from envguard.errors import BadInput
from envguard.running.checking_files import check_input

MODEL_FILE = "saved_model.pb"
KERAS = {".keras": b"PK\x03\x04", ".h5": b"\x89HDF", ".hdf5": b"\x89HDF"}
CONVERTED = (".tflite", ".task")
MOST_FILES = 10_000
MOST_BYTES = 1 << 32
HEAD = 8
HEAD_OF_HDF5 = 1 << 16
H5_VERSION = re.compile(rb"\0(\d)\.\d{1,2}\.\d{1,2}(?:[-a-z.]\w*)?\0")
ZIP_VERSION = re.compile(rb'"keras_version": *"2\.')


def check_convertible(path: Path, named: str) -> None:
    """Refuse what the converter cannot start from, above all models that were converted already.

    `named` is the user's word for the path.
    """
    if path.is_dir():
        if not (path / MODEL_FILE).is_file():
            raise BadInput(
                f"The folder {path} is not a SavedModel.",
                why=f"it does not contain {MODEL_FILE}",
                next_step="Name a folder written by `model.export(FOLDER)` or `tf.saved_model.save`.",
            )
        return
    check_input(path)
    with path.open("rb") as file:
        head = file.read(HEAD)
    suffix = path.suffix.lower()
    if head[4:] == b"TFL3" or suffix in CONVERTED or (suffix not in KERAS and zipfile.is_zipfile(path)):
        raise closed_road(named)
    if suffix not in KERAS or not head.startswith(KERAS[suffix]):
        next_step = "Name a .keras or .h5 file, or the folder of a SavedModel."
        if path.name == MODEL_FILE:
            next_step = f"Name its folder: {path.absolute().parent}"
        raise BadInput(f"{path} is neither a Keras file nor a SavedModel.", next_step=next_step)


def written_by_keras_2(path: Path) -> bool:
    """Whether a Keras file says so; a file that says nothing, or cannot be read, is taken for one of Keras 3.

    HDF5 is not parsed for that: Keras writes its version as the first attribute, near the start of the file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_OF_HDF5)
        if head.startswith(KERAS[".h5"]):
            found = H5_VERSION.search(head, max(head.find(b"keras_version"), 0))
            return found is not None and found[1] == b"2"
        with zipfile.ZipFile(path) as archive, archive.open("metadata.json") as member:
            return ZIP_VERSION.search(member.read(HEAD_OF_HDF5)) is not None
    except (OSError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile):
        return False


def closed_road(named: str) -> BadInput:
    """Why a model that was converted already cannot be converted again, and what can be done with it."""
    return BadInput(
        f"{named} is a TensorFlow Lite model or a bundle of them, which the converter cannot start from.",
        why="it reads TensorFlow models (SavedModel, Keras), and nothing turns a .tflite back into one: the operators "
        "that it calibrates are gone",
        next_step=f"Quantize it as it is with `envguard run quantize {named}`, or convert the model it was made from.",
    )


def pack(folder: Path, target: Path) -> None:
    """Write a folder as a tar whose bytes depend on nothing but the names and contents of its files.

    Raises BadInput for anything that is not a regular file, such as a link, and for more than 10,000 files or 4 GiB.
    """
    try:
        files = sorted(itertools.islice(_files(folder, ""), MOST_FILES + 1))
        if len(files) > MOST_FILES or sum(size for _, size in files) > MOST_BYTES:
            raise BadInput(
                f"The SavedModel {folder} has more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes.",
                next_step="Name the folder of a single SavedModel.",
            )
        with tarfile.open(target, "x:", format=tarfile.PAX_FORMAT) as tar:
            for name, _ in files:
                # Not followed: a file may have become a link since.
                descriptor = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
                with os.fdopen(descriptor, "rb") as file:
                    member = tarfile.TarInfo(name)
                    member.size = os.fstat(descriptor).st_size
                    tar.addfile(member, file)
    except (OSError, UnicodeError) as error:
        raise BadInput(
            f"The SavedModel {folder} cannot be read.",
            why=str(error),
            next_step="Check its files' permissions.",
        ) from error


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Name and size of every file below, with slashes in the names."""
    with os.scandir(folder / prefix) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            facts = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode):
                yield from _files(folder, f"{name}/")
            elif stat.S_ISREG(facts.st_mode):
                yield name, facts.st_size
            else:
                raise BadInput(
                    f"The SavedModel {folder} contains {name!r}, which is neither a file nor a folder.",
                    why="a link can lead outside the model",
                    next_step="Replace it with a copy of the file.",
                )

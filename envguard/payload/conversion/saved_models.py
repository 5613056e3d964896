"""A SavedModel as one file: the folder that TensorFlow reads, unpacked from an uncompressed tar that nobody trusts."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from ..protocol import Refused

MODEL_FILE = "saved_model.pb"
MOST_FILES = 10_000
MOST_BYTES = 1 << 32
"""A TFLite file cannot pass 2 GiB; TensorFlow's own holds variables that training alone needs as well."""


def unpack(path: Path, folder: Path) -> Path:
    """Write the files of a tar below `folder`, which is made; gives it back.

    `Refused`: no tar, anything but folders and regular files, a name that leads elsewhere or comes twice, more than
    10,000 files or 4 GiB, no `saved_model.pb`.
    """
    folder.mkdir()
    files = total = 0
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.isdir():
                    continue
                files, total = files + 1, total + member.size
                _check(member, path.name)
                if files > MOST_FILES or total > MOST_BYTES:
                    raise Refused(f"{path.name} has more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes.")
                target = folder.joinpath(*PurePosixPath(member.name).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                with target.open("xb") as out:
                    while content is not None and (chunk := content.read(1 << 20)):
                        out.write(chunk)
    except FileExistsError as cause:
        raise Refused(f"{path.name} has two files of one name.") from cause
    except (tarfile.TarError, OSError, ValueError) as cause:
        raise Refused(f"{path.name} is no SavedModel that can be unpacked.", why=str(cause)) from cause
    if not (folder / MODEL_FILE).is_file():
        raise Refused(f"{path.name} holds no {MODEL_FILE}, so it is no SavedModel.")
    return folder


def _check(member: tarfile.TarInfo, where: str) -> None:
    """Only what can but become a regular file below the folder."""
    parts = member.name.split("/")
    plain = all(part not in ("", ".", "..") for part in parts) and not set(member.name) & set("\\:\0")
    if not member.isreg() or member.issparse() or not plain:
        raise Refused(f"{where} holds {member.name!r}, which is no regular file below its folder.")

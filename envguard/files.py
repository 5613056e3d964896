"""Write files that appear whole or not at all, only where a file may be; identify files by their content."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from envguard.errors import BadInput
from envguard.system.moving import remove_tree, replace

CHUNK = 1 << 20
CACHE = "__pycache__"
_IN_THE_WAY = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)
# The kernel's own; files made there are no user's, or change the machine. Shared memory is an ordinary place.
_OF_THE_SYSTEM = (Path("/dev"), Path("/proc"), Path("/sys"))
_SHARED_MEMORY = Path("/dev/shm")
OTHER_FILE = "Name another file."


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file's path, size in bytes and SHA-256 in hex."""

    path: Path
    bytes: int
    sha256: str

    def as_json(self) -> dict[str, str | int]:
        """The facts for `--json`."""
        return {"path": str(self.path), "bytes": self.bytes, "sha256": self.sha256}


def file_facts(path: Path) -> FileFacts:
    """Read a file once and identify it."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileFacts(path, size, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class FolderFacts(FileFacts):
    """A folder: the bytes of all its `files`, and one SHA-256 over their names in it and their contents."""

    files: tuple[FileFacts, ...] = ()


def folder_facts(folder: Path, files: Iterable[FileFacts] | None = None) -> FolderFacts:
    """Identify a folder by its files, which are read unless they are known; raises BadInput as `files_below`."""
    known = tuple(map(file_facts, files_below(folder))) if files is None else tuple(files)
    lines = sorted(f"{each.sha256} {each.path.relative_to(folder).as_posix()}" for each in known)
    digest = hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return FolderFacts(folder, sum(each.bytes for each in known), digest, known)


def facts_of(path: Path) -> FileFacts:
    """Identify a file, or a folder as a whole."""
    return folder_facts(path) if path.is_dir() else file_facts(path)


def files_below(folder: Path) -> list[Path]:
    """Every file of a folder, in order, without bytecode that Python made; empty folders do not count.

    Raises BadInput for a link that leads out of it, a link to a folder, and what is no file: a folder is what it holds.
    """
    found = []
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if CACHE in path.relative_to(folder).parts or (path.is_dir() and not path.is_symlink()):
            continue
        if not path.is_file() or not path.resolve().is_relative_to(root):
            raise BadInput(
                f"The folder {folder} holds {path.relative_to(folder)}, which is no file of its own.",
                why="links out of a folder or to folders, devices and pipes are not what it holds",
                next_step="Remove it, or put a copy of what it leads to in its place.",
            )
        found.append(path)
    return found


@contextlib.contextmanager
def folder_appearing_whole(path: Path, replaceable: Collection[str] = ()) -> Iterator[Path]:
    """A new folder that is at `path` if the block succeeds, and leaves no trace otherwise.

    Raises BadInput if there is something, unless it is an empty folder or has one of the `replaceable` hashes.
    """
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.part")
    before = temporary.with_suffix(".before")
    try:
        temporary.mkdir()
        yield temporary
        check_folder_place(path, replaceable)
        if path.exists():
            replace(path, before)
        replace(temporary, path)
    except BaseException:
        remove_tree(temporary, ignore_errors=True)
        if before.exists() and not path.exists():
            replace(before, path)
        raise
    remove_tree(before, ignore_errors=True)
    sync_folder(path.parent)


def check_folder_place(path: Path, replaceable: Collection[str] = ()) -> None:
    """Refuse a path for an output that is a folder, if something is there that is not `replaceable` by its hash."""
    check_place(path / "file")
    if not path.exists() and not path.is_symlink():
        return
    owner = _other_owner(path)
    if path.is_symlink() or not path.is_dir() or owner:
        what = f"belongs to {owner}" if owner else "is there already, and is no folder"
        raise BadInput(f"The output {path} {what}.", next_step="Name another place with -o.")
    if any(path.iterdir()) and (not replaceable or folder_facts(path).sha256 not in replaceable):
        raise BadInput(
            f"The output folder {path} holds files already.",
            why="a folder is only replaced if it is still what an earlier run made, by the receipt beside it",
            next_step="Remove it, or name another place with -o.",
        )


@contextlib.contextmanager
def appearing_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` if the block succeeds, and leaves no trace otherwise.

    The content reaches the disk before the name does: temporary file in the same folder, fsync, rename, fsync of that
    folder. Raises OSError for a path that leads to a device, a pipe, a socket or a folder, even through a link.
    """
    kind = _in_the_way(path)
    if kind:
        raise OSError(errno.EINVAL, f"it is {kind}, which no file may replace", str(path))
    temporary = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that readers see either the old content or the new, never a part."""
    with appearing_whole(path) as file:
        file.write(content)


def check_place(path: Path) -> None:
    """Refuse a path for output where no file may be made or replaced; every option that names one is asked here first.

    Raises BadInput for a device, a pipe, a socket, a folder, and a file or link of another user, whether named itself
    or through links, and for the folders of the system's own files.
    """
    try:
        kind, owner = _in_the_way(path), _other_owner(path)
        folder = path.parent.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise BadInput(f"The output {path} cannot be written.", why=str(error), next_step=OTHER_FILE) from error
    if kind:
        raise BadInput(f"The output {path} is {kind}.", why="only files are written", next_step=OTHER_FILE)
    if owner:
        raise BadInput(f"The output {path} belongs to {owner}.", why="only your own are replaced", next_step=OTHER_FILE)
    system = next((each for each in _OF_THE_SYSTEM if folder.is_relative_to(each)), None)
    if system and not folder.is_relative_to(_SHARED_MEMORY):
        raise BadInput(
            f"The output {path} would lie in {system}.", why="that holds the system's own files", next_step=OTHER_FILE
        )


def write_output(path: Path, content: bytes) -> None:
    """Write a file where a user said, whole or not at all; raises BadInput as `check_place`, and OSError."""
    check_place(path)
    write_whole(path, content)


def write_record(path: Path, content: bytes) -> None:
    """Write a file that a project keeps, such as a lock, and make its folder; raises BadInput where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise BadInput(
            f"The project's file {path} cannot be written.",
            why=str(error),
            next_step="Remove what is in its place, or see to the rights of its folder.",
        ) from error


def _in_the_way(path: Path) -> str:
    """What a path leads to, if a file may not take its place; raises OSError for a loop of links."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    return next((kind for is_kind, kind in _IN_THE_WAY if is_kind(mode)), "")


def _other_owner(path: Path) -> str:
    """Who owns what is at a path, the link or what it leads to, if that is somebody else."""
    if sys.platform == "win32":  # files have access lists there, and the folder's decide
        return ""
    for look in (path.lstat, path.stat):
        try:
            owner = look().st_uid
        except (FileNotFoundError, NotADirectoryError):
            continue
        if owner != os.geteuid():
            return f"another user (number {owner})"
    return ""


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, on systems that can sync folders."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

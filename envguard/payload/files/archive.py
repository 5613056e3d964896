"""Stored ZIP archives, as MediaPipe bundles them: read without trusting them, written back in the same order.

MediaPipe maps a bundle into memory and reads each member in place, so members are neither compressed nor encrypted
and their data starts at an aligned offset.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..protocol import Refused

MAX_MEMBERS = 1_000
MAX_BYTES = 1 << 30
"""Largest archive, and largest member, in bytes; a flatbuffer cannot pass 2 GiB, and rewriting one needs copies."""

ALIGNMENT = 16
"""In bytes: TFLite's schema asks for it of weights, and it includes the 4 that MediaPipe's own bundles keep."""

_LOCAL_HEADER_BYTES = 30
_ALIGNMENT_EXTRA = 0xD935
"""Header ID of the extra field that zipalign introduced: the alignment as uint16, then padding."""
_ALIGNMENT_EXTRA_BYTES = 6
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Member:
    """One file of an archive, with what its header says besides sizes and checksums."""

    name: str
    data: bytes
    date_time: tuple[int, int, int, int, int, int] = (1980, 1, 1, 0, 0, 0)
    attributes: int = 0o600 << 16
    system: int = 3


@dataclass(frozen=True)
class Archive:
    """The members in order, and the archive's comment."""

    members: tuple[Member, ...]
    comment: bytes = b""


def is_archive(data: bytes) -> bool:
    """Whether the bytes start as a ZIP does; an empty archive counts.

    Google's own bundles begin with a few zero bytes, because the first member's data is aligned too.
    """
    return data[:64].lstrip(b"\0").startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read(data: bytes, where: str) -> Archive:
    """All members of the ZIP in `data`; `where` names it in the sentence of a `Refused`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive.infolist(), len(data), where)
            members = tuple(_member(archive, info) for info in archive.infolist())
            return Archive(members, archive.comment)
    # zipfile answers some damage with the error of whatever it tripped over.
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, struct.error, zlib.error) as cause:
        raise Refused(
            f"{where} is not a whole ZIP archive.",
            why=str(cause),
            next_step="Download or copy the file again and compare its size with the source's.",
        ) from cause


def start_of_appended(data: bytes) -> int | None:
    """Where a ZIP that was appended to other data begins, or None if nothing was appended.

    TFLite metadata packs associated files (label lists, vocabularies) behind a model's flatbuffer in this way.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return min((info.header_offset for info in archive.infolist()), default=None)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, struct.error):
        return None


def write(archive: Archive, *, after: bytes = b"") -> bytes:
    """The archive's bytes, the same for the same members; offsets count from the start of `after`."""
    stream = io.BytesIO(after)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_STORED) as target:
        target.comment = archive.comment
        for member in archive.members:
            info = zipfile.ZipInfo(member.name, member.date_time)
            info.external_attr = member.attributes
            info.create_system = member.system
            info.extra = _padding(stream.tell(), info)
            target.writestr(info, member.data)
    return stream.getvalue()


def _padding(header_offset: int, info: zipfile.ZipInfo) -> bytes:
    """An extra field that moves the member's data to an aligned offset; empty where it is aligned already."""
    name_bytes = len(info.filename.encode("utf-8"))
    start = header_offset + _LOCAL_HEADER_BYTES + name_bytes
    if start % ALIGNMENT == 0:
        return b""
    padding = -(start + _ALIGNMENT_EXTRA_BYTES) % ALIGNMENT
    return struct.pack("<HHH", _ALIGNMENT_EXTRA, 2 + padding, ALIGNMENT) + bytes(padding)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    return Member(info.filename, archive.read(info), info.date_time, info.external_attr, info.create_system)


def _check(infos: list[zipfile.ZipInfo], archive_bytes: int, where: str) -> None:
    if len(infos) > MAX_MEMBERS:
        raise Refused(f"{where} has {len(infos)} members, more than the {MAX_MEMBERS} that a bundle may have.")
    seen: set[str] = set()
    for info in infos:
        _check_name(info, where)
        if info.filename in seen:
            raise Refused(f"{where} has two members called {info.filename!r}.")
        seen.add(info.filename)
        _check_storage(info, where)
    claimed = sum(info.file_size for info in infos)
    if claimed > archive_bytes:
        raise Refused(f"{where} claims {claimed:,} bytes of members, but is itself only {archive_bytes:,} bytes.")


def _check_name(info: zipfile.ZipInfo, where: str) -> None:
    path = PurePosixPath(info.filename)
    if not path.name or "\\" in info.filename or ":" in path.parts[0] or not info.filename.isprintable():
        raise Refused(f"{where} has a member with the unusable name {info.filename!r}.")
    if path.is_absolute() or ".." in path.parts:
        raise Refused(f"{where} has a member whose name leads out of the archive: {info.filename!r}.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refused(f"{where} has a symbolic link as a member: {info.filename!r}.")


def _check_storage(info: zipfile.ZipInfo, where: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise Refused(f"{where} has an encrypted member: {info.filename!r}.")
    if info.file_size > MAX_BYTES:
        raise Refused(
            f"{where} has a member that claims {info.file_size:,} bytes: {info.filename!r}.",
            why=f"No member may pass {MAX_BYTES:,} bytes.",
        )
    if info.compress_type != zipfile.ZIP_STORED:
        raise Refused(
            f"{where} has a compressed member: {info.filename!r}.",
            why="MediaPipe reads members in place and answers `Expected uncompressed zip archive.`",
            next_step="Pack the same files with `zip -0`, in the same order.",
        )

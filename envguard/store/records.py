"""Compare installed files with those that their distributions list in RECORD.

RECORD is the installed-files list of the binary distribution format (Python Packaging User Guide, "Recording
installed projects").
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envguard.store.manifest import Entry

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Damage:
    """An installed file that differs from what its distribution lists; `why` is "missing" or "changed".

    `path` is as the distribution lists it, relative to site-packages.
    """

    distribution: str
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as a distribution lists it: `recorded` is `algorithm=digest`, or empty if none is given; so is `size`."""

    distribution: str
    path: str
    recorded: str
    size: str = ""


def listed_files(record: Path) -> tuple[ListedFile, ...]:
    """What a RECORD lists, without bytecode; raises ValueError if the file is not a RECORD.

    Bytecode is a cache: compiling during installation replaces the few such files that a wheel contains (numpy 2.2.6).
    """
    distribution = record.parent.name.removesuffix(".dist-info")
    try:
        with record.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if any(len(row) != 3 for row in rows):
        raise ValueError("a row does not have three values")
    return tuple(ListedFile(distribution, *row) for row in rows if "__pycache__" not in row[0].split("/"))


@dataclass(frozen=True, slots=True)
class Listing:
    """The files that the distributions of a folder list, and those of their RECORDs that cannot be read."""

    files: tuple[ListedFile, ...]
    damages: tuple[Damage, ...]


def listing_of(site_packages: Path) -> Listing:
    """Read every RECORD once."""
    files: list[ListedFile] = []
    damages: list[Damage] = []
    for record in sorted(site_packages.glob("*.dist-info/RECORD")):
        try:
            files.extend(listed_files(record))
        except (OSError, ValueError):
            name = record.parent.name
            damages.append(Damage(name.removesuffix(".dist-info"), f"{name}/RECORD", "changed"))
    return Listing(tuple(files), tuple(damages))


def audit_entries(
    listing: Listing, entries: Mapping[str, Entry], below: str, site_packages: Path
) -> tuple[Damage, ...]:
    """Every listed file that is missing or has another hash, in an environment that was just scanned.

    `entries` are the environment's, `below` is the name of its `site_packages` folder among them.
    """
    return (*listing.damages, *_damages(listing.files, entries, below, site_packages))


def _damages(
    listed: Sequence[ListedFile], entries: Mapping[str, Entry], below: str, site_packages: Path
) -> Iterator[Damage]:
    for each in listed:
        entry = entries.get(posixpath.normpath(f"{below}/{each.path}"))
        if entry is None or entry.kind != "file":
            yield Damage(each.distribution, each.path, "missing")
        elif not is_as_listed(each, entry, site_packages):
            yield Damage(each.distribution, each.path, "changed")


def is_as_listed(listed: ListedFile, entry: Entry, site_packages: Path) -> bool:
    """Whether a file has the content that its distribution lists; one without a hash may have any."""
    return not listed.recorded or _matches(listed.recorded, entry.content, site_packages / listed.path)


def _matches(recorded: str, sha256: str, path: Path) -> bool:
    algorithm, _, expected = recorded.partition("=")
    if algorithm == "sha256":
        found = bytes.fromhex(sha256)
    elif algorithm in ("sha384", "sha512"):
        digest = hashlib.new(algorithm)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        found = digest.digest()
    else:
        return False
    try:
        return base64.urlsafe_b64decode(expected + "=" * (-len(expected) % 4)) == found
    except (binascii.Error, ValueError):
        return False

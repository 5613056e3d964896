"""Are the installed files those that their distributions list? Each RECORD's hashes, read from disk again.

RECORD is the installed-files list of the binary distribution format (Python Packaging User Guide, "Recording
installed projects").
"""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Damage:
    """An installed file that is not as its distribution lists it; `why` is "missing" or "changed"."""

    distribution: str
    path: str
    why: str


def audit(site_packages: Path) -> tuple[Damage, ...]:
    """Every file of every distribution in a site-packages folder that is missing or has another hash."""
    damages: list[Damage] = []
    for record in sorted(site_packages.glob("*.dist-info/RECORD")):
        damages.extend(_audit_record(record, site_packages))
    return tuple(damages)


def _audit_record(record: Path, site_packages: Path) -> Iterator[Damage]:
    distribution = record.parent.name.removesuffix(".dist-info")
    with record.open(newline="", encoding="utf-8") as file:
        for row in csv.reader(file):
            if len(row) != 3:
                yield Damage(distribution, f"{record.parent.name}/RECORD", "changed")
                return
            path, recorded, _size = row
            target = site_packages / path
            if "__pycache__" in path.split("/"):
                continue  # a cache: compiling at install replaces the few that a wheel brings (numpy 2.2.6)
            if not target.is_file():
                yield Damage(distribution, path, "missing")
            elif recorded and not _matches(target, recorded):
                yield Damage(distribution, path, "changed")


def _matches(path: Path, recorded: str) -> bool:
    algorithm, _, expected = recorded.partition("=")
    if algorithm not in ("sha256", "sha384", "sha512"):
        return False
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == expected

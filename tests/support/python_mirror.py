"""A mirror of Pythons in a folder: a real interpreter of this host, packed as python-build-standalone packs its own."""

from __future__ import annotations

import hashlib
import json
import platform
import tarfile
from dataclasses import dataclass
from pathlib import Path

LEFT_OUT = ("test", "__pycache__", "site-packages", "idlelib", "tkinter", "share")
RELEASE = "20260101"


@dataclass(frozen=True)
class PythonMirror:
    """The folder that stands for the mirror, and lists of its one download: right, with a wrong hash, with none."""

    folder: Path
    listed: Path
    wrong: Path
    without: Path


def make_mirror(folder: Path, interpreter: Path) -> PythonMirror:
    """A mirror with the installation that an interpreter belongs to."""
    version = interpreter.parent.parent.name
    major, minor, patch = map(int, version.split("."))
    machine = platform.machine()
    name = f"cpython-{version}+{RELEASE}-{machine}-unknown-linux-gnu-install_only.tar.gz"
    archive = folder / "mirror" / RELEASE / name
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(interpreter.parent.parent, "python", filter=_without_ballast)
    entry = {
        "name": "cpython", "arch": {"family": machine, "variant": None}, "os": "linux", "libc": "gnu", "major": major,
        "minor": minor, "patch": patch, "prerelease": "", "variant": None, "build": RELEASE,
        # uv puts the mirror in the place of this address.
        "url": f"https://github.com/astral-sh/python-build-standalone/releases/download/{RELEASE}/"
        + name.replace("+", "%2B"),
    }  # fmt: skip
    lists = []
    for kind, digest in (
        ("right", hashlib.sha256(archive.read_bytes()).hexdigest()),
        ("wrong", "0" * 64),
        ("without", None),
    ):
        path = folder / f"{kind}.json"
        path.write_text(json.dumps({f"cpython-{version}-linux-{machine}-gnu": {**entry, "sha256": digest}}))
        lists.append(path)
    return PythonMirror(folder / "mirror", *lists)


def _without_ballast(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = Path(member.name).parts
    return None if set(parts) & set(LEFT_OUT) or member.name.endswith(".a") else member

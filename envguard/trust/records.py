"""The records of what a user allowed: one file for each project, in the user's own folder of settings."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_config_path

from envguard.errors import BadInput
from envguard.files import appearing_whole
from envguard.ownership import owners, stranger
from envguard.trust.content import LARGEST_TEXT, Content, FileContent

SCHEMA = 1
LARGEST_RECORD = 50_000_000
OWNERS_ALONE = 0o600


@dataclass(frozen=True, slots=True)
class Record:
    """What was allowed when (`date`, RFC 3339 in UTC): the project's folder and its content.

    `texts` are those of the files, where they are text and not long, so that a change can be shown.
    """

    project: Path
    date: str
    content: Content
    texts: Mapping[str, str] = field(default_factory=dict)


def records_folder() -> Path:
    """Where the records are; raises BadInput if somebody else could put one there."""
    folder = user_config_path("envguard", appauthor=False) / "trust"
    why = stranger(str(folder), owners(os.environ), shared=False)
    if why:
        raise BadInput(
            f"What you trust, in {folder}, was ignored.",
            why=why,
            next_step="See to it that only you can write there.",
        )
    return folder


def record_path(project: Path) -> Path:
    """The file of a project's record. Another folder is another project, whatever links lead there."""
    return records_folder() / f"{hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:32]}.json"


def read_record(project: Path) -> Record | None:
    """The record of a project; None if there is none, or none that envguard wrote for this folder."""
    record = _read(record_path(project))
    return record if record is not None and record.project == project.resolve() else None


def all_records() -> Iterator[Record]:
    """Every record, in the order of the projects' folders."""
    found = [each for path in records_folder().glob("*.json") if (each := _read(path)) is not None]
    yield from sorted(found, key=lambda each: each.project)


def write_record(record: Record) -> None:
    """Write a record that only its user can read, whole or not at all; raises BadInput if that fails."""
    path = record_path(record.project)
    files = {
        name: {"sha256": each.sha256, "facts": each.facts, "text": record.texts.get(name)}
        for name, each in sorted(record.content.items())
    }
    document = {"schema": SCHEMA, "project": str(record.project.resolve()), "date": record.date, "files": files}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with appearing_whole(path) as file:
            if sys.platform != "win32":
                os.fchmod(file.fileno(), OWNERS_ALONE)
            file.write(json.dumps(document, indent=1).encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise BadInput(
            f"What you trust cannot be recorded in {path.parent}.",
            why=str(error),
            next_step="Make that folder writable; in CI, write `envguard --trust` before the command instead.",
        ) from error


def delete_record(project: Path) -> bool:
    """Forget a project; False if there is no record of it."""
    try:
        record_path(project).unlink()
    except FileNotFoundError:
        return False
    return True


def text_of(path: Path) -> str | None:
    """A file as text, where it is one and not long."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_TEXT + 1)
        return None if len(raw) > LARGEST_TEXT or b"\0" in raw else raw.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _read(path: Path) -> Record | None:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(LARGEST_RECORD))
        if document["schema"] != SCHEMA:
            return None
        files = document["files"]
        return Record(
            Path(document["project"]),
            str(document["date"]),
            {str(name): FileContent(str(each["sha256"]), str(each["facts"])) for name, each in files.items()},
            {str(name): str(each["text"]) for name, each in files.items() if each["text"] is not None},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None

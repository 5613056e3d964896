"""Links of projects to what is built, for editors: kept up to date, and kept in mind by whoever removes.

A link is `.envguard/NAME` in a project: a symbolic link, on Windows a junction. The store has a record of each, because
nothing else tells it who points there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from envguard.errors import BadInput
from envguard.files import write_whole
from envguard.store.home import environments_folder

if sys.platform == "win32":
    import _winapi

LINKS = ".envguard"
RECORDS = "links"


@dataclass(frozen=True, slots=True)
class Link:
    """A link and the environment that it is for; `edition` is empty for whichever is preferred."""

    path: str
    environment: str
    edition: str = ""


def make_link(home: Path, link: Link, root: Path) -> None:
    """Point a link at a built environment and record it; raises BadInput where something else is in its place."""
    path = Path(link.path)
    folder = path.parent
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder} is not a folder of this project.", next_step="Remove it, and link again.")
    if path.exists() and _target(path) is None:
        raise BadInput(f"{path} is there and is not a link.", next_step="Choose another name with --name.")
    folder.mkdir(exist_ok=True)
    if not (folder / ".gitignore").exists():
        write_whole(folder / ".gitignore", b"*\n")
    record = _record(home, path)
    record.parent.mkdir(parents=True, exist_ok=True)
    write_whole(record, json.dumps(asdict(link)).encode())  # first: a link without a record protects nothing
    _point(path, root)


def remove_link(home: Path, path: Path) -> bool:
    """Remove a link and its record; False if there was none."""
    _record(home, path).unlink(missing_ok=True)
    if _target(path) is None:
        return False
    _unlink(path)
    return True


def links_to(home: Path, environment: str, folder: Path) -> Iterator[Link]:
    """The links of that folder to an environment."""
    for link in _records(home):
        if link.environment == environment and Path(link.path).parent == folder and _target(Path(link.path)):
            yield link


def renew_link(link: Link, root: Path) -> None:
    """Point a link at another build, unless it does already; in a folder that is only to be read, it stays."""
    path = Path(link.path)
    if _target(path) != root:
        with contextlib.suppress(OSError):
            _point(path, root)


def linked_folders(home: Path) -> dict[Path, Path]:
    """The environments' folders that links point at, each with one link."""
    environments, found = environments_folder(home), {}
    for link in _records(home):
        target = _target(Path(link.path))
        if target is not None and target.is_relative_to(environments) and target != environments:
            found[environments / target.relative_to(environments).parts[0]] = Path(link.path)
    return found


def forget_lost_links(home: Path) -> None:
    """Drop the records of links that are gone."""
    for link in _records(home):
        if _target(Path(link.path)) is None:
            _record(home, Path(link.path)).unlink(missing_ok=True)


def _records(home: Path) -> Iterator[Link]:
    for record in sorted((home / RECORDS).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):  # one that is damaged protects nothing
            yield Link(**json.loads(record.read_text(encoding="utf-8")))


def _record(home: Path, path: Path) -> Path:
    return home / RECORDS / (hashlib.sha256(os.fsencode(path)).hexdigest()[:16] + ".json")


def _target(path: Path) -> Path | None:
    """Where a link points; None if there is none."""
    try:
        return Path(os.readlink(path).removeprefix("\\\\?\\"))  # noqa: PTH115 - of a junction, too
    except (OSError, ValueError):
        return None


def _point(path: Path, root: Path) -> None:
    if sys.platform == "win32":
        if _target(path) is not None:
            _unlink(path)
        _winapi.CreateJunction(str(root), str(path))  # a symbolic link would need a privilege
    else:
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        fresh.symlink_to(root, target_is_directory=True)
        fresh.replace(path)  # so that an editor finds the old one or the new, never none


def _unlink(path: Path) -> None:
    if sys.platform == "win32":
        path.rmdir()
    else:
        path.unlink()

"""Fetch a Python with uv: only where the user allows it, and only a file whose hash is known before."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from envguard.backends.installers.running import follow, has_stalled, last_words
from envguard.backends.installers.settings import Installer
from envguard.backends.uv_words import UvWords
from envguard.errors import BadInput, NoEnvironment
from envguard.host.locations import FETCHED

VARIABLE = "ENVGUARD_PYTHON_DOWNLOADS"
MIRROR = "UV_PYTHON_INSTALL_MIRROR"
LIST = "UV_PYTHON_DOWNLOADS_JSON_URL"
CHOICES = ("auto", "never")
UNFINISHED = ".temp"  # where uv unpacks
SHA256 = re.compile(r"[0-9a-f]{64}")
LARGEST_LIST = 50_000_000
LIST_SECONDS = 60.0


def may_fetch(environ: Mapping[str, str]) -> bool | None:
    """Whether the user lets Pythons be fetched; None if that was not said. Raises BadInput."""
    said = environ.get(VARIABLE, "")
    if said not in ("", *CHOICES):
        raise BadInput(f"{VARIABLE} is {said!r}.", next_step=f"Set it to one of: {', '.join(CHOICES)}.")
    if not said and environ.get("UV_PYTHON_DOWNLOADS", "") in ("never", "manual", "false"):
        return False
    return None if not said else said == "auto"


def is_local(environ: Mapping[str, str]) -> bool:
    """Whether Pythons come from a folder of this machine."""
    return _mirror(environ).startswith("file:")


def _mirror(environ: Mapping[str, str]) -> str:
    """The mirror as uv takes it, which a folder's path is not; empty if there is none."""
    named = environ.get(MIRROR, "")
    return Path(named).absolute().as_uri() if named and "://" not in named else named


def fetch_python(
    minor: str, folder: Path, installer: Installer, environ: Mapping[str, str], descriptors: tuple[int, ...] = ()
) -> Path:
    """A Python of that minor below `folder`, which is marked as whole when it is; gives back its own folder.

    `environ` are the user's own variables: what a project sets has no say in where Pythons come from. Nobody else may
    fetch into the folder at the same time. Raises NoEnvironment with uv's words.
    """
    assert installer.uv is not None
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    mirror = _mirror(environ)
    variables = {**installer.variables, **({MIRROR: mirror} if mirror else {})}
    with _checked_list(minor, environ, offline=installer.offline) as checked:
        if checked is not None:
            variables[LIST] = str(checked)
        command: list[str | Path] = [
            installer.uv, "python", "install", minor, "--install-dir", folder, "--no-bin", "--no-registry",
            "--no-config", "--cache-dir", installer.cache, "--color", "never", "--no-progress",
            *(["--offline"] if installer.offline else []),
        ]  # fmt: skip
        hear = UvWords(installer.tell).hear
        code, said, stall = follow(command, installer, folder, variables, hear, descriptors)
    if stall.found:
        raise has_stalled(f"The download of Python {minor}", stall)
    found = [each for each in _installations(folder) if not (each / FETCHED).exists()]
    if code != 0 or len(found) != 1:
        remove_unfinished(folder)
        raise NoEnvironment(
            f"Python {minor} cannot be fetched.",
            why=last_words(said, variables),
            next_step=f"Check the network and the proxy, or name a mirror or a folder with {MIRROR}; or install "
            f"Python {minor} yourself.",
        )
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    _remove_links(folder)
    with contextlib.suppress(FileNotFoundError):
        (folder / ".lock").chmod(0o600)  # uv lets everyone write to it
    return found[0]


def remove_unfinished(folder: Path) -> None:
    """Remove what an ended fetch left behind."""
    shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    _remove_links(folder)
    for each in _installations(folder):
        if not (each / FETCHED).exists():
            shutil.rmtree(each)


def _remove_links(folder: Path) -> None:
    """uv links each minor to its newest release, which would let an environment's Python change under it."""
    for each in folder.iterdir():
        if each.is_symlink():
            each.unlink(missing_ok=True)


def _installations(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink() and each.name[0] != "."]


@contextlib.contextmanager
def _checked_list(minor: str, environ: Mapping[str, str], *, offline: bool) -> Iterator[Path | None]:
    """A copy of the user's list of downloads, without those that have no hash; None if they have no list.

    uv's own list has a hash for each, but uv would take what another list names without one.
    """
    named = environ.get(LIST, "")
    if not named:
        yield None
        return
    listed = _parsed(named, _read_list(named, offline=offline))
    hashed = {name: each for name, each in listed.items() if SHA256.fullmatch(str(each.get("sha256") or ""))}
    if not any(_is_for(each, minor) for each in hashed.values()):
        raise NoEnvironment(
            f"Python {minor} cannot be fetched.",
            why=f"the list that {LIST} names has "
            + ("no hash for it" if any(_is_for(each, minor) for each in listed.values()) else "none of that version"),
            next_step=f"Add it with its sha256, leave {LIST} out, or install Python {minor} yourself.",
        )
    with tempfile.TemporaryDirectory(prefix="envguard-") as scratch:
        copy = Path(scratch, "downloads.json")
        copy.write_text(json.dumps(hashed), encoding="utf-8")
        yield copy


def _is_for(entry: Mapping[str, object], minor: str) -> bool:
    return entry.get("name") == "cpython" and f"{entry.get('major')}.{entry.get('minor')}" == minor


def _read_list(named: str, *, offline: bool) -> bytes:
    scheme = urlsplit(named).scheme
    try:
        if scheme in ("http", "https"):
            if offline:
                raise OSError("no network may be used")
            with urllib.request.urlopen(named, timeout=LIST_SECONDS) as answer:
                return bytes(answer.read(LARGEST_LIST))
        path = Path(urllib.request.url2pathname(urlsplit(named).path)) if scheme == "file" else Path(named)
        return path.read_bytes()
    except (OSError, ValueError, urllib.error.URLError) as error:
        raise NoEnvironment(
            f"The list of Pythons that {LIST} names cannot be read.",
            why=f"{named}: {error}",
            next_step=f"Name another with {LIST}, or leave it out.",
        ) from error


def _parsed(named: str, content: bytes) -> dict[str, dict[str, object]]:
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, dict) or not all(isinstance(each, dict) for each in listed.values()):
        raise NoEnvironment(
            f"The list of Pythons that {LIST} names is none.",
            why=f"{named} is not JSON in the form that uv reads",
            next_step=f"Name another with {LIST}, or leave it out.",
        )
    return listed

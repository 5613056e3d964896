"""Read the distributions in a site-packages folder: what each is, what it requires, where it came from, its files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envguard.doctor.environments.reading import entries, text
from envguard.store.records import ListedFile, listed_files

APT = Path("/usr/lib/python3/dist-packages")
RECORD = 64 << 20
_SYSTEMS = ("apk", "apt", "brew", "debian", "guix", "nix", "pacman", "portage", "rpm")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution: its `.dist-info` or `.egg-info`, and what that contains.

    `requires` are its requirements and `tags` its wheel's tags, as written; `files` are those it lists, empty if its
    RECORD is missing or damaged: then `recorded` is False. `python` are the Pythons that it is for. `installer` is who
    put it there: `pip`, `uv`, `conda`, or `system` for what the system's package manager owns. `source` is the folder
    of an editable one; `address` is where it was installed from, if not from an index.
    """

    name: str
    version: str
    folder: Path
    requires: tuple[str, ...]
    tags: tuple[str, ...]
    files: tuple[ListedFile, ...]
    recorded: bool
    python: str = ""
    installer: str = ""
    source: Path | None = None
    address: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def pinned(self) -> str:
        """What installs exactly this again."""
        return self.address or f"{self.name}=={self.version}"

    @property
    def of_pip(self) -> bool:
        """Whether pip and uv may mend it, and not a package manager."""
        return self.installer not in ("conda", "system")


def read_distributions(folder: Path) -> Iterator[Distribution]:
    """The distributions in a folder; what pip left half removed (`~ame-1.0.dist-info`) is none."""
    for row in entries(folder):
        if row.name.startswith("~"):
            continue
        if row.name.endswith(".dist-info") and Path(row.path).is_dir():
            yield _of_wheel(Path(row.path))
        elif row.name.endswith(".egg-info"):
            yield _of_egg(Path(row.path))


def _of_wheel(folder: Path) -> Distribution:
    metadata, wheel = _headers(folder / "METADATA"), _headers(folder / "WHEEL")
    name, _, version = folder.name.removesuffix(".dist-info").partition("-")
    record = folder / "RECORD"
    try:
        if not record.is_file() or record.stat().st_size > RECORD:
            raise ValueError("no list")
        files, recorded = listed_files(record), True
    except (OSError, ValueError):
        files, recorded = (), False
    source, address = _origin(text(folder / "direct_url.json"))
    return Distribution(
        name=_canonical(metadata.get("Name", [name])[0]),
        version=metadata.get("Version", [version])[0],
        folder=folder,
        requires=tuple(metadata.get("Requires-Dist", ())),
        tags=tuple(wheel.get("Tag", ())),
        files=files,
        recorded=recorded,
        python=metadata.get("Requires-Python", [""])[0],
        installer=_installer(folder),
        source=source,
        address=address,
    )


def _of_egg(folder: Path) -> Distribution:
    """What setuptools and Debian write: a folder or a file, and no list of files that could be compared."""
    metadata = _headers(folder / "PKG-INFO" if folder.is_dir() else folder)
    name, _, version = folder.name.removesuffix(".egg-info").partition("-")
    version = re.sub(r"-py\d.*", "", version)
    return Distribution(
        name=_canonical(metadata.get("Name", [name])[0]),
        version=metadata.get("Version", [version])[0],
        folder=folder,
        requires=tuple(metadata.get("Requires-Dist", ())),
        tags=(),
        files=(),
        recorded=True,
        installer=_installer(folder) or "egg",
    )


def _headers(path: Path) -> dict[str, list[str]]:
    """The headers of a metadata file; the long description below them is not read."""
    head = text(path).partition("\n\n")[0]
    found: dict[str, list[str]] = {}
    for key, value in HeaderParser().parsestr(head).items():
        found.setdefault(key, []).append(str(value).strip())
    return found


def _installer(folder: Path) -> str:
    if folder.parent == APT:
        return "system"
    said = text(folder / "INSTALLER").strip().lower() if folder.is_dir() else ""
    return "system" if said in _SYSTEMS else said[:40]


def _origin(direct_url: str) -> tuple[Path | None, str]:
    """An editable distribution's folder, and the address of one that came from elsewhere than an index (PEP 610)."""
    try:
        document = json.loads(direct_url)
        url, folder = str(document["url"]), document.get("dir_info", {})
        if url.startswith("file:"):
            place = unquote(urlsplit(url).path)
            return (Path(place), place) if folder.get("editable") is True else (None, place)
        control = document.get("vcs_info")
        return None, f"{control['vcs']}+{url}@{control['commit_id']}" if control else url
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return None, ""


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

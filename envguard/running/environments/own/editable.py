"""Make an editable wheel (PEP 660), which was built from a copy, lead to the project itself.

A backend writes the folder that it runs in into the wheel, and compiled modules beside their sources. Here both are put
right: the wheel names the project's own folder, and holds the modules, which are laid beside the sources from there.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from envguard.backends.building.wheels import Yard
from envguard.catalog.own_sources import COMPILED
from envguard.errors import NoEnvironment
from envguard.files import write_whole
from envguard.locks.sdists.own import LockedOwn

IN_PLACE = ".in-place"
"""The end of the folder in site-packages that holds the compiled modules of a package."""
BUILD = "build"
MOMENT = (1980, 1, 1, 0, 0, 0)


def settled(wheel: Path, yard: Yard, checkout: Path, name: str) -> Path:
    """The same wheel for the checkout whose copy it was built from; raises NoEnvironment if it cannot lead there."""
    with zipfile.ZipFile(wheel) as packed:
        files = {each: packed.read(each) for each in packed.namelist() if not each.endswith("/")}
    (record,) = (each for each in files if each.endswith(".dist-info/RECORD"))
    found = {each: _led(content, yard, checkout, name) for each, content in files.items() if each != record}
    for module in _compiled(yard.project):
        found[f"{name}{IN_PLACE}/{module.relative_to(yard.project).as_posix()}"] = module.read_bytes()
    found[record] = _record(found, record)
    target = yard.folder / "settled" / wheel.name
    target.parent.mkdir()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for each, content in found.items():
            entry = zipfile.ZipInfo(each, MOMENT)
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, content)
    return target


def lay_modules(site_packages: Path, project: Path, packages: tuple[LockedOwn, ...]) -> list[Path]:
    """Lay the compiled modules of editable packages beside their sources; gives back those that were not there.

    Raises NoEnvironment if one cannot be written.
    """
    laid = []
    for module, place in laid_modules(site_packages, project, packages):
        try:
            if not place.is_file() or place.read_bytes() != module.read_bytes():
                write_whole(place, module.read_bytes())
                laid.append(place)
        except OSError as error:
            raise NoEnvironment(
                f"The compiled module {place} cannot be written.",
                why=str(error),
                next_step="Editable packages have their compiled modules beside their sources; let yourself write "
                "there, or use a task, which installs a wheel.",
            ) from error
    return laid


def laid_modules(site_packages: Path, project: Path, packages: tuple[LockedOwn, ...]) -> Iterator[tuple[Path, Path]]:
    """The compiled modules of editable packages, each with its place in the project, and none out of it."""
    for package in packages:
        kept, checkout = site_packages / f"{package.name}{IN_PLACE}", project / package.path
        for module in sorted(kept.rglob("*")):
            place = checkout / module.relative_to(kept)
            if module.is_file() and place.parent.resolve().is_relative_to(checkout.resolve()):
                yield module, place


def _compiled(copy: Path) -> Iterator[Path]:
    for path in sorted(copy.rglob("*")):
        if COMPILED.fullmatch(path.name) and path.is_file() and path.relative_to(copy).parts[0] != BUILD:
            yield path


def _led(content: bytes, yard: Yard, checkout: Path, name: str) -> bytes:
    """A file of the wheel in which the checkout is named instead of its copy."""
    before, after = yard.project_as_seen, str(checkout.absolute())
    if before.encode() not in content and before.encode("unicode_escape") not in content:
        return content
    text = content.decode("utf-8", "surrogateescape")
    for old, new in dict.fromkeys(((before, after), (_escaped(before), _escaped(after)))):
        text = text.replace(old, new)
    for named in re.findall(re.escape(after) + r"[\w./+-]*", text):
        if not Path(named).exists():
            raise NoEnvironment(
                f"The package {name} cannot be installed editable.",
                why=f"its build backend would have Python read {named}, which is only there while it builds",
                next_step="Use it in a task, which installs its wheel, or choose another build backend.",
            )
    return text.encode("utf-8", "surrogateescape")


def _escaped(path: str) -> str:
    return path.encode("unicode_escape").decode()


def _record(files: Mapping[str, bytes], record: str) -> bytes:
    """The RECORD of such files, itself among them."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(content)])
    rows.writerow([record, "", ""])
    return text.getvalue().encode()

"""What an image is built from: the Dockerfile, its arguments, and the environment as a reproducible tar."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from envguard import __version__
from envguard.backends.inside import ENVIRONMENT, PYTHON, architecture_of, site_packages_in_image
from envguard.backends.protocol import Installed
from envguard.errors import NoEnvironment

PACKAGE = Path(__file__).resolve().parents[1]
TAR = "environment.tar"
MOMENT = 315532800  # 1980-01-01, the oldest time that every archive format can hold


def tag_of(installed: Installed) -> str:
    """The tag of an environment's image: environment, edition, Python, processor and lock.

    Without the processor, an image for another one that is loaded or pushed would take the tag from this one's.
    """
    lock, processor = installed.candidate.lock, architecture_of(installed.candidate.interpreter)
    python = f"cp{lock.python.replace('.', '')}"
    return f"envguard/{lock.environment}:{lock.edition}-{python}-{processor}-{lock.digest[:12]}"


def labels_of(installed: Installed) -> dict[str, str]:
    """The values of the labels, by their placeholders in the Dockerfile."""
    lock, interpreter = installed.candidate.lock, installed.candidate.interpreter
    return {
        "BASE_NAME": str(interpreter.base),
        "TITLE": f"{lock.environment} {lock.edition} on Python {lock.python}",
        "VERSION": __version__,
        "REVISION": source_revision(),
        "ENVIRONMENT": lock.environment,
        "EDITION": lock.edition,
        "PYTHON": interpreter.version_text,
        "LOCK": lock.digest,
        "KEY": installed.key,
    }


def build_files() -> Path:
    """The folder of the files that images are built with: beside the sources, or in the installed package."""
    installed = PACKAGE / "data" / "images"
    return installed if installed.is_dir() else PACKAGE.parent / "images"


def source_revision() -> str:
    """The commit of the checkout that envguard runs from; empty if it is installed, where the version tells."""
    git = PACKAGE.parent / ".git"
    try:
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text(encoding="utf-8").strip()
        packed = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""


def dockerfile(installed: Installed, *, elsewhere: bool = False) -> str:
    """The Dockerfile with everything filled in, so that it builds without arguments.

    A builder `elsewhere` may be a machine of another architecture, and would take its own base for the same packages.
    """
    text = (build_files() / "Dockerfile").read_text(encoding="utf-8")
    text = text.replace("ARG BASE\n", f"ARG BASE={installed.candidate.interpreter.base}\n")
    if elsewhere:
        platform = f"linux/{architecture_of(installed.candidate.interpreter)}"
        text = text.replace("\nFROM ${BASE}\n", f"\nFROM --platform={platform} ${{BASE}}\n")
    for name, value in labels_of(installed).items():
        text = text.replace(f"${{{name}}}", value)
    return text


def write_context(folder: Path, installed: Installed, *, elsewhere: bool = False) -> None:
    """Write what `docker build` needs, here or `elsewhere`, to a folder; raises NoEnvironment if that fails."""
    try:
        (folder / "Dockerfile").write_text(dockerfile(installed, elsewhere=elsewhere), encoding="utf-8")
        with (folder / TAR).open("wb") as file:
            write_environment(file, installed)
    except OSError as error:
        raise NoEnvironment(
            f"The build files of the image {tag_of(installed)} cannot be written to {folder}.",
            why=str(error),
            next_step="Free some space, or name another folder; builds use one in ENVGUARD_HOME.",
        ) from error


def write_environment(target: IO[bytes], installed: Installed) -> None:
    """Write the environment as it is laid out in the image: a virtual environment whose bytes follow from its lock.

    Owners are root, modes and times are normalised, names are sorted. Every folder is listed, because the engine would
    give any other the time at which it unpacks.
    """
    interpreter = installed.candidate.interpreter
    site_packages = site_packages_in_image(interpreter)
    home, version = interpreter.path.parent.as_posix(), interpreter.version_text
    configuration = f"home = {home}\ninclude-system-site-packages = false\nversion = {version}\n"
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in (*ENVIRONMENT.parents[:-1], ENVIRONMENT, PYTHON.parent):
            tar.addfile(_member(folder, tarfile.DIRTYPE))
        tar.addfile(_link(PYTHON, interpreter.path.as_posix()))
        # On PATH; the programs themselves stay beside what they belong to.
        programs = installed.layout.programs
        for name in sorted(path.name for path in programs.iterdir()) if programs.is_dir() else ():
            if name != PYTHON.name:
                tar.addfile(_link(PYTHON.with_name(name), (site_packages / programs.name / name).as_posix()))
        _add_bytes(tar, ENVIRONMENT / "pyvenv.cfg", configuration.encode())
        for folder in (site_packages.parents[1], site_packages.parent, site_packages):
            tar.addfile(_member(folder, tarfile.DIRTYPE))
        _add_below(tar, installed.layout.site_packages, site_packages)


def write_files(target: Path, files: Mapping[PurePosixPath, Path]) -> None:
    """Write files of this host as a reproducible tar; `files` are by their paths in an image."""
    folders = {parent for place in files for parent in place.parents if parent.name}
    with tarfile.open(target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for place in sorted({*folders, *files}):
            if place in files:
                _add_file(tar, files[place], place)
            else:
                tar.addfile(_member(place, tarfile.DIRTYPE))


def _add_below(tar: tarfile.TarFile, folder: Path, target: PurePosixPath) -> None:
    """Add everything in a folder, normalised, at `target`."""
    for path in _below(folder):
        place = target / path.relative_to(folder).as_posix()
        if path.is_symlink():
            tar.addfile(_link(place, os.readlink(path)))  # noqa: PTH115 - as it is written, not as Path writes it
        elif path.is_dir():
            tar.addfile(_member(place, tarfile.DIRTYPE))
        else:
            _add_file(tar, path, place)


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda each: each.name):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)


def _add_file(tar: tarfile.TarFile, path: Path, place: PurePosixPath) -> None:
    member = _member(place, tarfile.REGTYPE, executable=bool(path.stat().st_mode & 0o100))
    with path.open("rb") as content:
        member.size = os.fstat(content.fileno()).st_size
        tar.addfile(member, content)


def _add_bytes(tar: tarfile.TarFile, place: PurePosixPath, content: bytes) -> None:
    member = _member(place, tarfile.REGTYPE)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _link(place: PurePosixPath, target: str) -> tarfile.TarInfo:
    member = _member(place, tarfile.SYMTYPE)
    member.linkname = target
    return member


def _member(place: PurePosixPath, kind: bytes, *, executable: bool = False) -> tarfile.TarInfo:
    member = tarfile.TarInfo(place.as_posix().lstrip("/"))
    member.type, member.mtime = kind, MOMENT
    member.mode = 0o644 if kind == tarfile.REGTYPE and not executable else 0o755
    return member

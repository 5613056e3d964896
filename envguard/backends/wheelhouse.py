"""A folder with every wheel that a lock needs on a platform, so that a machine without network can install it.

uv keeps no wheels (its cache holds them unpacked), so pip downloads them: it can handle every kind of index, proxy,
certificate and credential.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path

from packaging.utils import parse_wheel_filename

from envguard.backends.installers.pip_settings import pip_variables
from envguard.errors import BadInput, NoEnvironment
from envguard.files import appearing_whole, file_facts, sync_folder
from envguard.host.secrets import without_secrets
from envguard.locks.lockfile import Lock
from envguard.locks.named_indexes import by_index
from envguard.locks.wheels import PinnedWheel
from envguard.system.moving import remove_tree, replace

TAIL_LINES = 20
REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Besides:
    """What else a wheelhouse holds: wheels that no index has, `built` here, and groups of `tools` that build there."""

    built: Sequence[Path] = ()
    tools: Sequence[Sequence[PinnedWheel]] = ()


NOTHING_ELSE = Besides()


def write_wheelhouse(
    target: Path,
    lock: Lock,
    wheels: Sequence[PinnedWheel],
    *,
    pip_python: Path,
    variables: Mapping[str, str],
    besides: Besides = NOTHING_ELSE,
) -> None:
    """Download wheels to a folder, or a tar if `target` ends in .tar, which appears whole or not at all.

    The lock is added as requirements.txt.

    `pip_python` is a Python that has pip, `variables` are what an installer may see, under uv's names. Raises
    NoEnvironment with pip's own words.
    """
    if target.exists():
        raise BadInput(f"{target} already exists.", next_step="Name a new folder or .tar with -o.")
    if not target.parent.is_dir():
        raise BadInput(
            f"The folder {target.parent} does not exist.", next_step="Create it, or name another folder with -o."
        )
    with _folder_aside(target) as folder:
        (folder / REQUIREMENTS).write_text(lock.text(), encoding="utf-8")
        for wheel in besides.built:
            shutil.copyfile(wheel, folder / wheel.name)
        for each in (wheels, *besides.tools):
            of_them = lock if each is wheels else replace_fields(lock, packages=tuple(one.package for one in each))
            _fetch(folder, of_them, each, pip_python, variables)
        _refuse_wrong_files(folder, [*wheels, *(one for each in besides.tools for one in each)])
        if target.suffix == ".tar":
            _pack(folder, target)
        else:
            replace(folder, target)
            sync_folder(target.parent)


def download_wheels(
    folder: Path, lock: Lock, wheels: Sequence[PinnedWheel], *, pip_python: Path, variables: Mapping[str, str]
) -> None:
    """Download wheels of a lock to a folder that exists; raises NoEnvironment with pip's own words."""
    _fetch(folder, lock, wheels, pip_python, variables)
    _refuse_wrong_files(folder, wheels)


def _fetch(
    folder: Path, lock: Lock, wheels: Sequence[PinnedWheel], pip_python: Path, variables: Mapping[str, str]
) -> None:
    for part, asking in by_index(lock, variables):
        of_it = [each for each in wheels if each.package in part.packages and not each.package.is_own]
        if of_it:
            _download(folder, part, of_it, pip_python, asking)


def _download(
    folder: Path, lock: Lock, wheels: Sequence[PinnedWheel], pip_python: Path, variables: Mapping[str, str]
) -> None:
    wanted = folder.with_name(f"{folder.name}.txt")
    platforms = {tag.platform for each in wheels for tag in parse_wheel_filename(each.wheel.filename)[3]} - {"any"}
    abi = f"cp{lock.python.replace('.', '')}"
    command: list[str | Path] = [
        pip_python, "-I", "-m", "pip", "download", "--dest", folder, "--requirement", wanted, "--require-hashes",
        "--no-deps", "--only-binary", ":all:", "--python-version", lock.python, "--implementation", "cp",
        "--abi", abi, "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "off",
        # uv, which resolved the lock, ignores upper bounds of Requires-Python, which are mostly guesses.
        "--no-color", "--quiet", "--ignore-requires-python",
    ]  # fmt: skip
    for platform in sorted(platforms):
        command += ["--platform", platform]
    try:
        # One hash each and no marker: the wheel has been chosen, perhaps for another platform than this one.
        pins = [f"{each.package.name}=={each.package.version} --hash=sha256:{each.wheel.sha256}\n" for each in wheels]
        wanted.write_text("".join(pins), encoding="utf-8")
        run = subprocess.run(
            command,
            env=pip_variables(variables),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    finally:
        wanted.unlink(missing_ok=True)
    if run.returncode != 0:
        raise NoEnvironment(
            f"The wheels of {lock.environment} {lock.edition} for Python {lock.python} cannot be downloaded.",
            why=without_secrets("\n".join(run.stdout.strip().splitlines()[-TAIL_LINES:]), variables),
            next_step="Check the network, the proxy and the index settings; then run the same command again.",
        )


def _refuse_wrong_files(folder: Path, wheels: Sequence[PinnedWheel]) -> None:
    """Refuse any file but those that were asked for, whatever pip did; each has the name that the lock gives it.

    uv, which wrote the lock, writes the names of packages in lower case; an index may spell them as in `PySocks-1.7.1`.
    """
    wanted = {each.wheel.filename: each.wheel.sha256 for each in wheels}
    names = {digest: name for name, digest in wanted.items()}
    found = {}
    for path in list(folder.glob("*.whl")):
        digest = file_facts(path).sha256
        name = names.get(digest, path.name)
        path.replace(folder / name)
        found[name] = digest
    if found != wanted:
        wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise NoEnvironment(
            "The downloaded wheels are not those of the lock.",
            why=", ".join(wrong),
            next_step="Check your package index; then run the same command again.",
        )


def _pack(folder: Path, target: Path) -> None:
    """Write a tar whose bytes depend on its files alone."""
    with appearing_whole(target) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.iterdir()):
            member = tarfile.TarInfo(f"{target.stem}/{path.name}")
            member.size = path.stat().st_size
            member.mode = 0o644
            with path.open("rb") as content:
                tar.addfile(member, content)


@contextlib.contextmanager
def _folder_aside(target: Path) -> Iterator[Path]:
    folder = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        folder.mkdir()
    except OSError as error:
        raise BadInput(
            f"{target} cannot be created.", why=str(error), next_step="Name another path with -o."
        ) from error
    try:
        yield folder
    finally:
        remove_tree(folder, ignore_errors=True)

"""Write a lock as `pylock.toml` (PEP 751), which must contain the wheels' addresses on the index in use."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from packaging.pylock import Pylock

from envguard.errors import NoEnvironment
from envguard.locks.lockfile import Lock, LockedPackage
from envguard.locks.named_indexes import by_index
from envguard.locks.resolver import CannotAsk
from envguard.locks.uv import UvSetup
from envguard.requirement import Place
from envguard.toml import parse_toml


@dataclass(frozen=True, slots=True)
class Address:
    """A wheel's address on a package index, without credentials, and its size in bytes if the index tells it."""

    url: str
    size: int | None


def addresses(lock: Lock, uv: UvSetup) -> dict[str, Address]:
    """The addresses of the lock's wheels on the configured index, by SHA-256, but not those that requirements tell.

    Raises CannotAsk with uv's own words, and NoEnvironment that names the wheels that the index does not have.
    """
    own = [f"{each.name} {each.version}" for each in lock.packages if each.is_own and not each.address]
    if own:
        raise NoEnvironment(
            f"{lock.environment} {lock.edition} cannot be written as a pylock.toml.",
            why=f"that names files at addresses, and nobody serves the wheels of {', '.join(own)}",
            next_step=f"Write a folder with all of them: envguard export {lock.environment} --format wheelhouse",
        )
    found: dict[str, Address] = {}
    lock = replace(lock, packages=tuple(each for each in lock.packages if not each.address))
    for part, variables in by_index(lock, uv.variables):
        found |= _of_one_index(part, replace(uv, variables=variables)) if part.packages else {}
    missing = [wheel.filename for package in lock.packages for wheel in package.wheels if wheel.sha256 not in found]
    if missing:
        raise NoEnvironment(
            f"The package index does not have {len(missing)} wheels of {lock.environment} {lock.edition}.",
            why=", ".join(missing),
            next_step="Use an index that has them, or create the lock again with `envguard lock`.",
        )
    return found


def _of_one_index(lock: Lock, uv: UvSetup) -> dict[str, Address]:
    with tempfile.TemporaryDirectory(prefix="envguard-pylock-") as name:
        folder = Path(name)
        (folder / "lock.txt").write_text(lock.text(), encoding="utf-8")
        output = folder / "pylock.toml"
        command: list[str | Path] = [
            uv.binary, "pip", "compile", folder / "lock.txt", "--universal", "--python-version", lock.python,
            "--no-deps", "--no-config", "--no-python-downloads", "--only-binary", ":all:", "--format", "pylock.toml",
            "--output-file", output, "--cache-dir", uv.cache, "--color", "never", "--quiet",
        ]  # fmt: skip
        run = subprocess.run(
            command, env=dict(uv.variables), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8"
        )
        if run.returncode != 0:
            raise CannotAsk(
                f"The addresses of the wheels of {lock.environment} {lock.edition} cannot be looked up.",
                why=run.stderr.strip(),
                next_step="Check the network, the proxy and the index settings; `envguard lock --check` tells more.",
            )
        return dict(_addresses(parse_toml(output.read_text(encoding="utf-8"))))


def pylock_text(lock: Lock, where: Mapping[str, Address], places: Mapping[str, Place]) -> str:
    """The lock as a `pylock.toml` that `packaging.pylock` accepts; `where` is by SHA-256, `places` by their digests."""
    head = [
        'lock-version = "1.0"',
        f"requires-python = {_quoted(f'=={lock.python}.*')}",
        'created-by = "envguard"',
        *([] if lock.packages else ["packages = []"]),  # as of a project's package that needs no other
    ]
    text = "\n".join([*head, *(line for package in lock.packages for line in _package(package, where, places))]) + "\n"
    Pylock.from_dict(parse_toml(text)).validate()
    return text


def _addresses(document: Mapping[str, object]) -> Iterator[tuple[str, Address]]:
    for package in Pylock.from_dict(document).packages:
        for wheel in package.wheels or ():
            if wheel.url:
                yield wheel.hashes["sha256"], Address(_without_credentials(wheel.url), wheel.size)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _package(package: LockedPackage, where: Mapping[str, Address], places: Mapping[str, Place]) -> Iterator[str]:
    yield ""
    yield "[[packages]]"
    yield f"name = {_quoted(package.name)}"
    yield f"version = {_quoted(package.version)}"
    if package.marker:
        yield f"marker = {_quoted(package.marker)}"
    if package.address:
        yield _at(places[package.address], package)
        return
    yield "wheels = ["
    for wheel in package.wheels:
        address = where[wheel.sha256]
        size = "" if address.size is None else f"size = {address.size}, "
        yield (
            f"    {{ name = {_quoted(wheel.filename)}, url = {_quoted(address.url)}, {size}"
            f"hashes = {{ sha256 = {_quoted(wheel.sha256)} }} }},"
        )
    yield "]"


def _at(place: Place, package: LockedPackage) -> str:
    """What a requirement tells the address of."""
    if package.commit:
        where = f", subdirectory = {_quoted(place.subdirectory)}" if place.subdirectory else ""
        return f'vcs = {{ type = "git", url = {_quoted(place.where)}, commit-id = {_quoted(package.commit)}{where} }}'
    sha256 = package.build.sha256 if package.build else package.wheels[0].sha256
    return f"archive = {{ url = {_quoted(place.where)}, hashes = {{ sha256 = {_quoted(sha256)} }} }}"


def _quoted(text: str) -> str:
    """A TOML basic string; all of JSON's escapes are valid in TOML."""
    return json.dumps(text, ensure_ascii=False)

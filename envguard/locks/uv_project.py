"""What uv is asked when a lock is made: a project with limits and sources, and the arguments of its commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from envguard.locks.lockfile import LockRequest
from envguard.platform_tags import PLATFORMS
from envguard.requirement import by_name, written

# The oldest that uv may run on; which minor is resolved for is told by `environments`.
_ANY_PYTHON = ">=3.8"
SETTINGS = "uv.toml"
_TO_FILE = ("--format", "pylock.toml", "--output-file")


def write_project(request: LockRequest, folder: Path, addresses: Mapping[str, str], found: Collection[str]) -> Path:
    """Write a `pyproject.toml` whose dependencies, limits and sources are those of the request.

    Without platforms in the request, every package may lack wheels for some; with them, a release is chosen that has
    wheels for each. `addresses` are those of its indexes. uv takes from them what is required here, so packages that
    were `found` among the dependencies of others are required in a group, which is resolved too and not exported.
    Raises ValueError for what is no requirement.
    """
    python = f"python_version == '{request.python}'"
    markers = [f"{python} and {PLATFORMS[name].marker}" for name in request.platforms]
    tables: list[tuple[str, dict[str, object]]] = [
        (
            "[project]",
            {
                "name": "envguard-lock",
                "version": "0",
                "requires-python": _ANY_PYTHON,
                "dependencies": [by_name(each) for each in request.requires],
            },
        ),
        ("[dependency-groups]", {"found": sorted(found)}),
        (
            "[tool.uv]",
            {
                "package": False,
                "default-groups": [],
                "environments": markers or [python],
                "required-environments": markers,
                "override-dependencies": [written(each) for each in request.overrides],
                "constraint-dependencies": [written(each) for each in request.pins],
            },
        ),
    ]
    tables += _sources(request)
    tables += [("[[tool.uv.index]]", {"name": name, "url": url, "explicit": True}) for name, url in addresses.items()]
    (folder / SETTINGS).write_text("\n".join(_settings(request)), encoding="utf-8")
    path = folder / "pyproject.toml"
    path.write_text("\n".join(line for title, values in tables for line in _table(title, values)), encoding="utf-8")
    return path


def _sources(request: LockRequest) -> list[tuple[str, dict[str, object]]]:
    """Where single packages come from: an index of their own, or files on this disk."""
    given = [(canonicalize_name(each.package.name), each) for each in request.given]
    names = {name for name, _ in given}
    found: list[tuple[str, dict[str, object]]] = [
        (f"[tool.uv.sources.{name}]", {"index": index}) for name, index in request.indexes if name not in names
    ]
    for name, each in given:
        where: dict[str, object] = {"marker": each.marker} if each.marker else {}
        found.append((f"[[tool.uv.sources.{name}]]", {"path": str(each.path.absolute()), **where}))
    return found


def _settings(request: LockRequest) -> Iterable[str]:
    """uv's settings: what the packages to build require, so that uv need not run anything of theirs to find out.

    Of releases that are not known yet, it is taken that they require nothing.
    """
    for name in request.build:
        yield from _table("[[dependency-metadata]]", {"name": name, "requires-dist": []})
    for each in request.known:
        values = {"name": each.name, "version": each.version, "requires-dist": list(each.requires)}
        yield from _table("[[dependency-metadata]]", values)


def _from_sdists(request: LockRequest) -> list[str]:
    """The options that let uv choose sdists, of these packages alone."""
    return [f"--no-binary-package={name}" for name in request.build]


def _table(title: str, values: Mapping[str, object]) -> Iterable[str]:
    """A TOML table; texts and lists of printable ASCII are written alike in JSON and TOML."""
    yield title
    yield from (f"{key} = {json.dumps(value)}" for key, value in values.items())
    yield ""


def compile_command(wanted: Path, output: Path, request: LockRequest, cut_off: str, cache: Path) -> list[str | Path]:
    """uv's arguments to resolve a file of requirements or a project for the request's Python and all later ones."""
    return [
        "pip", "compile", wanted, "--universal", "--python-version", request.python, "--only-binary", ":all:",
        *([] if request.dependencies else ["--no-deps"]), *(f"--no-binary={name}" for name in request.build),
        "--prerelease", request.prereleases, *_dates(request, cut_off), *_TO_FILE, output,
        *_like_here(cache, settings=bool(request.build)),
    ]  # fmt: skip


def resolve_command(request: LockRequest, cut_off: str, cache: Path) -> list[str | Path]:
    """uv's arguments to resolve the project in the working folder."""
    return [
        "lock", "--no-build", *_from_sdists(request), "--prerelease", request.prereleases, *_dates(request, cut_off),
        *_like_here(cache, settings=bool(request.build)),
    ]  # fmt: skip


def _dates(request: LockRequest, cut_off: str) -> Iterable[str]:
    """The moment after which uploads are ignored.

    What an index of its own serves is taken without one: such indexes seldom tell when files were uploaded.
    """
    if request.dated:
        yield from ("--exclude-newer", cut_off)
        yield from (f"--exclude-newer-package={package}=false" for package, _ in request.indexes)


def _like_here(cache: Path, *, settings: bool = False) -> Iterable[str | Path]:
    """What no configuration file but our own `settings` may change, and where uv keeps what it fetched."""
    yield from ("--config-file", SETTINGS) if settings else ("--no-config",)
    yield from ("--no-python-downloads", "--python", sys.executable)
    yield from ("--cache-dir", cache, "--color", "never", "--quiet")


def export_command(output: Path, cache: Path) -> list[str | Path]:
    """uv's arguments to write what it resolved as a `pylock.toml`."""
    return ["export", "--frozen", "--no-emit-project", *_TO_FILE, output, *_like_here(cache)]

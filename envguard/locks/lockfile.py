"""The lock file: a requirements file with pins and hashes, whose comments say what it locks and which wheels exist.

pip and uv read it unchanged (`--require-hashes`). It names no package index, so it works with any mirror or private
index. A comment line above each requirement names the wheels whose hashes follow, so that missing wheels are known
before anything is downloaded.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from envguard.errors import BrokenData
from envguard.locks.sdists.built import LINES, KnownRelease, LockedBuild, is_wheel_of
from envguard.locks.sdists.own import LockedOwn, read_own
from envguard.npm_package import NpmPackage
from envguard.platform_tags import PLATFORMS
from envguard.requirement import LOCAL, OwnPackage, Place, is_plain_pin, parsed, place_of, recorded
from envguard.table_reader import NAME

TITLE = "# envguard lock 1"
LARGEST_LOCK = 5_000_000

_LOCK_AGAIN = "Restore it from version control; or delete it, and `envguard lock` makes a new one."

# Everything else would be a control character, which a tool that reads lines may take for the end of one.
_WRITTEN = re.compile(r"[ -~\n]*")
_HEAD = {
    "environment": NAME,
    "edition": NAME,
    "python": re.compile(r"3\.[0-9]{1,2}"),
    "cut-off": re.compile(r"[0-9][0-9A-Za-z:.+ -]*"),
}
_FIELD = re.compile(
    r"# (environment|edition|python|cut-off|requires|override|build|npm|platform|dependencies|project|packages): (\S.*)"
)
_PACKAGE = re.compile(
    r"(?:# index: (?P<index>[a-z0-9-]+)\n)?"
    r"(?:# address: (?P<address>[0-9a-f]{64})\n(?:# commit: (?P<commit>[0-9a-f]{40,64})\n)?)?"
    rf"(?P<build>{LINES})?"
    rf"(?:# {LOCAL.pattern.replace('file:(', 'file: (?P<file>', 1)}\n)?"
    r"(?P<wheels>(?:# wheel: [A-Za-z0-9_.!+-]+\.whl\n)+)"
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)(?: ; (?P<marker>[^\\#\n]+))? \\\n"
    r"(?P<hashes>(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)


@dataclass(frozen=True, slots=True)
class LockedWheel:
    """A wheel's file name, which contains its tags, and its SHA-256 in hex."""

    filename: str
    sha256: str


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One pinned package; `marker` (PEP 508) is empty if every platform needs it.

    `index` names the package index that it comes from, if that is not the one that serves most packages. If its wheel
    was built from source, `build` says how; if it lies in the project, `file` is its path from there; if a requirement
    names the address that it, or its source, is from, `address` is the SHA-256 of that, and `commit` the one of Git.
    """

    name: str
    version: str
    marker: str
    wheels: tuple[LockedWheel, ...]
    index: str = ""
    build: LockedBuild | None = None
    file: str = ""
    address: str = ""
    commit: str = ""

    @property
    def is_own(self) -> bool:
        """Whether no index has its wheel."""
        return self.build is not None or self.is_given

    @property
    def is_given(self) -> bool:
        """Whether a requirement says where it is."""
        return self.file != "" or self.address != ""


@dataclass(frozen=True, slots=True)
class Lock:
    """Every pin and hash of one environment edition on one Python minor.

    Uploads after `cut_off` (RFC 3339, UTC) were ignored, and without `dependencies` everything but the requirements.
    `platforms` are the names of those that it is for; none stands for all. `build` are the packages that are built from
    their sdists, if they are needed; `own` those of the project itself, whose code is not locked.
    """

    environment: str
    edition: str
    python: str
    cut_off: str
    requires: tuple[str, ...]
    overrides: tuple[str, ...]
    packages: tuple[LockedPackage, ...]
    npm: tuple[NpmPackage, ...] = ()
    dependencies: bool = True
    platforms: tuple[str, ...] = ()
    build: tuple[str, ...] = ()
    own: tuple[LockedOwn, ...] = ()

    def text(self) -> str:
        """The file's content; equal locks give equal bytes."""
        lines = [
            TITLE,
            f"# environment: {self.environment}",
            f"# edition: {self.edition}",
            f"# python: {self.python}",
            f"# cut-off: {self.cut_off}",
            *(f"# requires: {requirement}" for requirement in self.requires),
            *(f"# override: {requirement}" for requirement in self.overrides),
            *(f"# build: {name}" for name in self.build),
            *(f"# npm: {package}" for package in self.npm),
            *(f"# platform: {name}" for name in self.platforms),
            *(() if self.dependencies else ("# dependencies: none",)),
            *(line for each in self.own for line in each.lines()),
            # Without the count, a file truncated between two packages would be a valid lock of fewer packages.
            f"# packages: {len(self.packages)}",
        ]
        for package in self.packages:
            marker = f" ; {package.marker}" if package.marker else ""
            lines.append("")
            if package.index:
                lines.append(f"# index: {package.index}")
            if package.address:
                lines.append(f"# address: {package.address}")
            if package.commit:
                lines.append(f"# commit: {package.commit}")
            lines.extend(package.build.lines() if package.build else ())
            if package.file:
                lines.append(f"# file: {package.file}")
            lines.extend(f"# wheel: {wheel.filename}" for wheel in package.wheels)
            lines.append(f"{package.name}=={package.version}{marker} \\")
            hashes = [f"    --hash=sha256:{wheel.sha256}" for wheel in package.wheels]
            lines.append(" \\\n".join(hashes))
        return "\n".join(lines) + "\n"

    @property
    def built(self) -> tuple[str, ...]:
        """The releases whose wheels were built from source."""
        return tuple(f"{package.name} {package.version}" for package in self.packages if package.build)

    def bare_text(self) -> str:
        """The requirements and hashes without comments."""
        lines = [line for line in self.text().split("\n") if line and not line.startswith("#")]
        return "\n".join(lines) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the file's content, in hex."""
        return hashlib.sha256(self.text().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class GivenWheel:
    """The wheel of a package that a requirement gives the place of, as it is on this disk.

    The requirement counts where its `marker` (PEP 508) is true; an empty one is everywhere.
    """

    path: Path
    package: LockedPackage
    marker: str = ""


@dataclass(frozen=True, slots=True)
class LockRequest:
    """What a lock is wanted for: one edition of an environment on one Python minor.

    `requires` and `overrides` are as in the catalog (PEP 508); with `dependencies` off, only the requirements
    themselves are locked. `npm` are packages of npm's, which need no resolving. `platforms` are the names of those that
    the lock is for; none stands for all. `pins` (PEP 508) keep versions that an earlier lock has. `prereleases` is what
    uv is told of them; by default, they count where nothing else will do. `indexes` are packages, each with the name of
    the index that alone may serve it; with `dated` off, the index of all others tells no dates. `build` are the
    packages that are built from their sdists; what is `known` of those need not be asked of them. Wheels that
    requirements name lie below `folder`, as packages of the project's `own` do; `given` are all that are there for
    requirements with a place, once they are fetched. What `before` has from an address, out of an earlier lock, is not
    asked for there again.
    """

    environment: str
    edition: str
    python: str
    requires: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    dependencies: bool = True
    npm: tuple[NpmPackage, ...] = ()
    platforms: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    prereleases: Literal["allow", "disallow", "if-necessary-or-explicit"] = "if-necessary-or-explicit"
    indexes: tuple[tuple[str, str], ...] = ()
    dated: bool = True
    build: tuple[str, ...] = ()
    known: tuple[KnownRelease, ...] = ()
    folder: Path = Path()
    given: tuple[GivenWheel, ...] = ()
    before: tuple[LockedPackage, ...] = ()
    own: tuple[OwnPackage, ...] = ()

    @property
    def placed(self) -> tuple[tuple[Requirement, Place], ...]:
        """The requirements that name a place, and that; raises ValueError for what is no requirement."""
        read = (parsed(each, local=True, locked=True) for each in self.requires)
        return tuple((each, place) for each in read if (place := place_of(each)))

    @property
    def digest(self) -> str:
        """SHA-256 in hex, which names the request in records as long as there is no lock."""
        return self.lock("", ()).digest

    def lock(self, cut_off: str, packages: tuple[LockedPackage, ...]) -> Lock:
        """The lock that answers the request with these packages."""
        requires, overrides = tuple(map(recorded, self.requires)), self.overrides
        return Lock(
            self.environment, self.edition, self.python, cut_off, requires, overrides, packages, self.npm,
            self.dependencies, self.platforms, self.build,
        )  # fmt: skip


def lock_path(lockfiles: Path, environment: str, edition: str, python: str) -> Path:
    """The path of the lock for that edition and Python minor."""
    return lockfiles / environment / edition / f"cp{python.replace('.', '')}.txt"


def read_lock(path: Path) -> Lock:
    """Read a lock file; raises BrokenData that names the line if it is not exactly what `Lock.text` writes.

    Only its lines may end as Windows ends them, all of them: Git does that to a project whose files it may convert.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_LOCK + 1)
    except OSError as error:
        raise BrokenData(f"The lock file {path} cannot be read.", why=str(error), next_step=_LOCK_AGAIN) from error
    return lock_of(raw, path)


def lock_of(raw: bytes, path: Path) -> Lock:
    """The lock in the content of a file, which errors call by its path; raises BrokenData as `read_lock`."""
    try:
        text = _with_plain_ends(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BrokenData(f"The lock file {path} cannot be read.", why=str(error), next_step=_LOCK_AGAIN) from error
    if len(raw) > LARGEST_LOCK:
        raise BrokenData(f"The lock file {path} is larger than {LARGEST_LOCK:,} bytes.", next_step=_LOCK_AGAIN)
    try:
        lock = _parse(text, path)
    except ValueError as error:  # something in it could be read as anything but a requirement by name, or is no package
        raise _damaged(path, f"it {error}") from error
    if lock.text() != text:
        raise _damaged(path, "its spacing or order differs from what envguard writes")
    return lock


def _with_plain_ends(text: str) -> str:
    plain = text.replace("\r\n", "\n")
    return plain if plain.count("\n") == text.count("\r\n") else text


def _parse(text: str, path: Path) -> Lock:
    if not _WRITTEN.fullmatch(text):
        raise _damaged(path, "it contains a character that is not printable ASCII")
    head, *blocks = text.rstrip("\n").split("\n\n")
    title, *lines = head.split("\n")
    if title != TITLE:
        raise _damaged(path, f"line 1 must be {TITLE!r}")
    fields: dict[str, list[str]] = {}
    for number, line in enumerate(lines, start=2):
        match = _FIELD.fullmatch(line)
        if match is None:
            raise _damaged(path, f"line {number} is not a field of a lock's head")
        fields.setdefault(match[1], []).append(match[2])
    for name, pattern in _HEAD.items():
        if len(fields.get(name, ())) != 1:
            raise _damaged(path, f"its head must name its {name} exactly once")
        if not pattern.fullmatch(fields[name][0]):
            raise _damaged(path, f"{fields[name][0][:60]!r} cannot be its {name}")
    for platform in fields.get("platform", ()):
        if platform not in PLATFORMS:
            raise _damaged(path, f"{platform[:60]!r} is none of the platforms {', '.join(PLATFORMS)}")
    for requirement in fields.get("requires", ()):
        parsed(requirement, locked=True)
    for requirement in fields.get("override", ()):
        parsed(requirement)
    return Lock(
        own=read_own(fields.get("project", ())),
        environment=fields["environment"][0],
        edition=fields["edition"][0],
        python=fields["python"][0],
        cut_off=fields["cut-off"][0],
        requires=tuple(fields.get("requires", ())),
        overrides=tuple(fields.get("override", ())),
        packages=tuple(_package(block, path) for block in blocks),
        npm=tuple(_npm_package(line, path) for line in fields.get("npm", ())),
        dependencies="dependencies" not in fields,
        platforms=tuple(fields.get("platform", ())),
        build=tuple(fields.get("build", ())),
    )


def _npm_package(said: str, path: Path) -> NpmPackage:
    try:
        return NpmPackage.parse(said)
    except ValueError as error:
        raise _damaged(path, f"its npm package {said[:60]!r} {error}") from error


def _package(block: str, path: Path) -> LockedPackage:
    match = _PACKAGE.fullmatch(block + "\n")
    if match is None:
        raise _damaged(path, f"the entry that starts with {block[:60]!r} is not a pin with its wheels and hashes")
    pin = f"{match['name']}=={match['version']}"
    if not is_plain_pin(pin, match["marker"] or ""):
        parsed(f"{pin} ; {match['marker']}" if match["marker"] else pin)
    filenames = re.findall(r"# wheel: (\S+)", match["wheels"])
    for filename in filenames:
        if not is_wheel_of(filename, match["name"], match["version"]):
            raise _damaged(path, f"{filename} is not a wheel of {match['name']} {match['version']}")
    hashes = re.findall(r"sha256:([0-9a-f]{64})", match["hashes"])
    if len(hashes) != len(filenames):
        raise _damaged(path, f"{match['name']} has {len(filenames)} wheels and {len(hashes)} hashes")
    wheels = tuple(LockedWheel(name, sha) for name, sha in zip(filenames, hashes, strict=True))
    try:
        build = LockedBuild.parse(match["build"] or "")
    except ValueError as error:
        raise _damaged(path, f"{match['name']} {error}") from error
    texts = {key: match[key] or "" for key in ("name", "version", "marker", "index", "file", "address", "commit")}
    return LockedPackage(**texts, wheels=wheels, build=build)


def _damaged(path: Path, why: str) -> BrokenData:
    return BrokenData(
        f"The lock file {path} is not as envguard wrote it.",
        why=why,
        next_step=_LOCK_AGAIN,
    )

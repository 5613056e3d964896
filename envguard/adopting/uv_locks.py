"""Read a uv.lock, as data: what the project needs, followed from package to package, becomes pins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from envguard.adopting.foreign_locks import ForeignPackage, file_name, pinned
from envguard.adopting.found import (
    FROM_AN_INDEX,
    MOST_REQUIREMENTS,
    NO_WHEEL,
    Found,
    Wanted,
    address_in,
    git_address,
    quoted,
    read_toml,
    refusal,
)
from envguard.adopting.lock_grid import Grid, Place

LOCAL = ("editable", "virtual")
NO_EXTRA = ""
NO_WANTED = Wanted()
Key = tuple[str, str]
"""A package's name and version; that of a project may be missing."""
Node = tuple[Key, str]
"""A package, and an extra of it or none."""
Table = Mapping[str, object]


class _Lock:
    """A uv.lock being read."""

    def __init__(self, path: Path, pythons: Sequence[str]) -> None:
        self.path = path
        document = read_toml(path)
        if document.get("version") != 1:
            raise refusal(path, "it is not a uv.lock of version 1")
        if "conflicts" in document:
            raise refusal(
                path,
                "its extras or groups exclude each other",
                "Write what you need as `uv export --format pylock.toml -o pylock.toml`, and use --from pylock.toml.",
            )
        self.requires_python = str(document.get("requires-python", ""))
        self.pythons = self._fitting(pythons)
        self.grid = Grid(self.pythons)
        self.packages: dict[Key, Table] = {}
        self._versions: dict[str, list[Key]] = {}
        for each in self.tables(document, "package"):
            key = self._key(each)
            self.packages[key] = each
            self._versions.setdefault(key[0], []).append(key)
        if len(self.packages) > MOST_REQUIREMENTS:
            raise refusal(path, f"it has more than {MOST_REQUIREMENTS:,} packages")
        self._known: dict[str, frozenset[Place]] = {}

    def _fitting(self, pythons: Sequence[str]) -> tuple[str, ...]:
        try:
            return tuple(each for each in pythons if SpecifierSet(self.requires_python).contains(f"{each}.99"))
        except InvalidSpecifier as error:
            raise refusal(self.path, f"its requires-python is none: {error}") from error

    def tables(self, values: Table, key: str) -> Sequence[Table]:
        """A list of tables, empty if it is not there."""
        found = values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
            raise refusal(self.path, f"{key} must be a list of tables")
        return found

    def table(self, values: Table, key: str) -> Table:
        """A table in another one, empty if it is not there."""
        found = values.get(key, {})
        if not isinstance(found, Mapping):
            raise refusal(self.path, f"{key} must be a table")
        return found

    def _key(self, package: Table) -> Key:
        name, version = package.get("name"), package.get("version", "")
        if not isinstance(name, str) or not isinstance(version, str):
            raise refusal(self.path, "a package of it has no name or no version")
        return canonicalize_name(name), version

    def meant(self, edge: Table) -> Key:
        """The package that a dependency is."""
        key = self._key(edge)
        found = [each for each in self._versions.get(key[0], []) if not key[1] or each == key]
        if len(found) != 1:
            raise refusal(self.path, f"it needs {quoted(' '.join(key).strip())}, and has {len(found)} such packages")
        return found[0]

    def where(self, edge: Table) -> frozenset[Place]:
        """The places where a dependency is one."""
        marker = edge.get("marker", "")
        if not isinstance(marker, str):
            raise refusal(self.path, "a marker of it is no text")
        if marker not in self._known:
            try:
                self._known[marker] = self.grid.where(Marker(marker) if marker else None, NO_WANTED)
            except (InvalidMarker, RecursionError) as error:
                raise refusal(self.path, f"{quoted(marker)} is not a marker") from error
        return self._known[marker]

    def edges(self, node: Node) -> Sequence[Table]:
        """What a package needs, or what an extra of it needs more."""
        key, extra = node
        package = self.packages[key]
        return (
            self.tables(self.table(package, "optional-dependencies"), extra)
            if extra
            else self.tables(package, "dependencies")
        )


def read_uv_lock(path: Path, wanted: Wanted, pythons: Sequence[str]) -> Found:
    """What the project of a uv.lock needs on these Pythons, with the extras and groups wanted; raises BadInput."""
    lock = _Lock(path, pythons)
    roots = [key for key, each in lock.packages.items() if any(kind in lock.table(each, "source") for kind in LOCAL)]
    first = [key for key in roots if "." in lock.table(lock.packages[key], "source").values()] or roots
    if not first:
        raise refusal(path, "it has no project whose needs it would lock")
    reached = _reached(lock, _begun(lock, first, wanted))
    needed = {_package(lock, key): places for key, places in reached.items() if key not in first}
    return pinned(path, needed, lock.pythons, first[0][0] if len(first) == 1 else "", lock.requires_python)


def _begun(lock: _Lock, roots: Sequence[Key], wanted: Wanted) -> dict[Node, frozenset[Place]]:
    """The projects themselves, their wanted extras, and what their wanted groups name."""
    begun = {(key, NO_EXTRA): lock.grid.places for key in roots}
    for what, names, table in (
        ("extra", wanted.extras, "optional-dependencies"),
        ("dependency group", wanted.groups, "dev-dependencies"),
    ):
        known = {name for key in roots for name in lock.table(lock.packages[key], table)}
        for name in map(canonicalize_name, names):
            if name not in known:
                choice = ", ".join(sorted(known)) or "none"
                raise refusal(lock.path, f"it has no {what} {name!r}", f"Choose one that it has: {choice}.")
            for key in roots:
                if table == "optional-dependencies":
                    begun[key, name] = lock.grid.places
                    continue
                for edge in lock.tables(lock.table(lock.packages[key], table), name):
                    for node in _nodes(lock, edge):
                        begun[node] = begun.get(node, frozenset()) | lock.where(edge)
    return begun


def _reached(lock: _Lock, begun: Mapping[Node, frozenset[Place]]) -> dict[Key, frozenset[Place]]:
    """Where each package is needed: followed until nothing is added any more."""
    places: dict[Node, frozenset[Place]] = {}
    waiting = dict(begun)
    while waiting:
        node, come = waiting.popitem()
        new = come - places.get(node, frozenset())
        if not new:
            continue
        places[node] = places.get(node, frozenset()) | new
        for edge in lock.edges(node):
            there = new & lock.where(edge)
            for inner in _nodes(lock, edge) if there else ():
                waiting[inner] = waiting.get(inner, frozenset()) | there
    found: dict[Key, frozenset[Place]] = {}
    for (key, _), there in places.items():
        found[key] = found.get(key, frozenset()) | there
    return found


def _nodes(lock: _Lock, edge: Table) -> Iterator[Node]:
    """The package of a dependency, and the extras of it that are asked for."""
    key = lock.meant(edge)
    yield key, NO_EXTRA
    extras = edge.get("extra", [])
    yield from ((key, each) for each in extras if isinstance(each, str)) if isinstance(extras, list) else ()


def _package(lock: _Lock, key: Key) -> ForeignPackage:
    package = lock.packages[key]
    source = lock.table(package, "source")
    wheels = tuple(
        str(each.get("filename") or file_name(str(each.get("url") or each.get("path") or "")))
        for each in lock.tables(package, "wheels")
    )
    registry = str(source.get("registry", ""))
    address = _address(source)
    elsewhere = "" if registry or address else FROM_AN_INDEX
    if registry and not wheels:
        elsewhere = NO_WHEEL
    return ForeignPackage(*key, wheels, registry if "://" in registry else "", elsewhere, address)


def _address(source: Table) -> str:
    """Where a package comes from that no index serves; of Git, uv writes `REPOSITORY?subdirectory=PATH#COMMIT`."""
    git = source.get("git")
    if not isinstance(git, str):
        return address_in(source)
    parts = urlsplit(git)
    inner = parse_qs(parts.query).get("subdirectory", [""])[0]
    return git_address(urlunsplit(parts._replace(query="", fragment="")), parts.fragment, inner)

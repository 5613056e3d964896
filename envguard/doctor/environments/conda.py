"""Read what conda says of a prefix (`conda-meta`), and find what pip has put over it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envguard.doctor.environments.curing import Surroundings, Tools, typed
from envguard.doctor.environments.distribution import Distribution
from envguard.doctor.environments.installed import InstalledEnvironment, canonical
from envguard.doctor.environments.reading import content, entries
from envguard.doctor.finding import Finding

LARGEST = 64 << 20
_METADATA = re.compile(r"site-packages/(?P<folder>(?P<name>[^/]+?)-(?P<version>[^/-]+)\.(dist|egg)-info)(/|$)")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Packages:
    """What conda has installed: the folders of metadata by package, the hash of each file, how conda is called."""

    prefix: Path
    program: str = "conda"
    metadata: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[Path, str] = field(default_factory=dict)

    def reinstall(self, distribution: Distribution) -> tuple[str, ...]:
        """Have conda install the same version over what is there."""
        wanted = f"{distribution.name}={self.versions.get(distribution.name, distribution.version)}"
        return (
            typed(self.program, "install", "--prefix", self.prefix, "--yes", "--no-deps", "--force-reinstall", wanted),
        )


def packages_of(environment: InstalledEnvironment, around: Surroundings) -> Packages:
    """What conda has installed in an environment; nothing in one that is not conda's."""
    if environment.kind != "conda":
        return Packages(environment.root)
    metadata: dict[str, str] = {}
    versions: dict[str, str] = {}
    hashes: dict[Path, str] = {}
    for row in entries(environment.root / "conda-meta"):
        if not row.name.endswith(".json"):
            continue
        for path, sha256 in _files(Path(row.path)):
            found = _METADATA.search(path)
            if found:
                name = canonical(found["name"])
                metadata[name], versions[name] = found["folder"], found["version"]
            if _SHA256.fullmatch(sha256):
                hashes[environment.root / path] = sha256
    return Packages(environment.root, _program(environment, around), metadata, versions, hashes)


def replaced_by_pip(environment: InstalledEnvironment, tools: Tools, conda: Packages) -> Iterator[Finding]:
    """Packages that conda installed and pip replaced, so that each believes that its own is there."""
    for distribution in environment.distributions:
        known = conda.metadata.get(distribution.name)
        if known is None or distribution.folder.name == known or not distribution.of_pip:
            continue
        yield Finding(
            "conda and pip",
            "finding",
            f"{distribution.name} is conda's in version {conda.versions[distribution.name]}, but pip put "
            f"{distribution.version} over it",
            f"{distribution.folder.name} is there, conda's list names {known}",
            "have one of them own it: remove pip's and install conda's again",
            (*tools.uninstall([distribution.name]), *conda.reinstall(distribution)),
        )


def _files(record: Path) -> Iterator[tuple[str, str]]:
    """Each file of a package, below the prefix, and its SHA-256 there; empty where conda has none."""
    try:
        document = json.loads(content(record, LARGEST) or b"null")
        paths = document["paths_data"]["paths"] if "paths_data" in document else []
        for each in paths:
            yield str(each["_path"]), str(each.get("sha256_in_prefix") or each.get("sha256") or "")
        if not paths:
            yield from ((str(each), "") for each in document["files"])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return


def _program(environment: InstalledEnvironment, around: Surroundings) -> str:
    own = environment.root / "bin" / "conda"
    named = around.environ.get("CONDA_EXE", "")
    return (
        named
        or next((each for each in ("conda", "mamba", "micromamba") if around.which(each)), "")
        or (str(own) if own.exists() else "conda")
    )

"""Check an environment's distributions: files, owners, versions, requirements. Nothing is run in it."""

from __future__ import annotations

import base64
import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import parse_tag

from envguard.doctor.finding import Finding
from envguard.doctor.installed import Distribution, InstalledEnvironment, canonical
from envguard.host.platform import marker_environment, supported_tags
from envguard.store.records import ListedFile

CHUNK = 1 << 20
READERS = min(4, os.cpu_count() or 1)
SHOWN = 3

# Distributions of one project that own the same import package. Nightlies named after their stable release are found
# by name.
FAMILIES = (
    ("tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu", "ai-edge-tensorflow", "tensorflow-intel"),
    ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless"),
)


def check_distributions(environment: InstalledEnvironment) -> tuple[Finding, ...]:
    """Everything wrong according to the installed metadata and files."""
    return (
        *_installed_twice(environment),
        *_relatives(environment),
        *_owned_twice(environment),
        *_damaged(environment),
        *_wrong_wheels(environment),
        *_unmet(environment),
    )


def _fresh(names: str) -> str:
    return f"recreate the environment with only what you need of {names}; `envguard create` makes proved ones"


def _installed_twice(environment: InstalledEnvironment) -> Iterator[Finding]:
    by_name: dict[str, list[Distribution]] = defaultdict(list)
    for each in environment.distributions:
        by_name[each.name].append(each)
    for name, several in by_name.items():
        if len(several) > 1:
            yield Finding(
                "installed twice",
                "finding",
                f"{name} is installed {len(several)} times",
                ", ".join(each.folder.name for each in several),
                f"uninstall {name} until it is gone, then install it once",
            )


def _relatives(environment: InstalledEnvironment) -> Iterator[Finding]:
    present = {each.name: each for each in environment.distributions}
    groups = [(name, f"{name}-nightly") for name in present]
    for group in (*groups, *FAMILIES):
        both = [present[name] for name in group if name in present]
        if len(both) > 1:
            names = " and ".join(map(str, both))
            yield Finding(
                "relatives",
                "finding",
                f"{names} are builds of the same project and overwrite each other",
                f"{_shared(both):,} files belong to more than one of them",
                _fresh(" or ".join(each.name for each in both)),
            )


def _shared(distributions: list[Distribution]) -> int:
    counts: dict[str, int] = defaultdict(int)
    for each in distributions:
        for path in {listed.path for listed in each.files}:
            counts[path] += 1
    return sum(count > 1 for count in counts.values())


def _owned_twice(environment: InstalledEnvironment) -> Iterator[Finding]:
    owners: dict[str, list[ListedFile]] = defaultdict(list)
    for distribution in environment.distributions:
        for listed in distribution.files:
            owners[listed.path].append(listed)
    clashes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, several in owners.items():
        for one, other in combinations(several, 2):
            if one.recorded != other.recorded and one.distribution != other.distribution:
                clashes[one.distribution, other.distribution].append(path)
    for (one_name, other_name), paths in clashes.items():
        yield Finding(
            "owned twice",
            "finding",
            f"{one_name} and {other_name} own {len(paths):,} files with different content",
            ", ".join(sorted(paths)[:SHOWN]),
            _fresh("the two"),
        )


def _damaged(environment: InstalledEnvironment) -> Iterator[Finding]:
    for distribution in environment.distributions:
        if not distribution.recorded:
            yield Finding(
                "record",
                "finding",
                f"{distribution} has no readable list of its files",
                str(distribution.folder / "RECORD"),
                f"reinstall {distribution.name}",
            )
            continue
        missing, changed = _compare(distribution)
        for paths, what in ((missing, "missing"), (changed, "changed")):
            if paths:
                yield Finding(
                    f"files {what}",
                    "finding",
                    f"{len(paths):,} of {len(distribution.files):,} files of {distribution} are {what}",
                    ", ".join(paths[:SHOWN]),
                    f"reinstall {distribution.name} with a fresh download (uv: --reinstall --refresh)",
                )


def _compare(distribution: Distribution) -> tuple[list[str], list[str]]:
    """The listed files that are missing, and those whose hash differs."""
    folder = distribution.folder.parent
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        states = list(pool.map(lambda listed: _state(folder, listed), distribution.files))
    named = list(zip(distribution.files, states, strict=True))
    return (
        [listed.path for listed, state in named if state == "missing"],
        [listed.path for listed, state in named if state == "changed"],
    )


def _state(folder: Path, listed: ListedFile) -> str:
    path = folder / listed.path
    algorithm, _, expected = listed.recorded.partition("=")
    try:
        if not expected or algorithm not in ("sha256", "sha384", "sha512"):
            return "" if path.exists() else "missing"
        digest = hashlib.new(algorithm)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        return "missing"
    return "" if base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == expected.rstrip("=") else "changed"


def _wrong_wheels(environment: InstalledEnvironment) -> Iterator[Finding]:
    supported = set(supported_tags(environment.interpreter))
    for distribution in environment.distributions:
        tags = {tag for text in distribution.tags for tag in parse_tag(text)}
        if tags and not tags & supported:
            yield Finding(
                "wheel",
                "finding",
                f"{distribution} was installed from a wheel for another Python or platform",
                f"{', '.join(distribution.tags[:SHOWN])}; this is Python {environment.interpreter.version_text} "
                f"on {environment.interpreter.facts.platform}",
                f"reinstall {distribution.name} with this environment's own Python",
            )


def _unmet(environment: InstalledEnvironment) -> Iterator[Finding]:
    """What `pip check` checks: unmet requirements, one finding per distribution."""
    present = {each.name: each.version for each in environment.distributions}
    markers = {**marker_environment(environment.interpreter), "extra": ""}
    for distribution in environment.distributions:
        unmet = list(_unmet_by(distribution, present, markers))
        if unmet:
            wanted = " ".join(f"'{requirement}'" for requirement, _ in unmet)
            yield Finding(
                "requirements",
                "finding",
                f"{distribution} has requirements that are missing or have another version",
                ", ".join(f"{requirement} {said}" for requirement, said in unmet),
                f"uv pip install --python {environment.python} {wanted}",
            )


def _unmet_by(
    distribution: Distribution, present: Mapping[str, str], markers: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Each unmet requirement, and what is installed instead."""
    for text in distribution.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate(markers):
            continue
        wanted = f"{requirement.name}{requirement.specifier}"
        version = present.get(canonical(requirement.name))
        if version is None:
            yield wanted, "(not installed)"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield wanted, f"(is {version})"

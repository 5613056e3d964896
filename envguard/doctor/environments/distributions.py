"""Check an environment's distributions by what they say of themselves: owners, versions, wheels, requirements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag

from envguard.doctor.environments.curing import Tools, typed
from envguard.doctor.environments.distribution import Distribution
from envguard.doctor.environments.installed import InstalledEnvironment, canonical
from envguard.doctor.finding import Finding, Level, shown_of
from envguard.host.platform import marker_environment, supported_tags
from envguard.requirement import parsed
from envguard.store.records import ListedFile

# Distributions of one project that own the same import package. Nightlies named after their stable release are found
# by name. Where nothing else tells, the first that is there is kept.
FAMILIES = (
    ("tensorflow", "tensorflow-cpu", "tensorflow-intel", "ai-edge-tensorflow", "tf-nightly", "tf-nightly-cpu"),
    ("opencv-contrib-python", "opencv-python", "opencv-contrib-python-headless", "opencv-python-headless"),
)
_CODE = (".py", ".so", ".pyd", ".dll", ".dylib")
# Folders that wheels contain by mistake, and that nobody imports.
_BY_MISTAKE = ("tests", "test", "docs", "examples", "benchmarks", "scripts")


def installed_twice(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    """Packages with two sets of metadata in one folder: of these, pip removes only one."""
    by_name: dict[tuple[str, str], list[Distribution]] = defaultdict(list)
    for each in environment.distributions:
        if each.of_pip:
            by_name[each.name, str(each.folder.parent)].append(each)
    for (name, _), several in by_name.items():
        metadata = [each for each in several if each.folder.name.endswith(".dist-info")]
        if len(metadata) > 1:
            kept = max(metadata, key=lambda each: (each.recorded, _is_called_as_it_says(each), _written(each)))
            yield Finding(
                "installed twice",
                "finding",
                f"{name} is installed {len(metadata)} times",
                ", ".join(each.folder.name for each in metadata),
                f"remove what is left of the others, and install {kept}, the last one, again",
                (*(typed("rm", "-rf", each.folder) for each in metadata if each != kept), *tools.reinstall([kept])),
            )


def _is_called_as_it_says(distribution: Distribution) -> bool:
    return distribution.folder.name.endswith(f"-{distribution.version}.dist-info")


def _written(distribution: Distribution) -> float:
    try:
        return (distribution.folder / "METADATA").stat().st_mtime
    except OSError:
        return 0.0


def relatives(environment: InstalledEnvironment, tools: Tools) -> Iterator[tuple[Finding, frozenset[str]]]:
    """Builds of one project that overwrite each other, and their names."""
    present = {each.name: each for each in environment.distributions}
    groups = [(name, f"{name}-nightly") for name in present]
    for group in (*groups, *FAMILIES):
        both = [present[name] for name in group if name in present]
        if len(both) > 1:
            kept = next((each for each in both if _is_wanted(each, environment)), both[0])
            names = frozenset(each.name for each in both)
            yield (
                Finding(
                    "relatives",
                    "finding",
                    f"{' and '.join(map(str, both))} are builds of the same project and overwrite each other",
                    f"{_shared(both):,} files belong to more than one of them",
                    f"remove all of them, then install the one that you need: {kept.name}, unless you know better",
                    (*tools.uninstall(names), *tools.reinstall([kept])),
                ),
                names,
            )


def _is_wanted(distribution: Distribution, environment: InstalledEnvironment) -> bool:
    """Whether another distribution requires this one."""
    return any(
        canonical(requirement.name) == distribution.name
        for each in environment.distributions
        for requirement, _ in requirements_of(each)
    )


def _shared(distributions: list[Distribution]) -> int:
    counts: dict[str, int] = defaultdict(int)
    for each in distributions:
        for path in {listed.path for listed in each.files}:
            counts[path] += 1
    return sum(count > 1 for count in counts.values())


def owned_twice(environment: InstalledEnvironment, tools: Tools, known: frozenset[str]) -> Iterator[Finding]:
    """Distributions that own the same modules with different content; those `known` to be relatives left out."""
    owners: dict[tuple[str, str], list[tuple[Distribution, ListedFile]]] = defaultdict(list)
    for distribution in environment.distributions:
        if distribution.name not in known and distribution.of_pip:
            for listed in distribution.files:
                if listed.path.endswith(_CODE) and not listed.path.startswith(("..", *_BY_MISTAKE)):
                    owners[str(distribution.folder.parent), listed.path].append((distribution, listed))
    clashes: dict[tuple[str, str], list[str]] = defaultdict(list)
    named = {each.name: each for each in environment.distributions}
    for (_, path), several in owners.items():
        for (one, first), (other, second) in combinations(several, 2):
            if first.recorded != second.recorded and one.name != other.name:
                clashes[one.name, other.name].append(path)
    for (name, further), paths in clashes.items():
        kept = named[further]
        yield Finding(
            "owned twice",
            "finding",
            f"{named[name]} and {kept} own {len(paths):,} files with different content",
            shown_of(sorted(paths)),
            f"remove both, then install the one that you need, for example {kept}; the other needs another environment",
            (*tools.uninstall([name, further]), *tools.reinstall([kept])),
        )


def wrong_wheels(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    """Distributions from wheels that this Python does not take."""
    supported = set(supported_tags(environment.interpreter))
    for distribution in environment.distributions:
        tags = {tag for text in distribution.tags for tag in parse_tag(text)}
        if tags and not tags & supported and distribution.of_pip:
            yield Finding(
                "wheel",
                "finding",
                f"{distribution} was installed from a wheel for another Python or platform",
                f"{shown_of(list(distribution.tags))}; this is Python {environment.interpreter.version_text} "
                f"on {environment.interpreter.facts.platform}",
                f"install {distribution.name} again with this environment's own Python",
                tools.reinstall([distribution]),
            )


def for_other_pythons(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    """Distributions that say that they are not for this Python."""
    version = environment.interpreter.facts.full_version
    for distribution in environment.distributions:
        try:
            fits = SpecifierSet(distribution.python).contains(version, prereleases=True)
        except ValueError:
            continue
        if not fits and distribution.of_pip:
            yield Finding(
                "requirements",
                "finding",
                f"{distribution} is not for Python {version}",
                f"it requires Python {distribution.python[:80]}",
                "install the newest version that is for this Python",
                (*tools.uninstall([distribution.name]), *tools.install([distribution.name])),
            )


def unmet(environment: InstalledEnvironment, tools: Tools) -> Iterator[Finding]:
    """What `pip check` checks: unmet requirements, one finding per distribution.

    Debian leaves out or renames what its packages do without, so those that the system owns get a note.
    """
    everything = (*environment.further, *environment.distributions)
    present = {each.name: each.version for each in everything}
    related = {name for family in FAMILIES for name in family if any(each in present for each in family)}
    markers = {**marker_environment(environment.interpreter), "extra": ""}
    for distribution in environment.distributions:
        found = list(_unmet_by(distribution, present, markers))
        others = [each for each in found if canonical(each[0].name) in related and each[0].name not in present]
        strict = [each for each in found if each not in others]
        if strict:
            yield _unmet_finding(distribution, strict, "finding" if distribution.of_pip else "note", tools)
        if others:
            yield _unmet_finding(distribution, others, "note", tools)


def _unmet_finding(
    distribution: Distribution, found: list[tuple[Requirement, str]], level: Level, tools: Tools
) -> Finding:
    wanted = [_plain(requirement) for requirement, _ in found]
    stops = level == "finding"
    return Finding(
        "requirements",
        level,
        f"{distribution} has requirements that are missing or have another version",
        ", ".join(f"{_plain(requirement)} {said}" for requirement, said in found),
        "install what is missing; where that breaks another package, one of the two needs another environment"
        if stops
        else "another build of the same project, or the system's own package, may do",
        tools.install(wanted) if stops else (),
    )


def _plain(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def requirements_of(distribution: Distribution) -> Iterator[tuple[Requirement, str]]:
    """The requirements that can be read, with their text; one that names an address is not compared."""
    for text in distribution.requires:
        try:
            yield parsed(text), text
        except ValueError:
            continue


def _unmet_by(
    distribution: Distribution, present: Mapping[str, str], markers: dict[str, str]
) -> Iterator[tuple[Requirement, str]]:
    """Each unmet requirement, and what is installed instead."""
    for requirement, _ in requirements_of(distribution):
        try:
            if requirement.marker is not None and not requirement.marker.evaluate(markers):
                continue
            version = present.get(canonical(requirement.name))
            if version is None:
                yield requirement, "(not installed)"
            elif not requirement.specifier.contains(version, prereleases=True):
                yield requirement, f"(is {version})"
        except ValueError:  # a version or a marker that nobody can compare
            continue

"""What is in an environment, as text and JSON: the tree of its packages, why one is there, and their licenses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envguard.running.contents.packages import DependencyGraph, InstalledPackage

UNKNOWN = "unknown"


def tree_text(graph: DependencyGraph) -> str:
    """What was asked for, and below each package what it requires; what was shown already is not shown again."""
    lines: list[str] = []
    shown: set[str] = set()

    def show(name: str, indent: str) -> None:
        again = name in shown and bool(graph.needs.get(name))
        lines.append(f"{indent}{called(graph.packages, name)}{' (see above)' if again else ''}")
        if not again:
            shown.add(name)
            for each in graph.needs.get(name, ()):
                show(each, indent + "  ")

    for root in graph.roots:
        show(root, "")
    rest = [name for name in sorted(graph.packages) if name not in shown]
    if rest:
        lines += ["Required by none of these:", *(f"  {called(graph.packages, name)}" for name in rest)]
    return "\n".join(lines)


def chains_text(graph: DependencyGraph, name: str) -> str:
    """The ways from what was asked for to a package, a line each."""
    found = graph.chains(name)
    if not found:
        return f"{called(graph.packages, name)} is installed, and none of the requirements leads to it."
    return "\n".join(" → ".join(called(graph.packages, each) for each in chain) for chain in found)


def tree_json(graph: DependencyGraph, why: str) -> dict[str, object]:
    """The same for `--json`; `why` is the package that is asked about, or empty."""
    packages = [
        {"name": name, "version": each.version, "requires": list(graph.needs.get(name, ()))}
        for name, each in sorted(graph.packages.items())
    ]
    chains = {"why": why, "chains": [list(each) for each in graph.chains(why)]} if why else {}
    return {"requirements": list(graph.roots), "packages": packages, "missing": list(graph.missing), **chains}


def called(packages: Mapping[str, InstalledPackage], name: str) -> str:
    """A package with its version, or that it is not installed."""
    return f"{name} {packages[name].version}" if name in packages else f"{name} (not installed)"


def licenses_text(packages: Mapping[str, InstalledPackage]) -> str:
    """The packages under each license; the last are those that say nothing, or only give its whole text."""
    by_license: dict[str, list[str]] = {}
    for name in sorted(packages):
        by_license.setdefault(packages[name].license.name, []).append(called(packages, name))
    return "\n".join(_lines(by_license))


def _lines(by_license: Mapping[str, list[str]]) -> Iterator[str]:
    for license_name in sorted(by_license, key=lambda each: (not each, each.lower())):
        yield f"{license_name or f'{UNKNOWN}: no field of the metadata names one'}:"
        yield from (f"  {each}" for each in by_license[license_name])


def licenses_json(packages: Mapping[str, InstalledPackage]) -> dict[str, object]:
    """The same for `--json`; `license` is null if it is unknown, `field` is the one that names it."""
    return {
        "packages": [
            {
                "name": name,
                "version": each.version,
                "license": each.license.name or None,
                "field": each.license.field or None,
            }
            for name, each in sorted(packages.items())
        ]
    }

"""Examine one environment: every check, once each, and the root of the trouble first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envguard.doctor.environments import base, conda, damage, distributions, installing, native, paths, shadows
from envguard.doctor.environments.curing import Surroundings, tools_for
from envguard.doctor.environments.installed import InstalledEnvironment, read_environment
from envguard.doctor.finding import Finding
from envguard.errors import BadInput

ORDER = (
    *("base Python", "pyvenv.cfg", "variables", "start", "moved", "half removed", "relatives", "installed twice"),
    *("conda and pip", "processor", "wheel", "ABI", "owned twice", "editable", "link", "pth", "record"),
    *("files missing", "files changed", "own file", "user packages", "PYTHONPATH", "other pip", "read-only"),
    *("externally managed", "numpy", "symbol versions", "system libraries", "signature", "requirements"),
)
"""Of several findings, the root of the others comes first: what is mended there need not be mended below."""


def examine_environment(python: Path, around: Surroundings) -> tuple[Finding, ...]:
    """Everything wrong with an environment or worth knowing about it, findings before notes, the root first.

    Raises BadInput if `python` is neither a Python nor the folder of an environment.
    """
    try:
        environment = read_environment(python)
    except BadInput as error:
        finding = base.gone(python, around, error.why)
        if finding is None:
            raise
        return (finding,)
    lost = tuple(base.without_settings(python, environment))
    return lost or findings_in(environment, around)


def findings_in(environment: InstalledEnvironment, around: Surroundings) -> tuple[Finding, ...]:
    """The same, of an environment that was read."""
    found = tuple(_found(environment, around))
    places = {check: place for place, check in enumerate(ORDER)}
    return tuple(sorted(found, key=lambda each: (each.level, places.get(each.check, len(places)))))


def _found(environment: InstalledEnvironment, around: Surroundings) -> Iterator[Finding]:
    tools = tools_for(environment, around)
    of_conda = conda.packages_of(environment, around)
    yield from base.replaced(environment)
    yield from base.incomplete(environment, tools, around)
    yield from installing.moved(environment, tools)
    yield from installing.read_only(environment)
    yield from installing.externally_managed(environment)
    yield from installing.other_pip(environment, tools, around)
    yield from paths.half_removed(environment, tools)
    sources = tuple(paths.moved_sources(environment, tools, around))
    yield from sources
    editable = frozenset(each.name for each in environment.distributions if each.source)
    yield from paths.broken_pth(environment, editable if sources else frozenset())
    yield from paths.broken_start(environment)
    yield from paths.dangling_links(environment)
    yield from shadows.variables(around)
    yield from shadows.own_files(environment, around)
    yield from shadows.user_packages(environment, tools, around)
    yield from shadows.python_path(environment, around)
    yield from conda.replaced_by_pip(environment, tools, of_conda)
    yield from distributions.installed_twice(environment, tools)
    related: frozenset[str] = frozenset()
    for finding, names in distributions.relatives(environment, tools):
        related |= names
        yield finding
    yield from distributions.owned_twice(environment, tools, related)
    # What relatives did to each other's files is mended with them.
    yield from (each for name, each in damage.damaged(environment, tools, of_conda) if name not in related)
    yield from distributions.wrong_wheels(environment, tools)
    yield from native.check_native_modules(environment, tools)
    yield from distributions.for_other_pythons(environment, tools)
    yield from distributions.unmet(environment, tools)

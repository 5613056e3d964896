"""Examine this host: run every check, in parallel where they wait, each with a time limit."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from envguard.catalog.model import Environment
from envguard.doctor import host_checks
from envguard.doctor.diagnosing import diagnose
from envguard.doctor.environments.native import missing_libraries, native_modules_in
from envguard.doctor.finding import Finding
from envguard.doctor.masking import masked
from envguard.host.discovery import discover
from envguard.host.variables import installer_variables
from envguard.locks.index import ask_index
from envguard.locks.uv import find_uv
from envguard.store.inventory import StoredEnvironment, inventory
from envguard.store.locking import is_being_built

PATIENCE = 5.0
"""Seconds that the package index, and each Python, may take to answer; 2 were too few where much else goes on."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What is examined: the store's folder, the user's home folder, the variables of the process.

    `environments` are those whose Pythons and optional libraries are looked for.
    """

    store: Path
    user_home: Path
    environ: Mapping[str, str]
    environments: tuple[Environment, ...] = ()


def examine_host(who: Examined, *, index: bool = True, patience: float = PATIENCE) -> tuple[Finding, ...]:
    """Everything wrong with this host or worth knowing about it, in a stable order. Changes nothing.

    Without `index`, the package index is not asked; `patience` is in seconds, for each that is.
    """
    checks: list[Callable[[Examined, float], tuple[Finding, ...]]] = [_of_pythons, _of_host, _of_store]
    if index:
        checks.append(_of_index)
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        return tuple(finding for found in pool.map(lambda check: check(who, patience), checks) for finding in found)


def _of_pythons(who: Examined, patience: float) -> tuple[Finding, ...]:
    facts = discover(
        who.environ,
        home=who.user_home,
        store=who.store,
        timeout=patience,
        shims=True,
    )
    return (
        *host_checks.check_interpreters(facts, _pythons_of(who.environments)),
        *host_checks.check_files(facts, who.environ, who.user_home),
    )


def _pythons_of(environments: tuple[Environment, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(python for each in environments for python in each.pythons))


def _of_host(who: Examined, _patience: float) -> tuple[Finding, ...]:
    return (
        *host_checks.check_variables(who.environ),
        *host_checks.check_disk(who.store),
        *host_checks.check_engine(who.environ),
        *host_checks.check_optional_libraries(who.environments),
        *host_checks.check_browser(who.environ, who.user_home),
    )


def _of_index(who: Examined, patience: float) -> tuple[Finding, ...]:
    said = ask_index(find_uv(), installer_variables(who.environ), timeout=patience)
    if not said:
        return ()
    hints = diagnose(io.BytesIO(said.encode())).hints
    evidence = " ".join(masked(said, who.environ, who.user_home).split())
    remedy = hints[0].cure if hints else "check the network, the proxy and the index settings"
    return (Finding("package index", "finding", "The package index does not answer", evidence, remedy),)


def _of_store(who: Examined, _patience: float) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for stored in inventory(who.store):
        found += _of_stored(stored)
    return tuple(found)


def _of_stored(stored: StoredEnvironment) -> Iterator[Finding]:
    if stored.why_not:
        if not is_being_built(stored.folder):
            yield Finding(
                "store",
                "finding",
                f"{stored.folder.name} is not ready",
                stored.why_not,
                "envguard doctor --fix",
            )
        return
    folders = list(stored.folder.glob("venv/lib/python3*/site-packages"))
    yield from missing_libraries(native_modules_in(folders), stored.folder / "venv")

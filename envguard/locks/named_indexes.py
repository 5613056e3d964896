"""The indexes that serve single packages: uv's variable names their addresses, which no lock does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from envguard.errors import NoEnvironment
from envguard.locks.lockfile import Lock

VARIABLE = "UV_INDEX"
OTHERS = (VARIABLE, "UV_EXTRA_INDEX_URL", "UV_INDEX_URL")


def addresses_of(names: Collection[str], variables: Mapping[str, str]) -> dict[str, str]:
    """The address of each named index by the variable; raises NoEnvironment for one that it does not have."""
    entries = (each.partition("=") for each in variables.get(VARIABLE, "").split())
    known = {name: address for name, equals, address in entries if equals and "://" not in name}
    for name in names:
        if name not in known:
            raise NoEnvironment(
                f"The package index {name!r} has no address here.",
                why="a lock names its indexes and not where they are",
                next_step="Run `envguard trust` if the project's envguard.toml has it, or set "
                f"{VARIABLE}={name}=ADDRESS.",
            )
    return {name: known[name] for name in names}


def by_index(lock: Lock, variables: Mapping[str, str]) -> tuple[tuple[Lock, dict[str, str]], ...]:
    """The lock in parts that come from one index each, with the variables by which an installer asks that one alone.

    Raises NoEnvironment for an index without an address.
    """
    names = sorted({package.index for package in lock.packages} - {""})
    addresses = addresses_of(names, variables)
    rest = without_named(variables, addresses)
    parts = [(name, _asking(f"{name}={address}", rest)) for name, address in addresses.items()]
    return tuple((_part(lock, name), asking) for name, asking in [("", rest), *parts])


def _part(lock: Lock, index: str) -> Lock:
    return replace(lock, packages=tuple(package for package in lock.packages if package.index == index))


def _asking(index: str, variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in OTHERS} | {"UV_DEFAULT_INDEX": index}


def without_named(variables: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """The variables for packages of no named index, which must not ask these ones."""
    rest = [each for each in variables.get(VARIABLE, "").split() if each.partition("=")[0] not in names]
    kept = {name: value for name, value in variables.items() if name != VARIABLE}
    return {**kept, VARIABLE: " ".join(rest)} if rest else kept

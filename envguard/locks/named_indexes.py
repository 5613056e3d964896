"""The indexes that serve single packages: uv's variable names their addresses, which no lock does."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from envguard.errors import NoEnvironment

VARIABLE = "UV_INDEX"


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


def without_named(variables: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    """The variables for packages of no named index, which must not ask these ones."""
    rest = [each for each in variables.get(VARIABLE, "").split() if each.partition("=")[0] not in names]
    kept = {name: value for name, value in variables.items() if name != VARIABLE}
    return {**kept, VARIABLE: " ".join(rest)} if rest else kept

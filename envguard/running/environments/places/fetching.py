"""Fetch what is at the address of a requirement, into the store, by its hash."""

from __future__ import annotations

from pathlib import Path

from envguard.backends.building.fetching import fetch
from envguard.errors import NoEnvironment
from envguard.requirement import Place
from envguard.running.environments.building import Builder
from envguard.store.built import built_wheels_folder


def fetched_wheel(builder: Builder, place: Place, name: str, sha256: str) -> Path:
    """The wheel at an address, with that hash if one is known; raises NoEnvironment."""
    refuse_without_network(builder, place.filename)
    folder = built_wheels_folder(builder.home)
    variables = builder.installer.variables
    return fetch(place.where, place.filename, folder, variables, sha256=sha256, advice=_of_another(name))


def refuse_without_network(builder: Builder, filename: str) -> None:
    """Raise NoEnvironment if nothing may be fetched."""
    if builder.installer.offline or builder.installer.find_links:
        raise NoEnvironment(
            f"{filename} is not here.",
            why="nothing may be fetched; it is neither in the store nor in a folder named with --find-links",
            next_step="Bring it with `envguard export ENV --format wheelhouse` from a machine that has it, or run the "
            "same command once with a network.",
        )


def _of_another(name: str) -> str:
    return (
        "Find out who changed what is at the address. If that is as it should be, correct the #sha256= of the "
        f"requirement if it has one, and lock it anew: envguard lock --upgrade-package {name}"
    )

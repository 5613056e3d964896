"""What every test may lean on: this host's own Pythons, and a store that lasts from run to run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.host.discovery import discover
from envguard.host.interpreters import HostFacts
from tests.engine import engine

__all__ = ["engine", "host", "store_home"]

# Of tests that share something that is dear to make: they run in one process, one after the other.
ENGINE = "engine"

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def store_home() -> Path:
    """An ENVGUARD_HOME for tests that build real environments; kept, so that the next run starts warm."""
    home = Path(os.environ.get("ENVGUARD_TEST_HOME", CHECKOUT / ".test-home"))
    home.mkdir(parents=True, exist_ok=True)
    return home


@pytest.fixture(scope="session")
def host() -> HostFacts:
    """The interpreters of this host."""
    return discover(os.environ, home=Path.home(), cache=None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a file's tests run in one process, and in one of all files those that need the container engine."""
    for item in items:
        needed = getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group(ENGINE if ENGINE in needed else item.path.name))

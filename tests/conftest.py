"""What every test may lean on: this host's own Pythons, and a store that lasts from run to run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from envguard.host.discovery import discover
from envguard.host.interpreters import HostFacts
from tests.engine import engine

__all__ = ["engine", "host", "store_home"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background, and so would everything be that the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

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


class OneFileOneProcess(LoadFileScheduling):  # type: ignore[misc]
    """Runs a file's tests in one process, as they share what is dear to make; so do all that need the engine."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "engine" if "TestEngine" in (CHECKOUT / file).read_text(encoding="utf-8") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneFileOneProcess:
    """The scheduler for tests that run two at a time."""
    return OneFileOneProcess(config, log)

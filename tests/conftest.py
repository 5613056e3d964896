"""What every test may lean on: this host's own Pythons, and a store that lasts from run to run."""

from __future__ import annotations

import os
import signal
import tempfile
from functools import cache
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from envguard.host.discovery import discover
from envguard.host.interpreters import HostFacts
from tests.support.browser import browser, tab
from tests.support.engine import engine
from tests.support.gpu import gpu

__all__ = ["browser", "engine", "gpu", "host", "store_home", "tab"]

# What tests trust is no business of the developer's own settings.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="envguard-test-settings-")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background, and so would everything be that the tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

SECONDS = 300  # after which a test hangs; a busy machine with a cold store needs a tenth of it
SLOW_SECONDS = 1800  # builds real environments and measures
CHECKOUT = Path(__file__).resolve().parents[1]
OF_ITS_OWN = ("tests/docs/test_first_hour.py",)  # each of its tests takes minutes, and shares nothing with the others
# What takes minutes in one process begins first, so that no process is left alone with it at the end.
LONGEST = (
    "tests/docs/test_first_hour.py::test_every_line_does_what_it_says[a-user-without-rights]",
    "tests/models/test_quantize_task.py",
    "tests/docs/test_first_hour.py",
    "tests/payload/test_in_environments.py",
    "tests/backends/",
)


@pytest.fixture(scope="session")
def store_home() -> Path:
    """An ENVGUARD_HOME for tests that build real environments; kept, so that the next run starts warm."""
    home = Path(os.environ.get("ENVGUARD_TEST_HOME", CHECKOUT / ".test-home"))
    home.mkdir(parents=True, exist_ok=True)
    return home


@pytest.fixture(scope="session")
def host() -> HostFacts:
    """The interpreters of this host."""
    return discover(os.environ, home=Path.home(), store=None)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their markers and named by their groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test has its limit; one that asks for engine, browser or GPU is marked so."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SLOW_SECONDS if item.get_closest_marker("slow") else SECONDS))
        fixtures = getattr(item, "fixturenames", ())
        if {"browser", "tab"} & set(fixtures):
            item.add_marker(pytest.mark.browser)
        if "gpu" in fixtures:
            item.add_marker(pytest.mark.gpu)
        if "engine" in fixtures:
            item.add_marker(pytest.mark.engine)
    items.sort(
        key=lambda item: next((at for at, each in enumerate(LONGEST) if item.nodeid.startswith(each)), len(LONGEST))
    )


class OneFileOneProcess(LoadScopeScheduling):  # type: ignore[misc]
    """Runs a file's tests in one process, as they share what is dear to make; so do all that need the engine.

    xdist's own groups have no effect with pytest 9.2, which keeps the names of tests that they would change.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file in OF_ITS_OWN:
            return nodeid
        return "engine" if _needs_engine(file) else file


@cache
def _needs_engine(file: str) -> bool:
    return "TestEngine" in (CHECKOUT / file).read_text(encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneFileOneProcess:
    """The scheduler for tests that run two at a time."""
    return OneFileOneProcess(config, log)

"""Environments without an index, and what they are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.host.interpreters import HostFacts, Interpreter
from tests.support.offline import Offline, complete_python, make_wheels


@pytest.fixture(scope="session")
def interpreter(host: HostFacts) -> Interpreter:
    return complete_python(host)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wheels(tmp_path_factory.mktemp("wheels") / "all")


@pytest.fixture
def environment(tmp_path: Path, interpreter: Interpreter, wheels: Path) -> Offline:
    """An environment of `user` 1.0 and what it needs, which uv mends: quick."""
    made = Offline(tmp_path, interpreter.path, wheels)
    made.install("user==1.0")
    return made


@pytest.fixture
def with_pip(environment: Offline) -> Offline:
    """The same with pip, which then mends it: each of its calls takes a second or two."""
    environment.install("pip")
    return environment

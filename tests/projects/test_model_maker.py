"""The example with packages that have no wheels: its lock is what its catalog asks for, and its wheels can be built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envguard.catalog import load_catalog
from envguard.catalog.model import Environment
from envguard.host.interpreters import HostFacts
from envguard.locks.lockfile import Lock, lock_path, read_lock
from envguard.locks.staleness import difference
from envguard.planning import best_interpreter, request_of
from envguard.running.environments.building import builder_of
from envguard.running.environments.places.wheels import own_wheels

EXAMPLE = Path(__file__).parents[2] / "examples" / "model-maker"


@pytest.fixture(scope="module")
def environment() -> Environment:
    return load_catalog(EXAMPLE, {"ENVGUARD_PROJECT": str(EXAMPLE)}).environments["maker"]


@pytest.fixture(scope="module")
def lock(environment: Environment) -> Lock:
    (edition,) = environment.editions
    (python,) = edition.pythons
    path = lock_path(environment.lockfiles, "maker", edition.name, python)
    assert list(EXAMPLE.rglob("cp3*.txt")) == [path]
    lock = read_lock(path)
    assert difference(lock, request_of(environment, edition, python)) == ""
    return lock


def test_its_lock_builds_two_packages_and_has_builds_of_opencv_that_overlap(lock: Lock) -> None:
    assert lock.built == ("promise 2.3", "seqeval 1.2.2")
    opencvs = [package for package in lock.packages if package.name.startswith("opencv-")]
    assert len(opencvs) > 1
    assert len({package.version for package in opencvs}) == 1


@pytest.mark.network
@pytest.mark.slow
def test_the_wheels_of_its_lock_come_out_again_in_another_store(
    environment: Environment, lock: Lock, host: HostFacts, tmp_path: Path
) -> None:
    if best_interpreter(host.interpreters, lock.python) is None:
        pytest.skip(f"needs Python {lock.python}")
    wheels = own_wheels(builder_of(dict(os.environ), tmp_path), lock, environment)
    assert [wheel.name for wheel in wheels] == [
        wheel.filename for package in lock.packages if package.build for wheel in package.wheels
    ]

"""What envguard ships agrees with itself: catalog, locks, and its own project file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from envguard.catalog import builtin_catalog, shipped_lockfiles
from envguard.catalog.model import Edition, Environment
from envguard.locks.lockfile import lock_path, read_lock
from envguard.locks.proofs import proofs_path, read_proofs
from envguard.planning import unresolvable
from envguard.toml import parse_toml

LOCKED = [
    pytest.param(environment, edition, python, id=f"{environment.name}-{edition.name}-{python}")
    for environment in builtin_catalog().environments.values()
    for edition in environment.editions
    for python in edition.pythons
]


@pytest.mark.parametrize(("environment", "edition", "python"), LOCKED)
def test_every_edition_has_the_lock_of_what_it_asks_for_or_the_reason_why_there_is_none(
    environment: Environment, edition: Edition, python: str
) -> None:
    path = lock_path(shipped_lockfiles(), environment.name, edition.name, python)
    if not path.is_file():
        proofs = read_proofs(proofs_path(shipped_lockfiles(), environment.name, edition.name))
        assert unresolvable(environment, edition, python, proofs) is not None
        return
    lock = read_lock(path)
    assert (lock.environment, lock.edition, lock.python) == (environment.name, edition.name, python)
    assert lock.requires == edition.requirements
    assert lock.overrides == edition.overrides
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lock.cut_off)


def test_no_lock_lies_around_that_no_edition_asks_for() -> None:
    wanted = {
        lock_path(shipped_lockfiles(), environment.name, edition.name, python)
        for environment in builtin_catalog().environments.values()
        for edition in environment.editions
        for python in edition.pythons
    }
    assert set(shipped_lockfiles().rglob("*.txt")) <= wanted


@pytest.mark.parametrize("path", sorted(shipped_lockfiles().rglob("*.txt")), ids=lambda path: path.name)
def test_locks_name_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text


def test_envguard_locks_what_its_project_file_asks_for() -> None:
    project: dict[str, Any] = parse_toml((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    environment = builtin_catalog().environments["envguard"]
    host = environment.edition("host")
    develop = environment.edition("develop")
    assert host is not None
    assert develop is not None
    assert list(host.requirements) == project["project"]["dependencies"]
    assert list(develop.requirements) == [*host.requirements, *project["dependency-groups"]["develop"]]


@pytest.mark.parametrize("python", builtin_catalog().environments["envguard"].editions[0].pythons)
def test_the_develop_lock_holds_the_host_lock(python: str) -> None:
    host, develop = (
        read_lock(lock_path(shipped_lockfiles(), "envguard", edition, python)) for edition in ("host", "develop")
    )
    assert set(host.packages) <= set(develop.packages)


@pytest.mark.parametrize("things", ["faces", "hands", "people"])
def test_no_picture_serves_to_calibrate_to_choose_and_to_verify_at_once(things: str) -> None:
    samples = builtin_catalog().samples
    uses = [{file.sha256 for file in samples[f"{things}{use}"].files} for use in ("-calibration", "-held-out", "")]
    assert all(uses)
    assert sum(map(len, uses)) == len(set.union(*uses))


def test_the_pictures_of_each_kind_of_bundle_are_given_to_the_steps_that_use_them() -> None:
    calibrate, verify = (
        {name: str(reference) for name, reference in step.inputs.items()}
        for step in builtin_catalog().tasks["quantize"].steps
        if step.name in ("calibrate", "verify")
    )
    for kind, things in (("face", "faces"), ("hand", "hands"), ("pose", "people")):
        assert calibrate[kind] == f"sample:{things}-calibration"
        assert calibrate[f"{kind}_held_out"] == f"sample:{things}-held-out"
        assert verify[kind] == f"sample:{things}"

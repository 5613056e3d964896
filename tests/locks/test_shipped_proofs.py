"""Nothing that envguard ships is called good or bad without a record of exactly that lock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envguard.catalog import builtin_catalog, shipped_lockfiles
from envguard.catalog.model import Edition, Environment
from envguard.locks.lockfile import lock_path, read_lock
from envguard.locks.platforms import ANY_PLATFORM, Platform
from envguard.locks.proofs import proof_of, proofs_path, read_proofs, write_proofs
from envguard.planning import unresolvable

HERE = Platform("linux-x86_64", "glibc")
FILES = sorted(shipped_lockfiles().rglob("proofs.json"))
EDITIONS = [
    pytest.param(environment, edition, id=f"{environment.name}-{edition.name}")
    for environment in builtin_catalog().environments.values()
    for edition in environment.editions
]


@pytest.mark.parametrize(("environment", "edition"), EDITIONS)
def test_every_lock_has_a_record_of_its_very_bytes(environment: Environment, edition: Edition) -> None:
    proofs = read_proofs(proofs_path(shipped_lockfiles(), environment.name, edition.name))
    for python in edition.pythons:
        path = lock_path(shipped_lockfiles(), environment.name, edition.name, python)
        if path.is_file():
            assert proof_of(proofs, digest=read_lock(path).digest, python=python, platform=HERE) is not None, python
        else:
            assert unresolvable(environment, edition, python, proofs) is not None, python


@pytest.mark.parametrize(("environment", "edition"), EDITIONS)
def test_an_edition_that_is_offered_is_known_to_work_somewhere(environment: Environment, edition: Edition) -> None:
    proofs = read_proofs(proofs_path(shipped_lockfiles(), environment.name, edition.name))
    assert any(proof.works for proof in proofs) or not edition.offered


@pytest.mark.parametrize("path", FILES, ids=lambda path: "-".join(path.parts[-3:-1]))
def test_the_records_have_one_form_and_name_no_place(path: Path, tmp_path: Path) -> None:
    proofs = read_proofs(path)
    again = tmp_path / "proofs.json"
    write_proofs(again, list(reversed(proofs)))
    text = path.read_text(encoding="utf-8")
    assert again.read_text(encoding="utf-8") == text
    assert "://" not in text
    assert not re.search(r'[\s"`(=]/\w', text), "an absolute path"


def test_the_first_edition_of_every_environment_is_offered() -> None:
    assert all(environment.editions[0].offered for environment in builtin_catalog().environments.values())


def test_releases_whose_nightlies_were_deleted_are_known_to_be_bad_everywhere() -> None:
    for edition in ("0.2.1", "0.0.1"):
        proofs = read_proofs(proofs_path(shipped_lockfiles(), "quantize", edition))
        assert {proof.minor for proof in proofs} == set(builtin_catalog().environments["quantize"].pythons)
        assert {(proof.result, proof.platform) for proof in proofs} == {("cannot be resolved", ANY_PLATFORM)}
        assert any("there is no version of tf-nightly" in proof.reason for proof in proofs)

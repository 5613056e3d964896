"""The worked example: TensorFlow and MediaPipe, which refuse to share an environment, in one task."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from envguard.catalog import load_catalog
from envguard.locks.lockfile import lock_path, read_lock
from tests.support.command import envguard

EXAMPLE = Path(__file__).parents[2] / "examples" / "two-worlds"


def test_its_locks_are_those_that_its_catalog_asks_for() -> None:
    catalog = load_catalog(EXAMPLE, {"ENVGUARD_PROJECT": str(EXAMPLE)})
    wanted = set()
    for name in ("tensorflow", "mediapipe"):
        environment = catalog.environments[name]
        for edition in environment.editions:
            for python in edition.pythons:
                path = lock_path(environment.lockfiles, name, edition.name, python)
                wanted.add(path)
                lock = read_lock(path)
                assert (lock.requires, lock.overrides) == (edition.requirements, edition.overrides)
                assert lock.cut_off == "2026-11-20T00:00:00Z"
    assert set(EXAMPLE.rglob("cp3*.txt")) == wanted


def test_its_locks_cannot_be_one() -> None:
    protobufs = {
        package.version.partition(".")[0]
        for path in EXAMPLE.rglob("cp311.txt")
        for package in read_lock(path).packages
        if package.name == "protobuf"
    }
    assert "4" in protobufs
    assert len(protobufs) == 2


@pytest.mark.network
@pytest.mark.slow
def test_tensorflow_teaches_what_mediapipe_runs_and_the_receipt_is_true(tmp_path: Path, store_home: Path) -> None:
    project = tmp_path / "two-worlds"
    shutil.copytree(EXAMPLE, project)
    assert envguard("trust", home=store_home, cwd=project).code == 0
    run = envguard("run", "colours", "sample:face", "-o", tmp_path / "out", "--json", home=store_home, cwd=project)
    assert run.code == 0, run.err
    assert run.document["outputs"].keys() == {"model", "report"}
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["cast"] == "none"
    assert report["taught by"]["right"] == 1.0
    assert report["taught by"]["protobuf"] > "6"
    assert report["seen by"]["protobuf"] < "5"
    receipt = tmp_path / "out" / "colours.receipt.json"
    rebuilt = envguard("verify-receipt", receipt, "--rebuild", "--json", home=store_home, cwd=project)
    assert rebuilt.code == 0, rebuilt.out + rebuilt.err
    assert rebuilt.document["verdict"] == "MATCH"

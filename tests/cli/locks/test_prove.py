"""`envguard prove` tries for real and records it; `matrix` and the plan believe the record and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envguard.host.interpreters import HostFacts
from tests.support.command import Ended, envguard
from tests.support.editions import project

EDITIONS = {"good": "six==1.16.0", "broken": "iniconfig==2.0.0", "gone": "six==999"}


@pytest.fixture(scope="module")
def folder(store_home: Path, tmp_path_factory: pytest.TempPathFactory, host: HostFacts) -> Path:
    """A project whose editions were all tried once."""
    folder = project(tmp_path_factory.mktemp("project"), host, **EDITIONS)
    ended = envguard("prove", "--all-editions", "--all-pythons", home=store_home, cwd=folder)
    assert ended.code == 1, ended.err
    return folder


def run(folder: Path, home: Path, *arguments: str) -> Ended:
    return envguard(*arguments, home=home, cwd=folder)


@pytest.mark.network
def test_each_trial_is_recorded_with_its_outcome(folder: Path) -> None:
    found = {path.parent.name: json.loads(path.read_text())["proofs"] for path in folder.rglob("proofs.json")}
    outcomes = {edition: [proof["result"] for proof in proofs] for edition, proofs in found.items()}
    assert outcomes == {"good": ["works"], "broken": ["fails"], "gone": ["cannot be resolved"]}
    assert "No module named 'six'" in found["broken"][0]["reason"]
    assert "there is no version of six==999" in found["gone"][0]["reason"]
    assert str(folder) not in json.dumps(found)


@pytest.mark.network
def test_the_matrix_shows_it(folder: Path, store_home: Path) -> None:
    document = run(folder, store_home, "matrix", "tools", "--json").document
    states = {cell["edition"]: cell["state"] for cell in document["environments"][0]["cells"]}
    assert states == {"good": "known-good", "broken": "known-bad", "gone": "known-bad"}


@pytest.mark.network
def test_a_trial_under_emulation_says_so_and_records_of_failed_checks_only_that_a_module_is_missing(
    tmp_path: Path, store_home: Path, host: HostFacts
) -> None:
    folder = project(tmp_path, host, good=EDITIONS["good"], broken=EDITIONS["broken"])
    ended = run(folder, store_home, "prove", "--all-editions", "--emulated", "qemu 10.0.13")
    assert ended.code == 1
    assert "works under emulation by qemu 10.0.13" in ended.out
    assert "broken on Python" in ended.out
    assert "No module named 'six'" in ended.out
    found = {path.parent.name: json.loads(path.read_text())["proofs"] for path in folder.rglob("proofs.json")}
    assert {name: [(each["emulated"], each["result"]) for each in proofs] for name, proofs in found.items()} == {
        "good": [("qemu 10.0.13", "works")],
        "broken": [("qemu 10.0.13", "fails")],
    }
    document = run(folder, store_home, "matrix", "tools", "--json").document
    states = {cell["edition"]: cell["state"] for cell in document["environments"][0]["cells"]}
    assert states == {"good": "emulated", "broken": "known-bad"}


@pytest.mark.network
def test_what_is_known_to_be_bad_is_not_built_again(folder: Path, store_home: Path) -> None:
    for edition, reason in (("broken", "No module named 'six'"), ("gone", "no version of six==999")):
        ended = run(folder, store_home, "create", "tools", "--edition", edition)
        assert ended.code == 3
        assert reason in ended.err
        assert "building" not in ended.err


@pytest.mark.network
def test_locking_passes_by_what_is_known_not_to_resolve(folder: Path, store_home: Path) -> None:
    ended = run(folder, store_home, "lock", "--check", "--json")
    assert ended.code == 0, ended.out
    states = {each["path"].split("/")[-2]: each["state"] for each in ended.document["locks"]}
    assert states == {"good": "unchanged", "broken": "unchanged", "gone": "known not to resolve"}


@pytest.mark.network
def test_a_lock_that_changed_since_is_unknown_again(folder: Path, store_home: Path) -> None:
    (path,) = (folder / "lockfiles" / "tools" / "good").glob("cp3*.txt")
    proved = path.read_bytes()
    try:
        path.write_bytes(proved.replace(b"# cut-off: 2", b"# cut-off: 3"))
        cells = run(folder, store_home, "matrix", "tools", "--json").document["environments"][0]["cells"]
        assert next(cell["state"] for cell in cells if cell["edition"] == "good") == "unknown"
    finally:
        path.write_bytes(proved)


def test_proofs_that_cannot_be_written_are_said_first(tmp_path: Path, host: HostFacts) -> None:
    folder = project(tmp_path, host, one="six==1.16.0")
    (folder / "lockfiles").write_text("in the way")
    ended = envguard("prove", home=tmp_path / "home", cwd=folder)
    assert ended.code == 2
    assert "cannot be written" in ended.err
    assert "building" not in ended.err


def test_a_python_that_an_edition_is_not_for_is_refused(tmp_path: Path) -> None:
    ended = envguard("prove", "quantize", "--python", "3.7", home=tmp_path)
    assert ended.code == 2
    assert "is not for Python '3.7'" in ended.err
    assert envguard("prove", "--python", "3.11", "--all-pythons", home=tmp_path).code == 2


def test_choices_are_by_environment(tmp_path: Path) -> None:
    def plan(*options: str) -> dict[str, Any]:
        ended = envguard("run", "quantize", "x.task", "--explain", "--json", *options, home=tmp_path)
        assert ended.code == 0, ended.err
        return {each["name"]: each["chosen"] for each in ended.document["environments"]}

    assert plan()["quantize"]["edition"] == "0.10"
    chosen = plan("--edition", "0.9", "--edition", "verify=1.2")
    assert (chosen["quantize"]["edition"], chosen["verify"]["edition"]) == ("0.9", "1.2")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--edition", "7"), 2, "no edition '7'"),
        (("--edition", "verify=7"), 2, "no edition '7'"),
        (("--edition", "nothing=1"), 2, "no environment 'nothing'"),
        (("--edition", "0.9", "--edition", "0.6"), 2, "Both '0.9' and '0.6'"),
        (("--edition", "0.2.1"), 3, "there is no version of tf-nightly"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(tmp_path: Path, options: tuple[str, ...], code: int, said: str) -> None:
    ended = envguard("run", "quantize", "x.task", "--explain", *options, home=tmp_path)
    assert ended.code == code
    assert said in ended.err

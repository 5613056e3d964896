"""A Python that comes out is one word in the catalog, and locks: everything that speaks of Pythons follows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envguard.catalog import builtin_catalog
from envguard.catalog.reading import catalog_from
from envguard.errors import BrokenData
from envguard.toml import parse_toml
from tests.support.catalogs import GOOD, changed

CHECKOUT = Path(__file__).resolve().parents[2]
NEXT = "3.42"
LISTED = f"pythons = [{', '.join(json.dumps(python) for python in builtin_catalog().pythons)}]\n"


class Checkout:
    """A copy of this one, for other Pythons than this one is for."""

    def __init__(self, folder: Path, *pythons: str) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__")
        for part in ("envguard", "lockfiles"):
            shutil.copytree(CHECKOUT / part, folder / part, ignore=ignored)
        (folder / "Makefile").touch()
        catalog = folder / "envguard" / "catalog" / "builtin.toml"
        text = catalog.read_text(encoding="utf-8")
        assert text.count(LISTED) == 1
        catalog.write_text(text.replace(LISTED, f"pythons = {json.dumps(pythons)}\n"), encoding="utf-8")

    def lock_as(self, old: str, new: str) -> None:
        """Give every edition that has a lock for one minor the same lock for another."""
        for lock in (self.folder / "lockfiles").rglob(f"cp{old.replace('.', '')}.txt"):
            text = lock.read_text(encoding="utf-8").replace(f"# python: {old}\n", f"# python: {new}\n")
            lock.with_name(f"cp{new.replace('.', '')}.txt").write_text(text, encoding="utf-8")

    def envguard(self, *arguments: str) -> str:
        """What the copy's `envguard` prints."""
        start = f"import sys; sys.path.insert(0, {str(self.folder)!r}); from envguard.__main__ import main; main()"
        run = subprocess.run(
            [sys.executable, "-I", "-c", start, *arguments], cwd=self.folder, capture_output=True, text=True,
            env={**os.environ, "ENVGUARD_HOME": str(self.folder / "home")}, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert "envguard itself failed" not in run.stderr, run.stderr
        return run.stdout or run.stderr

    def document(self, *arguments: str) -> Any:
        """The document that the copy's `envguard` prints."""
        return json.loads(self.envguard(*arguments, "--json"))


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """envguard when one more Python is out, which it prefers."""
    checkout = Checkout(tmp_path_factory.mktemp("later"), NEXT, *builtin_catalog().pythons)
    checkout.lock_as("3.14", NEXT)
    return checkout


@pytest.fixture(scope="module")
def much_later(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """envguard when it is for none of today's Pythons."""
    checkout = Checkout(tmp_path_factory.mktemp("much-later"), NEXT)
    catalog = checkout.folder / "envguard" / "catalog" / "builtin.toml"
    lines = catalog.read_text(encoding="utf-8").splitlines(keepends=True)
    catalog.write_text("".join(line for line in lines if not line.startswith("more-pythons")), encoding="utf-8")
    return checkout


def test_every_environment_of_the_matrix_has_it_and_nothing_is_guessed(later: Checkout) -> None:
    document = later.document("matrix")
    assert all(environment["pythons"][-1] == NEXT for environment in document["environments"])
    cells = [cell for each in document["environments"] for cell in each["cells"] if cell["python"] == NEXT]
    assert len(cells) == sum(len(each.editions) for each in builtin_catalog().environments.values())
    assert {cell["state"] for cell in cells} == {"unknown"}
    assert {cell["reason"] for cell in cells} == {
        "no trial is recorded",
        "it has no lock, and no failure is recorded",
    }


def test_the_page_of_what_works_has_a_column_for_it(later: Checkout) -> None:
    heads = [line for line in later.envguard("matrix", "--story").splitlines() if line.startswith("| edition |")]
    assert len(heads) == len(builtin_catalog().environments)
    assert all(head.endswith(f" | {NEXT} |") for head in heads)


def test_a_project_starts_with_it(later: Checkout) -> None:
    later.envguard("init", str(later.folder))
    written = parse_toml((later.folder / "envguard.toml").read_text(encoding="utf-8"))
    (later.folder / "envguard.toml").unlink()
    assert written["pythons"] == [NEXT, *builtin_catalog().pythons]


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_a_workflow_runs_on_it_once_all_that_it_needs_has_a_lock_for_it(
    later: Checkout, much_later: Checkout, system: str
) -> None:
    assert NEXT in later.envguard("ci", system)
    assert "No Python has a lock in every environment of the task." in much_later.envguard("ci", system)


def test_probe_says_of_pythons_that_nothing_is_for_them(much_later: Checkout) -> None:
    usable = [row for row in much_later.document("probe")["interpreters"] if row["usable"]]
    assert usable
    for row in usable:
        minor = ".".join(row["version"].split(".")[:2])
        assert f"No environment of envguard's own is for Python {minor}." in row["notes"]


def test_probe_says_nothing_of_the_kind_of_those_that_something_is_for(later: Checkout) -> None:
    known = [row for row in later.document("probe")["interpreters"] if row["usable"]]
    assert not [note for row in known for note in row["notes"] if "is for Python" in note]


def test_doctor_advises_to_install_it_where_nothing_is_for_the_pythons_here(much_later: Checkout) -> None:
    found = [
        each
        for each in much_later.document("doctor", "--offline")["findings"]
        if each["what"] == "No environment is for a Python of this host"
    ]
    assert [each["remedy"] for each in found] == [f"uv python install {NEXT}"]


def test_a_trial_says_that_this_host_has_none(later: Checkout) -> None:
    (trial,) = later.document("prove", "samples", "--python", NEXT)["trials"]
    assert (trial["proof"], trial["why_not"]) == (None, f"this host has no usable Python {NEXT}")


def test_an_environment_has_the_pythons_of_its_catalog_unless_it_names_its_own() -> None:
    document = changed("pythons", to=["3.42", "3.41"])
    del document["environments"]["tools"]["pythons"]
    document["environments"]["tools"]["more-pythons"] = ["3.9"]
    catalog = catalog_from(document, source="t", lockfiles=Path("locks"))
    assert catalog.environments["tools"].editions[1].pythons == ("3.42", "3.41", "3.9")
    assert catalog.environments["tools"].editions[0].pythons == ("3.12",)
    assert catalog.environments["other"].pythons == ("3.11",)


def test_without_a_list_for_all_each_environment_must_name_its_own() -> None:
    document = changed("schema", to=GOOD["schema"])
    del document["environments"]["tools"]["pythons"]
    with pytest.raises(BrokenData, match=r"environments\.tools: pythons is missing"):
        catalog_from(document, source="t", lockfiles=Path("locks"))

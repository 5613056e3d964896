"""A backend is a module and a line of the table; nothing else asks which one it deals with."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from envguard.backends.container import ContainerBackend
from envguard.backends.protocol import Backend
from envguard.backends.table import BACKENDS, HOST, backend_class
from envguard.backends.venv import VenvBackend
from envguard.errors import NoEnvironment
from envguard.host.interpreters import HostFacts
from envguard.planning import Pythons, minor_of
from tests.support.projects import shop_of, write_project

PACKAGE = Path(__file__).parents[2] / "envguard"
ASKS_FOR_A_NAME = re.compile(r"""(==|!=|\bin \(|case) ?["'](venv|container)["']""")


class Elsewhere(VenvBackend):
    """A third backend, which runs the Pythons of this host under another name."""

    elsewhere: ClassVar[str] = "in another place"
    pythons_are: ClassVar[str] = "the Pythons of another place"

    def pythons(self, minors: Sequence[str], *, fetch: bool) -> Pythons:
        """Those of this host."""
        return Pythons("elsewhere", super().pythons(minors, fetch=fetch).facts)


def test_every_backend_of_the_table_follows_the_protocol() -> None:
    classes: dict[str, type[Backend]] = {"venv": VenvBackend, "container": ContainerBackend}
    assert {name: backend_class(name) for name in BACKENDS} == classes
    assert HOST == "venv"


def test_only_backends_know_which_one_they_are() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "backends" not in path.parents]
    assert [path.name for path in sources if ASKS_FOR_A_NAME.search(path.read_text(encoding="utf-8"))] == []


def test_another_backend_needs_no_more_than_a_line_of_the_table(
    host: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS, "elsewhere", f"{__name__}:Elsewhere")
    shop = shop_of(write_project(tmp_path / "project", minor_of(host.usable[0]), "", {}), tmp_path / "home")
    shop.backend = "elsewhere"
    prepared = shop.prepare("one")
    assert prepared.as_json()["backend"] == "elsewhere"
    assert shop.workspace(prepared, tmp_path, []).layout.python.is_file()


def test_backends_are_tried_in_the_tables_order_and_every_refusal_is_told(
    host: HostFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS, "elsewhere", f"{__name__}:Elsewhere")
    monkeypatch.delitem(BACKENDS, "container")
    shop = shop_of(write_project(tmp_path / "project", minor_of(host.usable[0]), "", {}), tmp_path / "home")
    assert shop.plan("one").chosen.backend == "venv"
    monkeypatch.setattr(VenvBackend, "pythons", lambda *_, **__: Pythons("venv", HostFacts((), ())))
    with pytest.raises(NoEnvironment) as caught:
        shop.plan("one")
    assert "this host has no Python" in caught.value.why
    assert "in another place: The environment 'one' is not available" in caught.value.why


def test_steps_in_virtual_environments_import_nothing_of_docker() -> None:
    program = (
        "import sys, envguard.running.environments.preparing, envguard.backends.venv; sys.exit('docker' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-I", "-c", program]).returncode == 0

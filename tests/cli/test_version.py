"""Which envguard this is, from one place, and what its answers depend on."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import pytest

from envguard import __version__
from envguard.catalog import shipped_lockfiles
from envguard.catalog.shipped import BUILTIN
from envguard.locks.lockfile import read_lock
from tests.support.command import envguard


def test_the_version_alone_is_one_word(tmp_path: Path) -> None:
    assert envguard("--version", home=tmp_path).out == f"{__version__}\n"


@pytest.mark.parametrize("arguments", [["--version", "--json"], ["--json", "--version"]])
def test_as_json_it_names_python_platform_catalog_and_every_lock(tmp_path: Path, arguments: list[str]) -> None:
    document = envguard(*arguments, home=tmp_path).document
    assert document["version"] == __version__
    assert document["python"] == platform.python_version()
    assert document["catalog"] == hashlib.sha256(BUILTIN.read_bytes()).hexdigest()
    lock = read_lock(shipped_lockfiles() / "pip" / "26" / "cp311.txt")
    assert document["locks"]["pip/26/cp311"] == lock.digest


def test_json_before_a_command_is_refused_instead_of_ignored(tmp_path: Path) -> None:
    ended = envguard("--json", "list", home=tmp_path)
    assert ended.code == 2
    assert "Write it after the command" in ended.err

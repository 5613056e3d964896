"""pip is told of indexes what uv was told, and a wheelhouse appears whole or not at all."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from envguard.backends.installers.pip_settings import pip_variables
from envguard.backends.wheelhouse import write_wheelhouse
from envguard.errors import BadInput, NoEnvironment
from envguard.locks.lockfile import Lock, LockedPackage, LockedWheel
from envguard.locks.wheels import PinnedWheel

WHEEL = LockedWheel("one-1.0-py3-none-any.whl", "a" * 64)
PACKAGE = LockedPackage("one", "1.0", "", (WHEEL,))
LOCK = Lock("tools", "1", "3.11", "2026-01-01T00:00:00Z", ("one",), (), (PACKAGE,))


def test_indexes_and_their_credentials_are_told_in_pips_words() -> None:
    told = pip_variables(
        {
            "UV_DEFAULT_INDEX": "mine=https://index.example/simple",
            "UV_INDEX_MINE_USERNAME": "me",
            "UV_INDEX_MINE_PASSWORD": "p@ss",
            "UV_EXTRA_INDEX_URL": "https://other.example/simple",
            "SSL_CERT_FILE": "ca.pem",
            "HTTPS_PROXY": "http://proxy.example:3128",
        }
    )
    assert told["PIP_INDEX_URL"] == "https://me:p%40ss@index.example/simple"
    assert told["PIP_EXTRA_INDEX_URL"] == "https://other.example/simple"
    assert told["PIP_CERT"] == "ca.pem"
    assert told["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert not any(name.startswith("UV_") for name in told)


@pytest.mark.parametrize("name", ["there", "there.tar", "no/folder"])
def test_what_cannot_be_made_is_refused_first(tmp_path: Path, name: str) -> None:
    for taken in ("there", "there.tar"):
        (tmp_path / taken).write_text("mine")
    with pytest.raises(BadInput):
        write_wheelhouse(tmp_path / name, LOCK, [], pip_python=Path(sys.executable), variables={})
    assert (tmp_path / "there").read_text() == "mine"


@pytest.mark.parametrize("script", ["import sys; sys.exit('no such package')", "pass"])
def test_nothing_is_left_of_a_wheelhouse_that_lacks_a_wheel(tmp_path: Path, script: str) -> None:
    pip = tmp_path / "pip"
    pip.write_text(f"#!{sys.executable} -I\n{script}\n")
    pip.chmod(0o755)
    house = tmp_path / "houses"
    house.mkdir()
    with pytest.raises(NoEnvironment) as caught:
        write_wheelhouse(house / "wheels.tar", LOCK, [PinnedWheel(PACKAGE, WHEEL)], pip_python=pip, variables={})
    assert "no such package" in caught.value.why or WHEEL.filename in caught.value.why
    assert not list(house.iterdir())


def test_a_wheel_has_the_name_that_the_lock_gives_it_however_the_index_spells_it(tmp_path: Path) -> None:
    content = b"a wheel"
    wheel = LockedWheel(WHEEL.filename, hashlib.sha256(content).hexdigest())
    package = LockedPackage("one", "1.0", "", (wheel,))
    pip = tmp_path / "pip"
    pip.write_text(f"#!{sys.executable} -I\nopen('One-1.0-py3-none-any.whl', 'wb').write({content!r})\n")
    pip.chmod(0o755)
    lock = replace(LOCK, packages=(package,))
    write_wheelhouse(tmp_path / "house", lock, [PinnedWheel(package, wheel)], pip_python=pip, variables={})
    assert {path.name for path in (tmp_path / "house").iterdir()} == {WHEEL.filename, "requirements.txt"}

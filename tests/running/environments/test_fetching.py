"""Where no Python fits, one is fetched if the user allows it: from a mirror, by hash, into the store."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from envguard.catalog.model import Catalog, Edition, Environment
from envguard.errors import BadInput, MissingPython, NoEnvironment
from envguard.files import write_whole
from envguard.host.discovery import discover
from envguard.locks.lockfile import lock_path
from envguard.running.environments.preparing import Workshop
from envguard.running.events import Building
from envguard.store.home import pythons_folder
from envguard.store.pythons import stored_pythons
from envguard.store.removing import prune
from tests.support.environments import Events
from tests.support.python_mirror import PythonMirror, make_mirror
from tests.support.pythons import pyenv_python
from tests.support.tiny import lock_of

pytestmark = pytest.mark.network

MINOR = "3.12"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> PythonMirror:
    return make_mirror(tmp_path_factory.mktemp("pythons"), pyenv_python(MINOR))


def shop(tmp_path: Path, mirror: PythonMirror, **more: str) -> Workshop:
    """A workshop of a user whose machine has no Python 3.12, with an environment that is for no other."""
    tools = Environment(
        name="tools",
        summary="tools",
        check="checks.imports",
        lockfiles=tmp_path / "lockfiles",
        check_options={"modules": ["six"]},
        editions=(Edition("1", (MINOR,), ("six",)),),
    )
    path = lock_path(tmp_path / "lockfiles", "tools", "1", MINOR)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = lock_of(tmp_path / "cache", "six", python=MINOR)
    write_whole(path, lock.text().replace("# environment: tiny", "# environment: tools").encode())
    not_kept = ("PYENV", "UV_PYTHON", "ENVGUARD")
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(not_kept)},
        "PATH": "/usr/bin:/bin",
        "UV_PYTHON_INSTALL_MIRROR": mirror.folder.as_uri(),
        "UV_PYTHON_DOWNLOADS_JSON_URL": str(mirror.listed),
        **more,
    }
    return Workshop(
        home=tmp_path / "store",
        user_home=tmp_path / "home",
        environ=environ,
        catalog=Catalog({"tools": tools}, {}, {}),
        receive=Events(),
        backend="venv",
    )


def pythons_in(store: Path) -> list[str]:
    return sorted(each.name for each in pythons_folder(store).iterdir() if each.name.startswith("cpython"))


def test_a_python_is_fetched_where_the_user_allows_it(tmp_path: Path, mirror: PythonMirror) -> None:
    workshop = shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto")
    prepared = workshop.prepare("tools")
    interpreter = prepared.candidate.interpreter
    assert interpreter.real_path.is_relative_to(pythons_folder(tmp_path / "store"))
    assert interpreter.found_in == ("envguard's store",)
    assert prepared.built.proof.works
    assert isinstance(workshop.receive, Events)
    assert workshop.receive[0] == Building(
        "tools", "Python 3.12", "no Python here fits, so uv fetches one and checks its hash"
    )
    (stored,) = stored_pythons(tmp_path / "store")
    assert stored.environments == ("tools",)
    assert stored.bytes > 10_000_000
    # Later it is one of this host's, for which nothing is asked and nothing is fetched.
    again = shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="never", UV_PYTHON_INSTALL_MIRROR="file:///no/such/folder")
    assert not again.prepare("tools").built.fresh
    files = [path for path in pythons_folder(tmp_path / "store").rglob("*") if not path.is_symlink()]
    assert not [path for path in files if path.stat().st_mode & stat.S_IWOTH]


def test_a_folder_serves_without_a_network(tmp_path: Path, mirror: PythonMirror) -> None:
    workshop = shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto", UV_PYTHON_INSTALL_MIRROR=str(mirror.folder))
    workshop.offline = True
    plan = workshop.plan("tools", fetch=True)
    assert plan.chosen.interpreter.real_path.is_relative_to(pythons_folder(tmp_path / "store"))


@pytest.mark.parametrize(("kind", "why"), [("wrong", "Hash mismatch"), ("without", "has no hash for it")])
def test_nothing_is_kept_of_a_python_whose_hash_is_not_the_right_one(
    tmp_path: Path, mirror: PythonMirror, kind: str, why: str
) -> None:
    named = str(getattr(mirror, kind))
    workshop = shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto", UV_PYTHON_DOWNLOADS_JSON_URL=named)
    with pytest.raises(NoEnvironment) as caught:
        workshop.prepare("tools")
    assert why in caught.value.why
    assert pythons_in(tmp_path / "store") == []


@pytest.mark.parametrize("said", [{}, {"ENVGUARD_PYTHON_DOWNLOADS": "never"}, {"UV_PYTHON_DOWNLOADS": "never"}])
def test_nothing_is_fetched_unless_the_user_says_so(
    tmp_path: Path, mirror: PythonMirror, said: Mapping[str, str]
) -> None:
    with pytest.raises(NoEnvironment) as caught:
        shop(tmp_path, mirror, **said).prepare("tools")
    assert isinstance(caught.value, MissingPython) == (said == {})
    assert ("--fetch-python" in caught.value.next_step) == (said == {})
    assert "this host has no Python 3.12" in caught.value.why
    assert not pythons_folder(tmp_path / "store").exists()


def test_other_words_than_auto_and_never_are_refused(tmp_path: Path, mirror: PythonMirror) -> None:
    with pytest.raises(BadInput, match="ENVGUARD_PYTHON_DOWNLOADS is 'yes'"):
        shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="yes").prepare("tools")


def test_files_of_a_project_have_no_say_in_where_pythons_come_from(
    tmp_path: Path, mirror: PythonMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    hostile = (tmp_path / "hostile").as_uri()
    (project / "uv.toml").write_text(f'python-install-mirror = "{hostile}"\npython-downloads-json-url = "{hostile}"\n')
    (project / "pyproject.toml").write_text(f'[tool.uv]\npython-install-mirror = "{hostile}"\n')
    (project / ".env").write_text(f"UV_PYTHON_INSTALL_MIRROR={hostile}\n")
    (project / ".python-version").write_text("pypy3.10\n")
    monkeypatch.chdir(project)
    plan = shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto").plan("tools", fetch=True)
    assert plan.chosen.interpreter.version_text.startswith(MINOR)


def test_what_a_killed_fetch_left_behind_is_no_python_and_goes_with_the_next(
    tmp_path: Path, mirror: PythonMirror
) -> None:
    folder = pythons_folder(tmp_path / "store")
    shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto").plan("tools", fetch=True)
    (whole,) = pythons_in(tmp_path / "store")
    (folder / whole / "envguard-fetched").unlink()
    (folder / ".temp").mkdir()
    found = discover({}, home=tmp_path / "home", store=tmp_path / "store")
    assert not [each for each in found.interpreters if each.real_path.is_relative_to(folder)]
    workshop = shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto")
    assert workshop.plan("tools", fetch=True).chosen.interpreter.real_path.is_relative_to(folder)
    assert not (folder / ".temp").exists()


def test_pythons_that_no_environment_needs_are_pruned_after_a_day(tmp_path: Path, mirror: PythonMirror) -> None:
    store = tmp_path / "store"
    shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto").prepare("tools")
    (python,) = stored_pythons(store)
    os.utime(python.folder / "envguard-fetched", (0, 0))
    assert not prune(store, {}).removed
    without_lock = prune(store, {"tools": frozenset()})
    assert [each.path for each in without_lock.removed][1:] == [python.folder]
    shop(tmp_path, mirror, ENVGUARD_PYTHON_DOWNLOADS="auto").plan("tools", fetch=True)
    assert not prune(store, {}).removed


def test_a_list_that_is_none_is_refused(tmp_path: Path, mirror: PythonMirror) -> None:
    for content in ("[]", "{", json.dumps({"cpython-3.12": 1})):
        (tmp_path / "list.json").write_text(content)
        named = {"UV_PYTHON_DOWNLOADS_JSON_URL": (tmp_path / "list.json").as_uri(), "ENVGUARD_PYTHON_DOWNLOADS": "auto"}
        with pytest.raises(NoEnvironment, match="names is none"):
            shop(tmp_path, mirror, **named).prepare("tools")

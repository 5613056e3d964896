"""What a user sees who has no fitting Python: a question on a terminal, elsewhere what to type, and both work."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.trust.records import record_path
from tests.support.command import envguard
from tests.support.projects import write_project
from tests.support.python_mirror import PythonMirror, make_mirror
from tests.support.pythons import pyenv_python
from tests.support.terminal import envguard_on_terminal

pytestmark = pytest.mark.network

MINOR = "3.12"
EXEC = ("exec", "one", "--", "python", "-c", "import sys; print(sys.version_info[:2])")
RAN = "(3, 12)"


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> PythonMirror:
    return make_mirror(tmp_path_factory.mktemp("pythons"), pyenv_python(MINOR))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that its user trusts, with an environment for Python 3.12."""
    return write_project(tmp_path / "project", MINOR, "", {})


@pytest.fixture
def without_it(tmp_path: Path, mirror: PythonMirror) -> dict[str, str]:
    """The variables of a user whose machine has no Python 3.12."""
    return {
        "HOME": str(tmp_path / "home"),
        "PATH": "/usr/bin:/bin",
        "PYENV_ROOT": str(tmp_path / "none"),
        "ENVGUARD_BACKEND": "venv",
        "UV_PYTHON_INSTALL_MIRROR": str(mirror.folder),
        "UV_PYTHON_DOWNLOADS_JSON_URL": str(mirror.listed),
    }


def test_what_the_refusal_says_to_type_works(tmp_path: Path, project: Path, without_it: dict[str, str]) -> None:
    store = tmp_path / "store"
    refused = envguard(*EXEC, home=store, cwd=project, **without_it)
    assert refused.code == 3
    assert "this host has no Python 3.12" in refused.err
    assert "Run the same command again as `envguard --fetch-python …`" in refused.err
    ran = envguard("--fetch-python", *EXEC, home=store, cwd=project, **without_it)
    assert (ran.code, ran.out.strip()) == (0, RAN), ran.err
    listed = envguard("store", "list", home=store, cwd=project, **without_it).out
    assert "fetched" in listed
    probed = envguard("probe", home=store, cwd=project, **without_it).out
    assert "envguard's store" in probed


def test_the_option_may_also_follow_the_command(tmp_path: Path, project: Path, without_it: dict[str, str]) -> None:
    created = envguard("create", "one", "--fetch-python", home=tmp_path / "store", cwd=project, **without_it)
    assert created.code == 0, created.err


def test_a_project_is_trusted_before_a_python_is_fetched_for_it(
    tmp_path: Path, project: Path, without_it: dict[str, str]
) -> None:
    record_path(project).unlink()
    for fetch in ((), ("--fetch-python",)):
        refused = envguard(*fetch, *EXEC, home=tmp_path / "store", cwd=project, **without_it)
        assert (refused.code, "envguard trust" in refused.err) == (2, True), refused.err
    assert not (tmp_path / "store" / "pythons").exists()


def test_on_a_terminal_one_key_is_enough(tmp_path: Path, project: Path, without_it: dict[str, str]) -> None:
    store = tmp_path / "store"
    no = envguard_on_terminal(*EXEC, home=store, cwd=project, keys="n", columns=120, **without_it)
    assert no.code == 3
    assert not (store / "pythons").exists()
    yes = envguard_on_terminal(*EXEC, home=store, cwd=project, keys="y", columns=120, **without_it)
    assert yes.code == 0, yes.raw
    assert any("Fetch it? Press y for yes" in line for line in yes.lines)
    assert yes.lines[-1] == RAN
    never = {**without_it, "ENVGUARD_PYTHON_DOWNLOADS": "never"}
    asked = envguard_on_terminal(*EXEC, home=tmp_path / "other", cwd=project, columns=120, **never)
    assert asked.code == 3
    assert not any("Press" in line for line in asked.lines)
